//! A bounded queue between tasks, which never wait, and threads, which do.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Jobs that wait for a thread.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    room: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// What a waiting thread was given.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// At least one job was taken.
    Some,
    /// Nothing came in time.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

impl<T> Queue<T> {
    /// An empty queue with `room` places.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            state: Mutex::new(State { waiting: VecDeque::new(), closed: false }),
            changed: Condvar::new(),
            room,
        }
    }

    /// Adds a job at the end; gives it back when the queue is full or closed.
    pub(crate) fn push(&self, job: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.room {
            return Err(job);
        }
        state.waiting.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Moves up to `most` jobs into `into`, waiting up to `patience` for the first one (`None`: for ever).
    pub(crate) fn take(&self, into: &mut Vec<T>, most: usize, patience: Option<Duration>) -> Taken {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = match patience {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (state, waited) =
                        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() && state.waiting.is_empty() && !state.closed {
                        return Taken::Nothing;
                    }
                    state
                }
            };
        }
        if state.waiting.is_empty() {
            return Taken::Closed;
        }
        let count = state.waiting.len().min(most);
        into.extend(state.waiting.drain(..count));
        Taken::Some
    }

    /// Moves up to `most` jobs into `into`, without waiting; how many those were.
    pub(crate) fn take_now(&self, into: &mut Vec<T>, most: usize) -> usize {
        let mut state = self.lock();
        let count = state.waiting.len().min(most);
        into.extend(state.waiting.drain(..count));
        count
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes no more jobs; those that wait are still given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code panics while it holds the lock; if it did, a queue of whole jobs would still be sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_gives_the_job_back() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        assert_eq!(queue.push(3), Err(3));
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, 1, None), Taken::Some);
        assert_eq!(taken, [1]);
        assert_eq!(queue.push(3), Ok(()));
        assert_eq!(queue.take(&mut taken, 9, None), Taken::Some);
        assert_eq!(taken, [1, 2, 3]);
    }

    #[test]
    fn a_closed_queue_gives_out_what_it_holds_and_takes_no_more() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        queue.close();
        assert_eq!(queue.push(2), Err(2));
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, 9, None), Taken::Some);
        assert_eq!(queue.take(&mut taken, 9, None), Taken::Closed);
        assert_eq!(taken, [1]);
    }

    #[test]
    fn patience_ends() {
        let queue: Queue<u8> = Queue::new(1);
        assert_eq!(queue.take(&mut Vec::new(), 1, Some(Duration::from_millis(1))), Taken::Nothing);
    }
}
