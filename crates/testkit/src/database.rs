//! The databases that tests run on.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tokio_postgres::NoTls;

/// The environment variable with the address of a PostgreSQL where databases may be made: `postgres://app@127.0.0.1:5555/postgres`.
pub const ADMIN_URL: &str = "TEST_POSTGRES_URL";

/// On what a test's server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in the data directory.
    Sqlite,
    /// A new database at the PostgreSQL of this address.
    Postgres(String),
}

impl Database {
    /// The databases to test on. Without [`ADMIN_URL`] that is SQLite alone, and standard error says so.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        match std::env::var(ADMIN_URL) {
            Ok(url) if !url.is_empty() => all.push(Self::Postgres(url)),
            _ => crate::say(&format!("PostgreSQL is left out: {ADMIN_URL} is not set.")),
        }
        all
    }

    /// `sqlite` or `postgres`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// A PostgreSQL database that is dropped with this value.
#[derive(Debug)]
pub(crate) struct Fresh {
    admin: String,
    name: String,
    /// Its address.
    pub(crate) url: String,
}

impl Fresh {
    /// Makes a database next to the one that `admin` names.
    pub(crate) fn at(admin: &str) -> Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("tertulia_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let (address, query) =
            admin.split_once('?').map_or((admin, None), |(address, query)| (address, Some(query)));
        let (server, _) = address.rsplit_once('/').context("the PostgreSQL address names no database")?;
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{server}/{name}{query}");
        run(admin, &[&format!("DROP DATABASE IF EXISTS {name}"), &format!("CREATE DATABASE {name}")])?;
        Ok(Self { admin: admin.to_owned(), name, url })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // A database that cannot be dropped is litter, not a failed test.
        let _ = run(&self.admin, &[&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)]);
    }
}

/// Runs statements, each alone, on a thread of its own: callers may be inside a runtime.
fn run(url: &str, statements: &[&str]) -> Result<()> {
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.context("connecting to PostgreSQL")?;
            let driver = tokio::spawn(connection);
            for statement in statements {
                client.batch_execute(statement).await.with_context(|| (*statement).to_owned())?;
            }
            drop(client);
            driver.await??;
            Ok(())
        })
    };
    std::thread::scope(|scope| scope.spawn(work).join())
        .map_err(|_| anyhow::anyhow!("the database thread panicked"))?
}
