//! SQLite: one thread writes, a few read.

mod connection;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, anyhow};
use domain::{Error, Noun, Result, ports::Bus};
use tokio::sync::oneshot;

pub(crate) use connection::Connection;
pub(super) use connection::{column, text};

use self::{readers::Reading, writer::Change};
use super::{Tx, queue::Queue};

/// Changes, and readings, that may wait.
const ROOM: usize = 4096;

/// The SQLite side of the store.
pub(crate) struct Sqlite {
    changes: Arc<Queue<Box<dyn Change>>>,
    readings: Arc<Queue<Reading>>,
    threads: Mutex<Threads>,
}

/// The threads, until they are joined.
#[derive(Default)]
struct Threads {
    writer: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
}

impl Sqlite {
    /// Starts the threads on a migrated file. `writer` is the connection that migrated it.
    pub(crate) fn start(
        path: &Path,
        writer: Connection,
        readers: usize,
        bus: Arc<dyn Bus>,
    ) -> anyhow::Result<Self> {
        let changes = Arc::new(Queue::new(ROOM));
        let readings = Arc::new(Queue::new(ROOM));
        let mut threads = Threads::default();
        for number in 0..readers.max(1) {
            let connection = Connection::to_read(path)?;
            let queue = Arc::clone(&readings);
            let work = move || readers::run(connection, &queue);
            threads.readers.push(spawn(format!("store-read-{number}"), work)?);
        }
        let queue = Arc::clone(&changes);
        threads.writer = Some(spawn("store-write".to_owned(), move || writer::run(writer, &queue, &bus))?);
        Ok(Self { changes, readings, threads: Mutex::new(threads) })
    }

    /// Makes a change, together with others that wait.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (change, answer) = writer::Waiting::new(work);
        self.changes.push(Box::new(change)).map_err(|_| Error::Unavailable(Noun::Store))?;
        answered(answer).await
    }

    /// Reads what was committed before. With `snapshot`, all queries see the same state.
    pub(crate) async fn read<T, F>(&self, snapshot: bool, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let reading = readers::reading(work, snapshot, reply);
        self.readings.push(reading).map_err(|_| Error::Unavailable(Noun::Store))?;
        answered(answer).await
    }

    /// Does what waits, moves the log into the file, and ends the threads.
    pub(crate) async fn close(&self) {
        self.changes.close();
        self.readings.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            threads.readers.into_iter().chain(threads.writer).filter_map(|thread| thread.join().err()).count()
        });
        if !matches!(joined.await, Ok(0)) {
            tracing::error!("a thread of the database did not end well");
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The threads end by themselves when they have done what waits.
        self.changes.close();
        self.readings.close();
    }
}

async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(anyhow!("a thread of the database has died").into()))
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(work).context("cannot start a thread for the database")
}
