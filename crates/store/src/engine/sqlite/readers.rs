//! The threads that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use domain::Result;
use tokio::sync::oneshot;

use super::connection::Connection;
use crate::engine::{
    Tx, panic_text,
    queue::{Queue, Taken},
};

/// A reading that waits for a thread.
pub(super) type Reading = Box<dyn FnOnce(&mut Connection) + Send>;

/// Runs until the queue is closed and empty.
pub(super) fn run(mut connection: Connection, queue: &Queue<Reading>) {
    let mut next = Vec::with_capacity(1);
    while queue.take(&mut next, 1, None) == Taken::Some {
        next.drain(..).for_each(|reading| reading(&mut connection));
    }
}

/// A reading that answers `reply`. With `snapshot`, all its queries see the same state of the database.
pub(super) fn reading<T, F>(work: F, snapshot: bool, reply: oneshot::Sender<Result<T>>) -> Reading
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    Box::new(move |connection| {
        // Nobody waits any more when the task was dropped: then there is nothing to read for.
        if !reply.is_closed() {
            let _ = reply.send(read(connection, work, snapshot));
        }
    })
}

fn read<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    snapshot: bool,
) -> Result<T> {
    if snapshot {
        connection.word("BEGIN DEFERRED")?;
    }
    let answer = catch_unwind(AssertUnwindSafe(|| work(&mut Tx::new(connection))))
        .unwrap_or_else(|payload| Err(anyhow!("a reading panicked: {}", panic_text(&*payload)).into()));
    if !connection.is_idle() {
        connection.word("ROLLBACK")?;
    }
    answer
}
