//! The database.

use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::ports::Health;
use realtime::LocalBus;
use store::{Database, Location, Options};
use tokio::time::timeout;

use super::Finding;
use crate::{
    place::{self, DataDir},
    settings::Place,
};

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the database as a server would, and asks it something.
pub(super) async fn check(data: &DataDir, place: &Place) -> Finding {
    let location = match place::location(data, place) {
        Ok(location) => location,
        Err(fault) => return Finding::Fail(fault.to_string()),
    };
    let kind = match &location {
        Location::Sqlite(path) if !path.exists() => {
            return Finding::Ok("SQLite, not there yet; `tertulia serve` makes it".to_owned());
        }
        Location::Sqlite(path) => format!("SQLite, {}", path.display()),
        Location::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let asked = timeout(PATIENCE, ask(&location)).await;
    let asked = asked.unwrap_or_else(|_| Err(anyhow!("no answer in {} s", PATIENCE.as_secs())));
    Finding::of(asked.map(|()| format!("{kind}; it opens and answers")).map_err(|fault| fault.context(kind)))
}

async fn ask(location: &Location) -> Result<()> {
    let bus = LocalBus::new();
    let database = Database::open(location, bus, Options { readers: 1, connections: 2 }).await?;
    let answer = database.ping().await;
    database.close().await;
    answer.map_err(|error| anyhow!("it opens, but does not answer: {error:?}"))
}
