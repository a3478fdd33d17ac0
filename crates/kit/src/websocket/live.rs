//! What a live session is, to the pump.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use realtime::{Frame, Note};

use super::MessageRate;

/// The speaking half of a live session. It knows no socket.
pub trait Live: Send + 'static {
    /// What comes of a text message.
    fn said(&mut self, text: String) -> Said;

    /// What comes of a binary message: a close with 1003, unless the dialect knows better (RFC 6455, 7.4.1).
    fn said_binary(&mut self, _bytes: Vec<u8>) -> Said {
        Said::Close(1003)
    }

    /// What a client is told whose message is beyond its [`MessageRate`], if the dialect has a frame for it.
    fn throttled(&self) -> Option<Bytes>;

    /// The messages with these notes were handed to the system for the client.
    fn wrote(&mut self, _notes: &[Arc<Note>]) {}
}

/// What comes of a message.
pub enum Said {
    /// Nothing to wait for: these frames go to the sender.
    Answer(Vec<Frame>),
    /// It is in the works, and its frames come later. The next messages need not wait: they are begun in order.
    Later(BoxFuture<'static, Vec<Frame>>),
    /// As `Later`, but the next message is not begun before it is done.
    Alone(BoxFuture<'static, Vec<Frame>>),
    /// The socket is closed with this code.
    Close(u16),
}

/// What a socket may send.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Most bytes of a message: 1009 beyond.
    pub max_message: usize,
    /// How many messages; no bound without.
    pub rate: Option<MessageRate>,
    /// When it is closed with 4001, should it live that long.
    pub expires_at: Option<Instant>,
}

/// Frames that go before all that is queued, page by page: what a client has missed. The next page is asked for when
/// the last one is written.
pub type Replay = BoxStream<'static, Vec<Frame>>;
