//! One connection to the SQLite file.

use std::{path::Path, sync::Arc, thread, time::Duration};

use anyhow::{Context as _, anyhow};
use rusqlite::{
    Connection as Raw, ErrorCode, OpenFlags,
    config::DbConfig,
    ffi, params_from_iter,
    types::{ToSql, ToSqlOutput, Value, ValueRef},
};

use crate::engine::{Fault, Flavour, Row, Session, Shown, Val, text::Texts};

/// How long a statement waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it looks whether that one is done. SQLite's own handler sleeps up to 100 ms between two looks, and would
/// rarely hit the moments between the transactions of a busy writer.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// Prepared statements kept; more than the store has texts.
const STATEMENTS: usize = 256;

/// A connection with its rewritten texts.
pub(crate) struct Connection {
    pub(super) raw: Raw,
    texts: Texts,
}

impl Connection {
    /// Opens the file to write, and makes it when it is missing.
    pub(crate) fn to_write(path: &Path) -> anyhow::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Self::open(path, flags)?;
        connection.enter_wal()?;
        // FULL: in WAL mode each commit is synced, so that what was answered survives a power cut.
        // The automatic checkpoint is the bound for a writer that is never idle.
        connection.raw.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000; \
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(connection)
    }

    /// Opens the file to read. A writer has opened it before.
    pub(crate) fn to_read(path: &Path) -> anyhow::Result<Self> {
        let connection = Self::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.raw.execute_batch(
            "PRAGMA query_only = ON; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(connection)
    }

    fn open(path: &Path, flags: OpenFlags) -> anyhow::Result<Self> {
        let mut raw = Raw::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_context(|| format!("cannot open the database file {}", path.display()))?;
        raw.busy_handler(Some(|looks: i32| {
            thread::sleep(LOOK_EVERY);
            LOOK_EVERY * looks.unsigned_abs() < PATIENCE
        }))?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS);
        // Plans do not depend on the values that are bound. Otherwise SQLite (built with STAT4) prepares nearly every
        // statement anew each time it is bound.
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self { raw, texts: Texts::new(Flavour::Sqlite) })
    }

    /// Switches the write-ahead log on. Of two processes that make the file at once, one is told "busy" without the
    /// busy handler having been asked.
    fn enter_wal(&self) -> anyhow::Result<()> {
        let mut looks = 0;
        loop {
            match self.raw.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(mode) => anyhow::bail!("the database file cannot have a write-ahead log (it has {mode})"),
                Err(fault) if is_busy(&fault) && LOOK_EVERY * looks < PATIENCE => {
                    looks += 1;
                    thread::sleep(LOOK_EVERY);
                }
                Err(fault) => return Err(fault).context("cannot switch the write-ahead log on"),
            }
        }
    }

    /// A transaction that keeps other writers out from its start.
    pub(crate) fn exclusive(&mut self) -> rusqlite::Result<rusqlite::Transaction<'_>> {
        self.raw.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
    }

    /// Runs one of the words around a transaction.
    pub(super) fn word(&self, sql: &'static str) -> Result<(), Fault> {
        self.raw.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(fault)?;
        Ok(())
    }

    /// The statement in SQLite's words.
    fn text(&mut self, sql: &'static str) -> Arc<str> {
        let text = self.texts.of(sql);
        #[cfg(test)]
        crate::engine::seen::note(self.raw.path(), &text);
        text
    }

    /// Whether no transaction is open.
    pub(super) fn is_idle(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// How many rows were written since the connection was opened, by completed statements.
    pub(super) fn written(&self) -> u64 {
        self.raw.total_changes()
    }

    /// Moves what is in the log into the file, as far as nobody reads it. `mode`: `PASSIVE` or `TRUNCATE`.
    pub(super) fn checkpoint(&self, mode: &str) {
        let moved = self.raw.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        if let Err(cause) = moved {
            tracing::warn!("the checkpoint of the database failed, and is tried again later: {cause}");
        }
    }
}

impl Session for Connection {
    fn flavour(&self) -> Flavour {
        Flavour::Sqlite
    }

    fn exec(&mut self, sql: &'static str, values: &[Val]) -> Result<u64, Fault> {
        let text = self.text(sql);
        let mut statement = self.raw.prepare_cached(&text).map_err(fault)?;
        let changed = statement.execute(params_from_iter(values)).map_err(fault)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &'static str, values: &[Val]) -> Result<Vec<Row>, Fault> {
        let text = self.text(sql);
        let mut statement = self.raw.prepare_cached(&text).map_err(fault)?;
        let width = statement.column_count();
        let mut rows = statement.query(params_from_iter(values)).map_err(fault)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            let columns = (0..width).map(|index| column(row, index)).collect::<Result<_, _>>()?;
            all.push(Row::new(columns));
        }
        Ok(all)
    }

    fn each(
        &mut self,
        sql: &'static str,
        values: &[Val],
        read: &mut dyn FnMut(&mut Shown<'_>) -> domain::Result<()>,
    ) -> domain::Result<()> {
        let text = self.text(sql);
        let mut statement = self.raw.prepare_cached(&text).map_err(fault)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            read(&mut Shown::Sqlite(row, 0))?;
        }
        Ok(())
    }
}

/// The column of that number, from 0.
pub(in crate::engine) fn column(row: &rusqlite::Row<'_>, index: usize) -> Result<Val, Fault> {
    Ok(match row.get_ref(index).map_err(fault)? {
        ValueRef::Null => Val::Null,
        ValueRef::Integer(number) => Val::Int(number),
        ValueRef::Real(number) => Val::Float(number),
        ValueRef::Text(text) => Val::Text(utf8(text)?.to_owned()),
        // UUIDs mostly, and a `Uuid` needs no memory of its own; what else has 16 bytes is read from it all the same.
        ValueRef::Blob(bytes) => match <[u8; 16]>::try_from(bytes) {
            Ok(bytes) => Val::Uuid(uuid::Uuid::from_bytes(bytes)),
            Err(_) => Val::Bytes(bytes.to_vec()),
        },
    })
}

/// The text of the column of that number; `None` for NULL.
pub(in crate::engine) fn text<'a>(
    row: &'a rusqlite::Row<'_>,
    index: usize,
) -> Result<Option<&'a str>, Fault> {
    match row.get_ref(index).map_err(fault)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => utf8(text).map(Some),
        other => Err(Fault::Other(anyhow!("a column holds {other:?}, where a text was due"))),
    }
}

fn utf8(text: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(text).map_err(|cause| Fault::Other(cause.into()))
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Self::Float(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
            Self::Ints(numbers) => return json(serde_json::to_string(numbers)),
            Self::Texts(texts) => return json(serde_json::to_string(texts)),
            Self::Uuids(uuids) => {
                let hex: Vec<String> = uuids.iter().map(|uuid| uuid.simple().to_string()).collect();
                return json(serde_json::to_string(&hex));
            }
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}

/// A list, as `json_each` takes it.
fn json(list: serde_json::Result<String>) -> rusqlite::Result<ToSqlOutput<'static>> {
    let text = list.map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))?;
    Ok(ToSqlOutput::Owned(Value::Text(text)))
}

fn is_busy(fault: &rusqlite::Error) -> bool {
    matches!(
        fault.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
    )
}

pub(super) fn fault(cause: rusqlite::Error) -> Fault {
    let extended = cause.sqlite_error().map(|error| error.extended_code);
    if matches!(extended, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)) {
        Fault::Unique(cause.into())
    } else if is_busy(&cause) || cause.sqlite_error_code() == Some(ErrorCode::DiskFull) {
        tracing::warn!("the database has no room, or another process holds it: {cause}");
        Fault::Unavailable
    } else {
        Fault::Other(cause.into())
    }
}
