//! The one thread that writes: many changes a commit, so that a sync of the disk is shared by all who wait for one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use domain::{Error, Event, Noun, Result, ports::Bus};
use tokio::sync::oneshot;

use super::connection::Connection;
use crate::engine::{
    Fault, Session, Tx, panic_text, publish,
    queue::{Queue, Taken},
};

/// Most changes in one commit.
const BATCH: usize = 256;

/// After so long without work, the log is moved into the file.
const IDLE: Duration = Duration::from_millis(200);

/// A commit that takes longer than this (the disk's sync, mostly) is worth waiting for the tasks of the last batch.
const DEAR: Duration = Duration::from_micros(500);

/// How long to wait at a time, and how often at most.
const GATHER: (Duration, usize) = (Duration::from_micros(60), 10);

/// A change that waits for its turn.
pub(super) trait Change: Send {
    /// Makes the change, perhaps once more after it was undone; `Some` of what it tells when it was made, `None` when it must be undone.
    fn make(&mut self, session: &mut dyn Session) -> Option<Vec<Event>>;

    /// Answers the task that waits, after the commit or with the reason why there was none.
    fn answer(self: Box<Self>, failure: Option<&Failure>);
}

/// Why a whole batch was not committed.
pub(super) enum Failure {
    /// Another process held the file for too long, or the disk is full.
    Unavailable,
    /// Anything else.
    Other(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable => Self::Unavailable,
            Fault::Unique(cause) | Fault::Other(cause) => Self::Other(format!("{cause:#}")),
        }
    }
}

/// A closure and the task that waits for its result.
pub(super) struct Waiting<T, F> {
    work: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Waiting<T, F> {
    /// The change that `work` makes, and where its result will be.
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work, outcome: None, reply }, answer)
    }
}

impl<T, F> Change for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send,
{
    fn make(&mut self, session: &mut dyn Session) -> Option<Vec<Event>> {
        let mut tx = Tx::new(session);
        let made = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut tx)));
        let outcome = made
            .unwrap_or_else(|payload| Err(anyhow!("a change panicked: {}", panic_text(&*payload)).into()));
        let told = outcome.is_ok().then(|| tx.into_told());
        self.outcome = Some(outcome);
        told
    }

    fn answer(self: Box<Self>, failure: Option<&Failure>) {
        let answer = match (failure, self.outcome) {
            (None, Some(outcome)) => outcome,
            (None, None) => Err(anyhow!("a change was answered before it was made").into()),
            (Some(Failure::Unavailable), _) => Err(Error::Unavailable(Noun::Store)),
            (Some(Failure::Other(cause)), _) => Err(anyhow!("the commit failed: {cause}").into()),
        };
        // Nobody waits any more when the task was dropped; the change stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// Runs until the queue is closed and empty.
pub(super) fn run(mut connection: Connection, queue: &Queue<Box<dyn Change>>, bus: &Arc<dyn Bus>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut log_grew = true;
    let mut expected = 0;
    loop {
        match queue.take(&mut batch, BATCH, log_grew.then_some(IDLE)) {
            Taken::Some => {
                gather(queue, &mut batch, expected);
                let count = batch.len();
                let start = Instant::now();
                commit_batch(&mut connection, &mut batch, &**bus);
                expected = if start.elapsed() > DEAR { count } else { 0 };
                log_grew = true;
            }
            Taken::Nothing => {
                connection.checkpoint("PASSIVE");
                log_grew = false;
            }
            Taken::Closed => break,
        }
    }
    connection.checkpoint("TRUNCATE");
}

/// Waits a moment while changes keep coming, until there are as many as in the last batch: the tasks that were just
/// answered often come back at once, and without this the first of them would have a dear commit for itself.
fn gather(queue: &Queue<Box<dyn Change>>, batch: &mut Vec<Box<dyn Change>>, expected: usize) {
    for _ in 0..GATHER.1 {
        if batch.len() >= expected.min(BATCH) {
            return;
        }
        thread::sleep(GATHER.0);
        let room = BATCH - batch.len();
        if queue.take_now(batch, room) == 0 {
            return;
        }
    }
}

/// Makes all changes of the batch in one transaction, publishes what they told, then answers.
fn commit_batch(connection: &mut Connection, batch: &mut Vec<Box<dyn Change>>, bus: &dyn Bus) {
    match make_all(connection, batch) {
        Ok(told) => {
            publish(bus, told);
            batch.drain(..).for_each(|change| change.answer(None));
        }
        Err(fault) => {
            if !connection.is_idle()
                && let Err(cause) = connection.word("ROLLBACK")
            {
                tracing::error!("the rollback of a batch failed: {cause:?}");
            }
            let failure = Failure::from(fault);
            batch.drain(..).for_each(|change| change.answer(Some(&failure)));
        }
    }
}

fn make_all(connection: &mut Connection, batch: &mut [Box<dyn Change>]) -> Result<Vec<Event>, Fault> {
    if let Some(told) = make_at_once(connection, batch)? {
        return Ok(told);
    }
    connection.word("ROLLBACK")?;
    make_one_by_one(connection, batch)
}

/// Makes all changes of the batch in one transaction; `None`, and the transaction still open, when one of them has to be
/// undone, which only the whole transaction could be. Changes that wrote nothing have nothing to undo.
///
/// A savepoint for each change would copy every page anew that it writes to.
fn make_at_once(
    connection: &mut Connection,
    batch: &mut [Box<dyn Change>],
) -> Result<Option<Vec<Event>>, Fault> {
    let mut told = Vec::with_capacity(batch.len());
    connection.word("BEGIN IMMEDIATE")?;
    for change in batch {
        let before = connection.written();
        match change.make(connection) {
            Some(events) => told.extend(events),
            None if connection.is_idle() => return Err(given_up()),
            None if connection.written() == before => {}
            None => return Ok(None),
        }
    }
    connection.word("COMMIT")?;
    Ok(Some(told))
}

/// Makes all changes of the batch in one transaction, without those that have to be undone.
fn make_one_by_one(connection: &mut Connection, batch: &mut [Box<dyn Change>]) -> Result<Vec<Event>, Fault> {
    let mut told = Vec::with_capacity(batch.len());
    connection.word("BEGIN IMMEDIATE")?;
    for change in batch {
        connection.word("SAVEPOINT change")?;
        match change.make(connection) {
            Some(events) => told.extend(events),
            None if connection.is_idle() => return Err(given_up()),
            None => connection.word("ROLLBACK TO change")?,
        }
        connection.word("RELEASE change")?;
    }
    connection.word("COMMIT")?;
    Ok(told)
}

/// On some errors (a full disk) SQLite ends the whole transaction by itself.
fn given_up() -> Fault {
    Fault::Other(anyhow!("the transaction was given up by the database"))
}
