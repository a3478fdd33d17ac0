//! What a socket's own task and the flusher share: the connection, and the writing side of it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use realtime::{Outlet, Queue};
use tokio::net::TcpStream;

use super::{
    Live,
    handshake::Raw,
    outgoing::{Outgoing, What},
};

/// A connection and its live session. Its own task reads, keeps the time and closes; what is queued while it is open is
/// written by the flusher, without that task.
pub(super) struct Shared<L> {
    raw: Raw,
    queue: Arc<Queue>,
    side: Mutex<Side<L>>,
}

/// The part that one of the two has at a time, and never for longer than a write takes.
pub(super) struct Side<L> {
    pub(super) out: Outgoing,
    pub(super) live: L,
    /// Whether the flusher may write what is queued.
    pub(super) is_flushed: bool,
    /// Why the flusher could not write, for the socket's own task.
    pub(super) fault: Option<io::Error>,
}

impl<L: Live> Shared<L> {
    /// And what the client has sent right behind its handshake.
    pub(super) fn new(mut raw: Raw, live: L, out: Outgoing) -> (Arc<Self>, Bytes) {
        let early = std::mem::take(&mut raw.early);
        let queue = Arc::clone(out.queue());
        let side = Mutex::new(Side { out, live, is_flushed: false, fault: None });
        (Arc::new(Self { raw, queue, side }), early)
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.raw.socket
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn side(&self) -> MutexGuard<'_, Side<L>> {
        self.side.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Live> Outlet for Shared<L> {
    fn flush(&self) -> usize {
        let mut side = self.side();
        let mut frames = 0;
        if side.is_flushed && !side.out.is_waiting() {
            match side.out.write(&self.raw.socket, What::Queued) {
                Ok(written) => {
                    frames = written.frames;
                    if !written.notes.is_empty() {
                        side.live.wrote(&written.notes);
                    }
                    if written.all {
                        return frames;
                    }
                }
                Err(fault) => side.fault = Some(fault),
            }
            side.is_flushed = false;
        }
        // The socket's own task goes on: when the system takes more, or as its state demands.
        self.queue.call();
        frames
    }
}
