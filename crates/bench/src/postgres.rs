//! A PostgreSQL database for one server.

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

use crate::report::Report;

/// A database that nobody else uses.
pub(crate) struct Fresh {
    admin: String,
    name: String,
    /// Its address.
    pub(crate) url: String,
}

impl Fresh {
    /// Makes one beside the database that `admin` names.
    pub(crate) async fn make(admin: &str, number: u32) -> Result<Self> {
        let name = format!("tertulia_bench_{}_{number}", std::process::id());
        let (address, query) = admin.split_once('?').unwrap_or((admin, ""));
        let (server, _) = address.rsplit_once('/').context("the PostgreSQL address names no database")?;
        let question_mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{server}/{name}{question_mark}{query}");
        connect(admin).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(Self { admin: admin.to_owned(), name, url })
    }

    /// Removes it, whoever is still connected.
    pub(crate) async fn remove(self) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        Ok(connect(&self.admin).await?.batch_execute(&drop).await?)
    }
}

/// Notes the settings of the server that decide how durable and how fast it is.
pub(crate) async fn describe(admin: &str, report: &mut Report) -> Result<()> {
    let client = connect(admin).await?;
    for name in ["server_version", "fsync", "synchronous_commit", "shared_buffers"] {
        let row = client.query_one("SELECT current_setting($1)", &[&name]).await?;
        report.fact(&format!("PostgreSQL {name}"), row.try_get::<_, String>(0)?);
    }
    Ok(())
}

/// Connects.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("connecting to PostgreSQL")?;
    tokio::spawn(async move {
        // Its errors come out of the client too.
        let _ = connection.await;
    });
    Ok(client)
}
