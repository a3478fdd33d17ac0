//! What waits to be written to one socket: bounded, in bytes.

use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use domain::{AccountId, MessageId, Posted};
use tokio::sync::Notify;

use crate::{Flusher, Outlet};

/// Bytes that a queued frame costs beyond its payload, for the bound.
const OVERHEAD: usize = size_of::<Frame>();

/// Places that an emptied queue keeps, so that idle sockets hold no memory for past bursts.
const KEPT: usize = 4;

/// Why a socket is to be closed, as a WebSocket close code (RFC 6455 7.4; 4000 and up are the contract's).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Close(pub u16);

impl Close {
    /// The server stops.
    pub const GOING_AWAY: Self = Self(1001);
    /// The session has ended.
    pub const SESSION_ENDED: Self = Self(4001);
    /// The receiver reads too slowly.
    pub const TOO_SLOW: Self = Self(4008);
}

/// What is written to a socket at once: one message of the transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The payload.
    pub bytes: Bytes,
    /// The message that it carries, where somebody wants to know that it was written.
    pub note: Option<Arc<Note>>,
}

/// A message that a frame carries. All sockets that are given the same frame share it.
#[derive(Debug)]
pub struct Note {
    posted: Arc<Posted>,
    is_received: AtomicBool,
}

impl Note {
    /// Of a frame that carries this message.
    pub fn of(posted: &Arc<Posted>) -> Arc<Self> {
        Arc::new(Self { posted: Arc::clone(posted), is_received: AtomicBool::new(false) })
    }

    /// The message.
    pub fn message(&self) -> MessageId {
        self.posted.message.id
    }

    /// The message, when it is a direct one to this account and its receipt is still to be noted: that is told once,
    /// to the first who asks after a socket of theirs has it.
    pub fn received_by(&self, account: AccountId) -> Option<Arc<Posted>> {
        let receipt = self.posted.message.receipt?;
        let is_theirs = receipt.receiver == account && receipt.received_at.is_none();
        // Looked at first: a write would take the line from all other sockets.
        let is_first = is_theirs
            && !self.is_received.load(Ordering::Relaxed)
            && !self.is_received.swap(true, Ordering::Relaxed);
        is_first.then(|| Arc::clone(&self.posted))
    }
}

impl PartialEq for Note {
    fn eq(&self, other: &Self) -> bool {
        self.message() == other.message()
    }
}

impl Eq for Note {}

impl<B: Into<Bytes>> From<B> for Frame {
    fn from(bytes: B) -> Self {
        Self { bytes: bytes.into(), note: None }
    }
}

/// The frames that wait for one socket, and whether it is to be closed.
pub struct Queue {
    state: Mutex<State>,
    wake: Notify,
    max_bytes: usize,
    drained: OnceLock<Drained>,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Frame>,
    bytes: usize,
    close: Option<Close>,
    /// Somebody knows that something waits, and has not taken it yet: nobody needs to be told of more.
    told: bool,
}

/// Who empties a queue, and where it is put in line for that.
struct Drained {
    by: Weak<dyn Outlet>,
    line: crate::flusher::Line,
}

/// What [`Queue::take`] gives.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Payloads, in order.
    pub frames: Vec<Frame>,
    /// To be closed after they are written: nothing waits behind them.
    pub close: Option<Close>,
}

impl Queue {
    /// A queue that holds `max_bytes` at most.
    pub fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), wake: Notify::new(), max_bytes, drained: OnceLock::new() }
    }

    /// From now on `flusher` has `outlet` write what is pushed, for as long as there is that outlet; who waits on the
    /// queue hears only of closes, and of [`Self::call`]. Only the first outlet counts.
    pub fn drain_by(&self, flusher: &Flusher, outlet: Weak<dyn Outlet>) {
        let _ = self.drained.set(Drained { by: outlet, line: flusher.line() });
    }

    /// Adds a frame, and sees to it that somebody comes for it. When it does not fit, what waits is dropped and the
    /// socket is to be closed with [`Close::TOO_SLOW`]. After a close nothing is added.
    pub fn push(&self, frame: impl Into<Frame>) {
        let mut state = self.lock();
        if state.close.is_some() {
            return;
        }
        state.add(frame.into(), self.max_bytes);
        let overflows = state.close.is_some();
        if mem::replace(&mut state.told, true) {
            return;
        }
        drop(state);
        let outlet = self.drained.get().filter(|_| !overflows);
        match outlet.and_then(|drained| Some((&drained.line, drained.by.upgrade()?))) {
            Some((line, outlet)) => line.join(outlet),
            None => self.call(),
        }
    }

    /// The same, but nobody is told: for the one who takes it next anyway.
    pub fn put(&self, frame: impl Into<Frame>) {
        self.lock().add(frame.into(), self.max_bytes);
    }

    /// Wakes who waits on the queue.
    pub fn call(&self) {
        self.wake.notify_one();
    }

    /// Closes after what waits now. The first close counts.
    pub fn close(&self, why: Close) {
        let mut state = self.lock();
        state.close.get_or_insert(why);
        drop(state);
        self.call();
    }

    /// Takes frames in order until their payloads reach `enough` bytes, or none waits. What is taken no longer counts.
    pub fn take(&self, enough: usize) -> Waiting {
        let mut state = self.lock();
        state.told = false;
        let (mut frames, mut taken) = (Vec::new(), 0);
        while taken < enough
            && let Some(frame) = state.frames.pop_front()
        {
            taken += frame.bytes.len();
            state.bytes -= frame.bytes.len() + OVERHEAD;
            frames.push(frame);
        }
        if state.frames.is_empty() {
            if state.frames.capacity() > KEPT {
                state.frames = VecDeque::new();
            }
            return Waiting { frames, close: state.close };
        }
        Waiting { frames, close: None }
    }

    /// Why the socket is to be closed, once what waits is written.
    pub fn closing(&self) -> Option<Close> {
        self.lock().close
    }

    /// Waits until something was pushed that nobody has been told of, or the queue was closed, since the last wait. Of
    /// what comes before the next [`Self::take`] nobody is told again. May return early. Safe to cancel.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, frame: Frame, max_bytes: usize) {
        if self.close.is_some() {
            return;
        }
        let size = frame.bytes.len() + OVERHEAD;
        // A single frame may be larger than the bound; it is a backlog that is refused.
        if self.bytes > 0 && self.bytes + size > max_bytes {
            *self = Self { close: Some(Close::TOO_SLOW), ..Self::default() };
        } else {
            self.bytes += size;
            self.frames.push_back(frame);
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, task::Poll};

    use super::*;

    fn frame(size: usize) -> Bytes {
        Bytes::from(vec![b'x'; size])
    }

    #[test]
    fn frames_come_out_in_order_then_the_close() {
        let queue = Queue::new(1000);
        queue.push("1");
        queue.push("2");
        queue.close(Close::SESSION_ENDED);
        queue.push("3");
        let waiting = queue.take(usize::MAX);
        assert_eq!(waiting.frames, [Frame::from("1"), Frame::from("2")]);
        assert_eq!(waiting.close, Some(Close::SESSION_ENDED));
    }

    #[test]
    fn a_backlog_beyond_the_bound_closes_and_one_large_frame_does_not() {
        let queue = Queue::new(1000);
        queue.push(frame(5000));
        assert_eq!(queue.take(usize::MAX).close, None);
        queue.push(frame(600));
        queue.push(frame(600));
        assert_eq!(queue.closing(), Some(Close::TOO_SLOW));
        let waiting = queue.take(usize::MAX);
        assert_eq!((waiting.frames.len(), waiting.close), (0, Some(Close::TOO_SLOW)));
    }

    #[test]
    fn a_part_can_be_taken_and_the_close_comes_with_the_last() {
        let queue = Queue::new(10_000);
        for _ in 0..5 {
            queue.push(frame(100));
        }
        queue.close(Close::GOING_AWAY);
        let first = queue.take(150);
        assert_eq!((first.frames.len(), first.close), (2, None));
        let rest = queue.take(1000);
        assert_eq!((rest.frames.len(), rest.close), (3, Some(Close::GOING_AWAY)));
    }

    #[test]
    fn what_was_taken_no_longer_counts() {
        let queue = Queue::new(1000);
        for _ in 0..100 {
            queue.push(frame(600));
            assert_eq!(queue.take(usize::MAX).frames.len(), 1);
        }
        assert_eq!(queue.closing(), None);
    }

    #[tokio::test]
    async fn a_push_before_the_wait_is_not_missed() {
        let queue = Queue::new(1000);
        queue.push(frame(1));
        queue.wait().await;
        assert_eq!(queue.take(usize::MAX).frames.len(), 1);
    }

    #[tokio::test]
    async fn of_what_comes_before_a_take_one_is_told_once() {
        let queue = Queue::new(1000);
        queue.put("quiet");
        for text in ["loud", "again"] {
            queue.push(text);
        }
        queue.wait().await;
        assert_eq!(poll_once(queue.wait()).await, Poll::Pending);
        assert_eq!(queue.take(usize::MAX).frames.len(), 3);
        queue.push("anew");
        queue.wait().await;
    }

    async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
    }
}
