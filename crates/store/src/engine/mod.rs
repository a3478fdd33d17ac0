//! What the statements stand on: one small transaction type over both databases.

mod postgres;
mod queue;
mod row;
#[cfg(test)]
mod seen;
mod sqlite;
mod text;
mod value;

use domain::{Error, Event, Noun, Result};

pub(crate) use postgres::{Postgres, PostgresFault, TRIES, Turn, Turns, explained, parameters, pause, row};
pub(crate) use row::{FromVal, Row, Shown};
#[cfg(test)]
pub(crate) use seen::seen_in;
pub(crate) use sqlite::{Connection, Sqlite};
pub(crate) use text::{Flavour, rewritten};
pub(crate) use value::{Val, vals, without_nul};

/// Why a statement failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A unique constraint stands against it.
    Unique(anyhow::Error),
    /// The database cannot be reached, or has no room now.
    Unavailable,
    /// Anything else: a fault of ours, or of the machine.
    Other(anyhow::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable => Self::Unavailable(Noun::Store),
            Fault::Unique(cause) | Fault::Other(cause) => Self::Internal(cause),
        }
    }
}

/// For results whose unique constraint decides a race.
pub(crate) trait OnUnique<T> {
    /// `Conflict(noun)` when a unique constraint stood against it.
    fn or_conflict(self, noun: Noun) -> Result<T>;
}

impl<T> OnUnique<T> for Result<T, Fault> {
    fn or_conflict(self, noun: Noun) -> Result<T> {
        self.map_err(|fault| match fault {
            Fault::Unique(_) => Error::Conflict(noun),
            other => other.into(),
        })
    }
}

/// One database's side of a transaction.
pub(crate) trait Session {
    /// Which database it is.
    fn flavour(&self) -> Flavour;
    /// Runs a statement that gives no rows; the number of rows it changed.
    fn exec(&mut self, sql: &'static str, values: &[Val]) -> Result<u64, Fault>;
    /// Runs a statement that gives rows.
    fn query(&mut self, sql: &'static str, values: &[Val]) -> Result<Vec<Row>, Fault>;

    /// Runs a statement that gives rows, and shows one after another to `read`, until it fails.
    fn each(
        &mut self,
        sql: &'static str,
        values: &[Val],
        read: &mut dyn FnMut(&mut Shown<'_>) -> Result<()>,
    ) -> Result<()> {
        self.query(sql, values)?.iter_mut().try_for_each(|row| read(&mut Shown::Kept(row)))
    }
}

/// A transaction, as the closures that make up the store's methods see it.
///
/// A closure does nothing but ask the database: no I/O of its own, no waiting, no panics. It may run more than once
/// (when transactions collide on PostgreSQL, when another of the same commit is undone on SQLite), and what it told counts only when it was committed.
pub(crate) struct Tx<'a> {
    session: &'a mut dyn Session,
    told: Vec<Event>,
}

impl<'a> Tx<'a> {
    /// A transaction in which nothing has happened.
    pub(crate) fn new(session: &'a mut dyn Session) -> Self {
        Self { session, told: Vec::new() }
    }

    /// Which database it is, for the few texts that differ.
    pub(crate) fn flavour(&self) -> Flavour {
        self.session.flavour()
    }

    /// Runs a statement that gives no rows; the number of rows it changed.
    pub(crate) fn exec(&mut self, sql: &'static str, values: &[Val]) -> Result<u64, Fault> {
        self.session.exec(sql, values)
    }

    /// Runs a statement that gives rows.
    pub(crate) fn query(&mut self, sql: &'static str, values: &[Val]) -> Result<Vec<Row>, Fault> {
        self.session.query(sql, values)
    }

    /// Runs a statement that gives rows, and shows one after another to `read`, until it fails.
    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        values: &[Val],
        mut read: impl FnMut(&mut Shown<'_>) -> Result<()>,
    ) -> Result<()> {
        self.session.each(sql, values, &mut read)
    }

    /// What `read` makes of each row. Long lists take less than by [`Tx::query`]: SQLite's rows are not kept meanwhile.
    pub(crate) fn list<T>(
        &mut self,
        sql: &'static str,
        values: &[Val],
        mut read: impl FnMut(&mut Shown<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub(crate) fn first(&mut self, sql: &'static str, values: &[Val]) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// The first column of each row.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one lifetime alone"
    )]
    pub(crate) fn column<T: FromVal>(&mut self, sql: &'static str, values: &[Val]) -> Result<Vec<T>> {
        self.list(sql, values, |row| row.take())
    }

    /// Publishes `event` after the commit, if it comes to that.
    pub(crate) fn tell(&mut self, event: Event) {
        self.told.push(event);
    }

    /// What was told, for the engine to publish.
    fn into_told(self) -> Vec<Event> {
        self.told
    }
}

/// The text of a caught panic.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}

/// Publishes events in order. A listener's panic is not the store's end.
pub(crate) fn publish(bus: &dyn domain::ports::Bus, events: Vec<Event>) {
    for event in events {
        let event = std::sync::Arc::new(event);
        let published = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bus.publish(event)));
        if let Err(payload) = published {
            tracing::error!("the bus panicked: {}", panic_text(&*payload));
        }
    }
}
