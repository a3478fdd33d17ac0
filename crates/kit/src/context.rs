//! What the handlers of every dialect get.

use std::sync::Arc;

use axum::extract::FromRef;
use domain::{App, Caller, Topic};
use realtime::{Ear, Hub, Listening, Queue};

use crate::websocket::{MessageRate, Sockets};

/// The core, and what live sessions need.
#[derive(Clone)]
pub struct Context {
    /// The core.
    pub app: App,
    /// Who listens to what.
    pub hub: Arc<Hub>,
    /// The open sockets.
    pub sockets: Sockets,
    /// What a socket may send and hold.
    pub socket_limits: SocketLimits,
}

/// What a socket may send and hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SocketLimits {
    /// Most bytes of a message, where no files come in.
    pub max_frame: usize,
    /// Most bytes of a message, where files come in as base64.
    pub max_file_frame: usize,
    /// How many messages.
    pub rate: Option<MessageRate>,
    /// Most bytes that wait for a receiver.
    pub queue_bytes: usize,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            max_frame: 1 << 20,
            max_file_frame: 14 << 20,
            rate: Some(MessageRate { a_second: 200, burst: 2_000 }),
            queue_bytes: 1 << 20,
        }
    }
}

impl Context {
    /// Begins to listen, before the handshake is accepted: to `topic`, and to the end of the caller's grant.
    pub fn listen(&self, caller: &Caller, topic: Topic, ear: Arc<dyn Ear>) -> (Arc<Queue>, Listening) {
        let queue = Arc::new(Queue::new(self.socket_limits.queue_bytes));
        let listening = self.hub.listen(&[topic, Topic::Grant(caller.grant)], ear, Arc::clone(&queue));
        (queue, listening)
    }
}

impl FromRef<Context> for App {
    fn from_ref(context: &Context) -> Self {
        context.app.clone()
    }
}
