//! One client in one namespace.

use std::sync::Arc;

use bytes::Bytes;
use realtime::{Close, Listening, Queue};

use crate::{
    namespace::{Answer, Live},
    packet::ack_frame,
};

/// It ends when it is dropped.
pub(super) struct Socket {
    /// The namespace's number.
    pub(super) namespace: usize,
    /// Tells this one apart from an earlier one of the same namespace.
    pub(super) id: u32,
    pub(super) live: Box<dyn Live>,
    /// None: a bystander.
    pub(super) listening: Option<Listening>,
    pub(super) queue: Arc<Queue>,
}

impl Socket {
    /// Has an answer queued, the ack first.
    pub(super) fn answer(&mut self, namespace: &str, ack: Option<u64>, answer: Answer) {
        let ack = ack.map(|id| ack_frame(namespace, id, &answer.ack.unwrap_or_default()));
        self.live.answered(&self.queue, ack, answer.events);
    }

    /// All that waits.
    pub(super) fn drain(&self) -> impl Iterator<Item = Bytes> + use<> {
        self.queue.take(usize::MAX).frames.into_iter().map(|frame| frame.bytes)
    }

    pub(super) fn closing(&self) -> Option<Close> {
        self.queue.closing()
    }
}

/// Waits until something is new in one of their queues. Safe to cancel.
pub(super) async fn any_news(sockets: &mut [Socket]) {
    match sockets {
        [] => std::future::pending().await,
        [one] => one.queue.wait().await,
        [one, others @ ..] => tokio::select! {
            () = one.queue.wait() => {}
            () = Box::pin(any_news(others)) => {}
        },
    }
}
