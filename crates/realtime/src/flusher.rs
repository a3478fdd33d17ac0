//! Who writes what is queued: a few tasks, each of which goes round many sockets.
//!
//! A task a socket would be woken, scheduled and polled for every frame, which costs as much again as half the write.

use std::{
    mem,
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

/// After a wide round the next one is put off, for the messages that are on their way to share its writes.
const GATHER: Duration = Duration::from_millis(1);

/// But not when nothing was written for so long: then nothing is on its way.
const QUIET: Duration = Duration::from_millis(5);

/// A socket that something is queued for.
pub trait Outlet: Send + Sync {
    /// Takes what is queued and writes it, as far as the system takes it at once. Never waits.
    fn flush(&self);
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
        let mut wide_until = None;
        loop {
            self.0.wake.notified().await;
            if wide_until.is_some_and(|until: Instant| until.elapsed() < QUIET) {
                sleep(GATHER).await;
            }
            // Whoever joins from now on wakes again.
            mem::swap(&mut round, &mut self.0.outlets.lock().unwrap_or_else(PoisonError::into_inner));
            let is_wide = round.len() >= WIDE;
            for (number, outlet) in round.drain(..).enumerate() {
                flush(&*outlet);
                drop(outlet);
                if number % AT_A_TIME == AT_A_TIME - 1 {
                    yield_now().await;
                }
            }
            wide_until = is_wide.then(Instant::now);
        }
    }
}

/// A panic is the one outlet's misfortune.
fn flush(outlet: &dyn Outlet) {
    // The panic's own hook has said what there is to say.
    let _ = catch_unwind(AssertUnwindSafe(|| outlet.flush()));
}
