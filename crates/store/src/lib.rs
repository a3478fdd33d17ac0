//! The store: everything that is kept, on SQLite or on PostgreSQL, by one body of SQL.
//!
//! ```text
//! engine/      one small transaction type over both databases; the threads and pools behind it
//! migrate.rs   numbered pairs of migrations, forward only
//! the rest     the methods of the port, in files named as the core names its areas
//! ```
//!
//! A change is on disk when its method returns, and its events are published by then, in the order of the commits.

mod accounts;
mod chats;
mod codes;
mod conversations;
mod engine;
mod history;
mod keys;
mod meetings;
mod messages;
mod migrate;
mod photos;
#[cfg(test)]
mod plans;
mod profiles;
mod relations;
mod requests;
mod rooms;
mod sessions;
mod widgets;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use domain::{
    Result,
    ports::{Bus, Health, Store},
};

pub use accounts::parts::name_parts;
use engine::{Connection, Postgres, Sqlite, Tx};
pub use meetings::Spot;
use messages::Batcher;

/// Where the database is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A file, made when it is missing; its folder is there. One server process, with others that write now and then.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:port/database`, as libpq takes it. With `sslmode=require` the connection is
    /// encrypted and the server's certificate checked.
    Postgres(String),
}

/// How much of the machine the store may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// SQLite: threads that read, at least 1.
    pub readers: usize,
    /// PostgreSQL: most connections, at least 2.
    pub connections: usize,
}

impl Default for Options {
    /// As many readers as processors, from 2 to 4; 16 connections.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self { readers: processors.clamp(2, 4), connections: 16 }
    }
}

/// The store on one database. Open it with [`SqlStore::open`].
pub struct SqlStore {
    engine: Engine,
}

/// The name under which the store is opened: `Database::open(…)`.
pub type Database = SqlStore;

enum Engine {
    Sqlite(Sqlite),
    Postgres { postgres: Postgres, batcher: Batcher },
}

impl SqlStore {
    /// Opens the database and brings it to this program's state. Events go to `bus`.
    /// To be called on a Tokio runtime of several threads. Errors are for the one who starts the program: they tell the
    /// cause (no such folder, no connection, a database that is newer than the program).
    pub async fn open(location: &Location, bus: Arc<dyn Bus>, options: Options) -> anyhow::Result<Arc<Self>> {
        let engine = match location {
            Location::Sqlite(path) => {
                let path = path.clone();
                let opened = tokio::task::spawn_blocking(move || {
                    let mut writer = Connection::to_write(&path)?;
                    migrate::sqlite(&mut writer)?;
                    Sqlite::start(&path, writer, options.readers, bus)
                });
                Engine::Sqlite(opened.await??)
            }
            Location::Postgres(url) => {
                let postgres = Postgres::new(url, options.connections.max(2), bus)?;
                migrate::postgres(&postgres).await?;
                let batcher = Batcher::start(postgres.clone());
                Engine::Postgres { postgres, batcher }
            }
        };
        Ok(Arc::new(Self { engine }))
    }

    /// Does what waits, and lets the database go: what comes afterwards is `Unavailable(Store)`.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres { postgres, batcher } => {
                batcher.close().await;
                postgres.close().await;
            }
        }
    }

    /// Makes a change: all of the closure or nothing. It may run more than once.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(work).await,
            Engine::Postgres { postgres, .. } => postgres.write(work).await,
        }
    }

    /// Reads by one query.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(false, work).await,
            Engine::Postgres { postgres, .. } => postgres.read(false, work).await,
        }
    }

    /// Reads by several queries that need not see the same state. On SQLite they do, since there one transaction costs less
    /// than several; on PostgreSQL its beginning and end would be two more trips.
    async fn together<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(true, work).await,
            Engine::Postgres { postgres, .. } => postgres.read(false, work).await,
        }
    }

    /// Reads by several queries that see the same state.
    async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(true, work).await,
            Engine::Postgres { postgres, .. } => postgres.read(true, work).await,
        }
    }
}

#[async_trait]
impl Health for SqlStore {
    async fn ping(&self) -> Result<()> {
        self.read(|tx| Ok(tx.query("SELECT 1", &[]).map(drop)?)).await
    }
}

impl Store for SqlStore {}
