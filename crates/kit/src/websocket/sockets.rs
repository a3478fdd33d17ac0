//! All open sockets.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use realtime::{Listening, Queue};
use tokio_util::task::TaskTracker;

use super::{Handshake, Limits, Live, Replay, outgoing::Outgoing, pump::Pump};

/// All open sockets of the process.
#[derive(Clone, Debug, Default)]
pub struct Sockets(TaskTracker);

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
        let tracker = self.0.clone();
        handshake.accept(move |raw| {
            tracker.track_future(async move {
                let _listening = listening;
                Pump::new(raw, live, Outgoing::new(queue, replay), limits).run().await;
            })
        })
    }

    /// Counts `connection` among the open sockets for as long as it runs.
    pub fn track<F: Future>(&self, connection: F) -> impl Future<Output = F::Output> + use<F> {
        self.0.track_future(connection)
    }

    /// Waits until all are closed, so long at most. No socket is to be opened any more.
    pub async fn closed(&self, within: Duration) {
        self.0.close();
        if tokio::time::timeout(within, self.0.wait()).await.is_err() {
            tracing::warn!(sockets = self.0.len(), "sockets did not close in time");
        }
    }
}
