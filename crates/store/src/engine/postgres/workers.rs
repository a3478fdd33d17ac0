//! The threads on which closures run, each with a connection of its own that the thread drives itself: a query wakes no
//! other thread. They start when they are needed, and the last one that was idle is the next one to work.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use deadpool_postgres::Pool;
use domain::{Error, Noun, Result};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use super::PATIENCE;

/// Jobs that may wait.
const ROOM: usize = 4096;

/// A job, and the runtime and the connection (the only one of its pool) that it is done with.
pub(super) type Job = Box<dyn FnOnce(&Runtime, &Pool) + Send>;

/// The threads.
pub(super) struct Workers {
    shared: Arc<Shared>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared(Mutex<State>);

struct State {
    /// The connections of threads that were not started yet.
    spare: Vec<Pool>,
    /// Where each idle thread waits for a job.
    idle: Vec<oneshot::Sender<Job>>,
    waiting: VecDeque<Job>,
    closed: bool,
}

impl Workers {
    /// As many threads as pools, when they are needed.
    pub(super) fn new(pools: Vec<Pool>) -> Self {
        let state = State { spare: pools, idle: Vec::new(), waiting: VecDeque::new(), closed: false };
        Self { shared: Arc::new(Shared(Mutex::new(state))), running: Mutex::default() }
    }

    /// Does `work`; its result. `Unavailable(Store)` when too many wait, or for too long, or after the end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Runtime, &Pool) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let asked_at = Instant::now();
        let job = move |runtime: &Runtime, pool: &Pool| {
            // While the database cannot be reached, each job takes as long as a connection is tried.
            let late = asked_at.elapsed() > PATIENCE;
            let answer = if late { Err(Error::Unavailable(Noun::Store)) } else { work(runtime, pool) };
            // Nobody waits any more when the task was dropped; what was written stands all the same.
            let _ = reply.send(answer);
        };
        self.submit(Box::new(job))?;
        answer.await.unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of the database has died").into()))
    }

    fn submit(&self, mut job: Job) -> Result<()> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(Error::Unavailable(Noun::Store));
        }
        while let Some(idle) = state.idle.pop() {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(back) => job = back,
            }
        }
        if let Some(pool) = state.spare.pop() {
            drop(state);
            return self.start(pool, job);
        }
        if state.waiting.len() >= ROOM {
            return Err(Error::Unavailable(Noun::Store));
        }
        state.waiting.push_back(job);
        Ok(())
    }

    fn start(&self, pool: Pool, first: Job) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        let shared = Arc::clone(&self.shared);
        let work = move || shared.work(&runtime, &pool, first);
        let thread = thread::Builder::new().name("store-postgres".to_owned()).spawn(work);
        let thread = thread.map_err(anyhow::Error::from)?;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Does what waits, and ends the threads with their connections.
    pub(super) async fn close(&self) {
        self.shared.close();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let join = move || running.into_iter().filter_map(|thread| thread.join().err()).count();
        if !matches!(tokio::task::spawn_blocking(join).await, Ok(0)) {
            tracing::error!("a thread of the database did not end well");
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.idle.clear();
    }

    /// Does one job after another. While it waits, the runtime looks after the connection.
    fn work(&self, runtime: &Runtime, pool: &Pool, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            job(runtime, pool);
            let mut state = self.lock();
            next = state.waiting.pop_front();
            if next.is_none() && !state.closed {
                let (idle, work) = oneshot::channel();
                state.idle.push(idle);
                drop(state);
                next = runtime.block_on(work).ok();
            }
        }
    }
}
