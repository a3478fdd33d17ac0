//! Who writes what is queued: a few tasks, each of which goes round many sockets.
//!
//! A task a socket would be woken, scheduled and polled for every frame, which costs as much again as half the write.

use std::{
    mem,
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};

/// Sockets that are written to before other tasks get their turn: some 200 µs of writing.
const AT_A_TIME: usize = 32;

/// A round of so many sockets is a wide one: it takes about a millisecond.
const WIDE: usize = 64;

/// After a wide round in which a quarter of the writes was shared by two frames, or fewer by more, the next ones are put
/// off for half of the time that it took, within these bounds: more is on its way, and shares theirs.
const GATHER: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(5);

/// But not when there was no such round for so long: a few rounds of 1,000 sockets.
const QUIET: Duration = Duration::from_millis(20);

/// A socket that something is queued for.
pub trait Outlet: Send + Sync {
    /// Takes what is queued and writes it, as far as the system takes it at once; how many frames that was. Never waits.
    fn flush(&self) -> usize;
}

/// Flushes outlets, in the order in which they got something to write; one that got more meanwhile is flushed once.
pub struct Flusher {
    lines: Box<[Line]>,
    tasks: Box<[JoinHandle<()>]>,
    next: AtomicUsize,
}

/// Those that one task has to flush.
#[derive(Clone)]
pub(crate) struct Line(Arc<Shared>);

#[derive(Default)]
struct Shared {
    outlets: Mutex<Vec<Arc<dyn Outlet>>>,
    wake: Notify,
}

impl Flusher {
    /// A flusher of one task for each core. To be called within a runtime; the tasks end when it is dropped.
    pub fn start() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let lines: Box<[Line]> = (0..cores).map(|_| Line(Arc::default())).collect();
        let tasks = lines.iter().map(|line| tokio::spawn(line.clone().run())).collect();
        Self { lines, tasks, next: AtomicUsize::new(0) }
    }

    /// The line for one more outlet.
    pub(crate) fn line(&self) -> Line {
        self.lines[self.next.fetch_add(1, Ordering::Relaxed) % self.lines.len()].clone()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Line {
    /// The outlet is flushed when its turn comes.
    pub(crate) fn join(&self, outlet: Arc<dyn Outlet>) {
        let mut outlets = self.0.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        outlets.push(outlet);
        let is_first = outlets.len() == 1;
        drop(outlets);
        if is_first {
            self.0.wake.notify_one();
        }
    }

    async fn run(self) {
        let mut round = Vec::new();
        let mut shared: Option<(Instant, Duration)> = None;
        loop {
            self.0.wake.notified().await;
            if let Some((_, gather)) = shared.filter(|(at, _)| at.elapsed() < QUIET) {
                sleep(gather).await;
            }
            let start = Instant::now();
            // Whoever joins from now on wakes again.
            mem::swap(&mut round, &mut self.0.outlets.lock().unwrap_or_else(PoisonError::into_inner));
            let (outlets, mut frames) = (round.len(), 0);
            for (number, outlet) in round.drain(..).enumerate() {
                frames += flush(&*outlet);
                drop(outlet);
                if number % AT_A_TIME == AT_A_TIME - 1 {
                    yield_now().await;
                }
            }
            if outlets >= WIDE && frames >= outlets + outlets / 4 {
                let took = start.elapsed();
                shared = Some((start + took, (took / 2).clamp(*GATHER.start(), *GATHER.end())));
            }
        }
    }
}

/// A panic is the one outlet's misfortune.
fn flush(outlet: &dyn Outlet) -> usize {
    // The panic's own hook has said what there is to say.
    catch_unwind(AssertUnwindSafe(|| outlet.flush())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;
    use crate::{Close, Frame, Queue};

    /// Keeps what it took, and counts how often it was asked to.
    struct Reader {
        queue: Arc<Queue>,
        took: Mutex<Vec<Frame>>,
        flushes: AtomicUsize,
        some: Notify,
    }

    impl Reader {
        fn on(flusher: &Flusher) -> Arc<Self> {
            let reader = Arc::new(Self {
                queue: Arc::new(Queue::new(1000)),
                took: Mutex::default(),
                flushes: AtomicUsize::new(0),
                some: Notify::new(),
            });
            reader.queue.drain_by(flusher, Arc::downgrade(&reader) as Weak<dyn Outlet>);
            reader
        }

        fn took(&self) -> Vec<Frame> {
            self.took.lock().unwrap().clone()
        }
    }

    impl Outlet for Reader {
        fn flush(&self) -> usize {
            self.flushes.fetch_add(1, Ordering::Relaxed);
            let frames = self.queue.take(usize::MAX).frames;
            assert!(!frames.contains(&Frame::from("panic")), "as asked");
            let count = frames.len();
            self.took.lock().unwrap().extend(frames);
            self.some.notify_one();
            count
        }
    }

    #[tokio::test]
    async fn each_outlet_is_flushed_once_for_all_that_came_before_its_turn() {
        let flusher = Flusher::start();
        let readers: Vec<_> = (0..200).map(|_| Reader::on(&flusher)).collect();
        for text in ["one", "two", "three"] {
            for reader in &readers {
                reader.queue.push(text);
            }
        }
        for reader in &readers {
            reader.some.notified().await;
            assert_eq!(reader.took(), ["one", "two", "three"].map(Frame::from));
            assert_eq!(reader.flushes.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn what_comes_after_a_flush_is_flushed_too() {
        let flusher = Flusher::start();
        let readers: Vec<_> = (0..200).map(|_| Reader::on(&flusher)).collect();
        for round in 1..=3 {
            for reader in &readers {
                reader.queue.push("again");
            }
            for reader in &readers {
                reader.some.notified().await;
                assert_eq!(reader.took().len(), round);
            }
        }
    }

    #[tokio::test]
    async fn a_panic_is_the_one_outlets_misfortune() {
        let flusher = Flusher::start();
        // Two rounds of the lines, so that each of them has one that panics.
        let readers: Vec<_> = (0..2 * flusher.lines.len()).map(|_| Reader::on(&flusher)).collect();
        for reader in &readers[..flusher.lines.len()] {
            reader.queue.push("panic");
        }
        for reader in &readers[flusher.lines.len()..] {
            reader.queue.push("hello");
            reader.some.notified().await;
            assert_eq!(reader.took(), [Frame::from("hello")]);
        }
    }

    #[tokio::test]
    async fn a_close_and_an_overflow_are_told_to_who_waits() {
        let flusher = Flusher::start();
        let (closed, full) = (Reader::on(&flusher), Reader::on(&flusher));
        closed.queue.close(Close::GOING_AWAY);
        closed.queue.wait().await;
        for _ in 0..2 {
            full.queue.push(vec![b'x'; 600]);
        }
        full.queue.wait().await;
        assert_eq!(full.queue.closing(), Some(Close::TOO_SLOW));
        assert!(full.took().is_empty());
    }

    #[tokio::test]
    async fn without_its_outlet_a_queue_tells_who_waits() {
        let flusher = Flusher::start();
        let reader = Reader::on(&flusher);
        let queue = Arc::clone(&reader.queue);
        drop(reader);
        queue.push("hello");
        queue.wait().await;
        assert_eq!(queue.take(usize::MAX).frames, [Frame::from("hello")]);
    }
}
