//! All open sockets.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::response::Response;
use bytes::Bytes;
use realtime::{Close, Flusher, Listening, Queue};
use tokio_util::task::TaskTracker;

use super::{Handshake, Limits, Live, Replay, Said, pump::Pump};

/// The longest message of a socket that is closed at once, in bytes. What is longer cannot be read over, and the client's
/// answer to the close not be seen.
const MAX_REFUSED: usize = 64 << 10;

/// The session of a socket that is closed at once: what its client says is not heard.
struct Refused;

impl Live for Refused {
    fn said(&mut self, _text: String) -> Said {
        Said::Answer(Vec::new())
    }

    fn said_binary(&mut self, _bytes: Vec<u8>) -> Said {
        Said::Answer(Vec::new())
    }

    fn throttled(&self) -> Option<Bytes> {
        None
    }
}

/// All open sockets of the process.
#[derive(Clone, Default)]
pub struct Sockets {
    tracker: TaskTracker,
    /// Writes to them; it starts with the first.
    flusher: Arc<OnceLock<Flusher>>,
}

impl Sockets {
    /// Accepts the handshake: from now on the client talks to `live`, and gets what comes on `queue`.
    /// `listening` ends with the socket.
    pub fn open(
        &self,
        handshake: Handshake,
        live: impl Live,
        (queue, listening): (Arc<Queue>, Listening),
        limits: Limits,
    ) -> Response {
        self.open_behind(handshake, live, (queue, listening), limits, None)
    }

    /// The same, but what `replay` gives comes first. Messages that it gave are not written again when they are queued.
    pub fn open_behind(
        &self,
        handshake: Handshake,
        live: impl Live,
        (queue, listening): (Arc<Queue>, Listening),
        limits: Limits,
        replay: Option<Replay>,
    ) -> Response {
        let Self { tracker, flusher } = self.clone();
        handshake.accept(move |raw| {
            tracker.track_future(async move {
                let _listening = listening;
                let flusher = flusher.get_or_init(Flusher::start);
                Pump::new(raw, live, queue, replay, limits).run(flusher).await;
            })
        })
    }

    /// Counts `connection` among the open sockets for as long as it runs.
    pub fn track<F: Future>(&self, connection: F) -> impl Future<Output = F::Output> + use<F> {
        self.tracker.track_future(connection)
    }

    /// Accepts the handshake only to close with this code: for clients that cannot read the status of a refusal.
    pub fn refuse(&self, handshake: Handshake, why: Close) -> Response {
        let queue = Arc::new(Queue::new(0));
        queue.close(why);
        let limits = Limits { max_message: MAX_REFUSED, rate: None, expires_at: None };
        let Self { tracker, flusher } = self.clone();
        handshake.accept(move |raw| {
            tracker.track_future(async move {
                let flusher = flusher.get_or_init(Flusher::start);
                Pump::new(raw, Refused, queue, None, limits).run(flusher).await;
            })
        })
    }

    /// Waits until all are closed, so long at most. No socket is to be opened any more.
    pub async fn closed(&self, within: Duration) {
        self.tracker.close();
        if tokio::time::timeout(within, self.tracker.wait()).await.is_err() {
            tracing::warn!(sockets = self.tracker.len(), "sockets did not close in time");
        }
    }
}
