//! The order of commits, kept for what is published after them.
//!
//! Transactions commit at the same time on several connections, and which of their tasks runs first afterwards is chance.
//! A turn is taken when all has been written and nothing is committed: of two transactions of which one has seen, or
//! waited for, what the other wrote, the other one has the earlier turn.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::watch, time::timeout};

use super::PATIENCE;

/// Gives out turns.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// The first turn that has not ended.
    current: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Turns that have ended while an earlier one has not.
    ended: BTreeSet<u64>,
}

/// A turn to publish. It ends when it is dropped.
pub(crate) struct Turn {
    turns: Turns,
    number: u64,
}

impl Turns {
    /// None taken yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), current: watch::Sender::new(0) }))
    }

    /// The next turn.
    pub(crate) fn take(&self) -> Turn {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next;
        state.next += 1;
        Turn { turns: self.clone(), number }
    }
}

impl Turn {
    /// Waits until all earlier turns have ended; not for ever, since a commit may be lost with its connection.
    pub(crate) async fn come(&self) {
        let mut current = self.turns.0.current.subscribe();
        let come = current.wait_for(|current| *current >= self.number);
        if timeout(PATIENCE, come).await.is_err() {
            tracing::warn!("a commit takes long; what was committed after it is published before it");
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended.insert(self.number);
        self.turns.0.current.send_if_modified(|current| {
            let before = *current;
            while state.ended.remove(current) {
                *current += 1;
            }
            *current != before
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_comes_when_all_earlier_ones_have_ended() {
        let turns = Turns::new();
        let [first, second, third] = [turns.take(), turns.take(), turns.take()];
        first.come().await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let publish = |turn: Turn| {
            let order = order.clone();
            async move {
                turn.come().await;
                order.lock().unwrap().push(turn.number);
            }
        };
        let late = tokio::spawn(publish(third));
        let early = tokio::spawn(publish(second));
        tokio::task::yield_now().await;
        assert!(order.lock().unwrap().is_empty());
        drop(first);
        early.await.unwrap();
        late.await.unwrap();
        assert_eq!(*order.lock().unwrap(), [1, 2]);
    }

    #[tokio::test]
    async fn a_turn_that_was_given_up_keeps_nobody_waiting() {
        let turns = Turns::new();
        let [first, second, third] = [turns.take(), turns.take(), turns.take()];
        drop(second);
        drop(first);
        third.come().await;
        drop(third);
        assert!(turns.0.state.lock().unwrap().ended.is_empty());
        turns.take().come().await;
    }
}
