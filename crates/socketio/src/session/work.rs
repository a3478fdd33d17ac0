//! What a connection has in the works: the answers of namespaces and of live sessions.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use realtime::Queue;
use tokio::time::Sleep;

use crate::namespace::{Answer, Entrance};

/// One of them; it carries along whom its outcome is for.
pub(super) enum Work {
    Entering {
        namespace: usize,
        queue: Arc<Queue>,
        entrance: BoxFuture<'static, Entrance>,
    },
    Answering {
        socket: u32,
        ack: Option<u64>,
        answer: BoxFuture<'static, Answer>,
    },
    /// What a client was told on its way out is to reach it before the DISCONNECT does.
    ShowingOut {
        namespace: usize,
        time: Pin<Box<Sleep>>,
    },
}

/// Its outcome.
pub(super) enum Done {
    Entered { namespace: usize, queue: Arc<Queue>, entrance: Entrance },
    Answered { socket: u32, ack: Option<u64>, answer: Answer },
    ShownOut { namespace: usize },
}

impl Future for Work {
    type Output = Done;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Done> {
        Poll::Ready(match self.get_mut() {
            Self::Entering { namespace, queue, entrance } => {
                let entrance = ready!(entrance.as_mut().poll(context));
                Done::Entered { namespace: *namespace, queue: Arc::clone(queue), entrance }
            }
            Self::Answering { socket, ack, answer } => {
                let answer = ready!(answer.as_mut().poll(context));
                Done::Answered { socket: *socket, ack: *ack, answer }
            }
            Self::ShowingOut { namespace, time } => {
                ready!(time.as_mut().poll(context));
                Done::ShownOut { namespace: *namespace }
            }
        })
    }
}
