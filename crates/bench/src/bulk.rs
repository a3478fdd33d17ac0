//! Tables filled directly, while no server runs: ten million rows in minutes.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::SinkExt;
use rusqlite::{ToSql, params_from_iter, types::ToSqlOutput};
use tokio_postgres::Client;

use crate::{postgres, server::Tables};

/// Bytes of `COPY` that are sent at once.
const CHUNK: usize = 1 << 20;

/// One value of a row.
pub(crate) enum Cell {
    /// `NULL`.
    Null,
    /// An integer.
    Int(i64),
    /// A real number.
    Real(f64),
    /// Yes or no.
    Truth(bool),
    /// A text without tabs, line ends and backslashes.
    Text(String),
    /// A UUID.
    Uuid(u128),
}

/// A connection that fills tables.
pub(crate) enum Bulk {
    Sqlite(rusqlite::Connection),
    Postgres(Client),
}

impl Bulk {
    /// Opens the tables. Nothing is synced until [`Bulk::close`].
    pub(crate) async fn open(tables: &Tables) -> Result<Self> {
        match tables {
            Tables::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.execute_batch(
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                     PRAGMA foreign_keys = OFF; PRAGMA cache_size = -3000000; PRAGMA temp_store = MEMORY;",
                )?;
                Ok(Self::Sqlite(connection))
            }
            Tables::Postgres(url) => {
                let client = postgres::connect(url).await?;
                // Foreign keys are triggers there; what is filled in keeps them by itself.
                client
                    .batch_execute(
                        "SET session_replication_role = replica; SET maintenance_work_mem = '1GB';
                         SET synchronous_commit = off",
                    )
                    .await?;
                Ok(Self::Postgres(client))
            }
        }
    }

    /// Runs a statement in the words of both databases.
    pub(crate) async fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql)?,
            Self::Postgres(client) => client.batch_execute(sql).await?,
        }
        Ok(())
    }

    /// The number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> Result<i64> {
        Ok(match self {
            Self::Sqlite(connection) => connection.query_row(sql, [], |row| row.get(0))?,
            Self::Postgres(client) => client.query_one(sql, &[]).await?.try_get(0)?,
        })
    }

    /// The texts that a query gives.
    pub(crate) async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        Ok(match self {
            Self::Sqlite(connection) => {
                connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
            }
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).await?;
                rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?
            }
        })
    }

    /// Adds rows with the values of these columns, in one transaction.
    pub(crate) async fn fill(
        &self,
        table: &str,
        columns: &str,
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(connection) => fill_sqlite(connection, table, columns, rows),
            Self::Postgres(client) => fill_postgres(client, table, columns, rows).await,
        }
        .with_context(|| format!("filling {table}"))
    }

    /// Lets the tables go.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().map_err(|(_, fault)| fault.into()),
            Self::Postgres(client) => Ok(client.batch_execute("CHECKPOINT").await?),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::from(rusqlite::types::Null),
            Self::Int(number) => ToSqlOutput::from(*number),
            Self::Real(number) => ToSqlOutput::from(*number),
            Self::Truth(truth) => ToSqlOutput::from(*truth),
            Self::Text(text) => ToSqlOutput::from(text.as_str()),
            Self::Uuid(uuid) => ToSqlOutput::from(uuid.to_be_bytes().to_vec()),
        })
    }
}

fn fill_sqlite(
    connection: &rusqlite::Connection,
    table: &str,
    columns: &str,
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<()> {
    let places = vec!["?"; columns.split(',').count()].join(",");
    connection.execute_batch("BEGIN")?;
    let mut insert = connection.prepare(&format!("INSERT INTO {table} ({columns}) VALUES ({places})"))?;
    for row in rows {
        insert.execute(params_from_iter(row))?;
    }
    Ok(connection.execute_batch("COMMIT")?)
}

async fn fill_postgres(
    client: &Client,
    table: &str,
    columns: &str,
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<()> {
    let rebuild = without_indexes(client, table).await?;
    let sink = client.copy_in::<_, Bytes>(&format!("COPY {table} ({columns}) FROM STDIN")).await?;
    let mut sink = std::pin::pin!(sink);
    let mut text = String::with_capacity(CHUNK + 4096);
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                text.push('\t');
            }
            write(cell, &mut text)?;
        }
        text.push('\n');
        if text.len() >= CHUNK {
            sink.send(Bytes::from(std::mem::take(&mut text))).await?;
            text.reserve(CHUNK + 4096);
        }
    }
    sink.send(Bytes::from(text)).await?;
    sink.finish().await?;
    for statement in rebuild {
        client.batch_execute(&statement).await?;
    }
    // As autovacuum would have done in time.
    Ok(client.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await?)
}

/// Drops the indexes and unique constraints of a table but its primary key; what makes them again.
async fn without_indexes(client: &Client, table: &str) -> Result<Vec<String>> {
    const CONSTRAINTS: &str = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'u'";
    const INDEXES: &str = "SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
        FROM pg_index i WHERE indrelid = $1::text::regclass
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)";
    let mut rebuild = Vec::new();
    for query in [CONSTRAINTS, INDEXES] {
        for row in client.query(query, &[&table]).await? {
            client.batch_execute(row.try_get(0)?).await?;
            rebuild.push(row.try_get(1)?);
        }
    }
    Ok(rebuild)
}

/// Writes a value as `COPY` reads it.
fn write(cell: &Cell, text: &mut String) -> Result<()> {
    use std::fmt::Write as _;
    match cell {
        Cell::Null => text.push_str("\\N"),
        Cell::Int(number) => write!(text, "{number}")?,
        Cell::Real(number) => write!(text, "{number}")?,
        Cell::Truth(truth) => text.push(if *truth { 't' } else { 'f' }),
        Cell::Uuid(uuid) => write!(text, "{uuid:032x}")?,
        Cell::Text(value) => {
            ensure!(!value.contains(['\t', '\n', '\r', '\\']), "{value:?} would have to be escaped");
            text.push_str(value);
        }
    }
    Ok(())
}

/// Numbers without a pattern, the same in every run: splitmix64.
pub(crate) struct Dice(u64);

impl Dice {
    /// A new series.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to 1, without 1.
    pub(crate) fn part(&mut self) -> f64 {
        crate::number::real(self.bits() >> 11) / crate::number::real(1 << 53)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A random UUID.
    pub(crate) fn uuid(&mut self) -> u128 {
        let bits = (u128::from(self.bits()) << 64) | u128::from(self.bits());
        (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_the_same_way_in_every_run_and_within_their_bounds() {
        let throws = |seed| {
            let mut dice = Dice::new(seed);
            [dice.bits(), dice.bits(), dice.bits()]
        };
        assert_eq!(throws(1), throws(1));
        assert_ne!(throws(1), throws(2));
        let mut dice = Dice::new(3);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&dice.part()) && dice.below(7) < 7));
        assert_eq!(format!("{:032x}", dice.uuid()).as_bytes()[12], b'4');
    }

    #[test]
    fn values_are_written_as_copy_reads_them() {
        let mut text = String::new();
        let cells = [
            Cell::Null,
            Cell::Int(-3),
            Cell::Real(0.5),
            Cell::Truth(true),
            Cell::Text("a b".into()),
            Cell::Uuid(7),
        ];
        cells.iter().try_for_each(|cell| write(cell, &mut text)).unwrap();
        assert_eq!(text, format!("\\N-30.5ta b{:032x}", 7));
        assert!(write(&Cell::Text("a\tb".into()), &mut text).is_err());
    }
}
