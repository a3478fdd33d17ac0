//! Brings a database to this program's state: numbered pairs of files, forward only, one transaction each.

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::{
    accounts::parts,
    engine::{Connection, Flavour, Postgres},
};

/// A step, in the words of each database.
struct Migration {
    /// The file's name without its extension, `0001_core`: the number comes first.
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($name:literal),* $(,)?) => { &[$(Migration {
        name: $name,
        sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
        postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
    }),*] };
}

/// All steps, in order.
const MIGRATIONS: &[Migration] = migrations![
    "0001_core",
    "0002_friends",
    "0003_meetups",
    "0004_rooms",
    "0005_boards",
    "0006_name_parts",
    "0007_positions",
];

/// The step that makes the table of the parts of names, which this program then fills.
const NAME_PARTS: &str = "0006_name_parts";

/// The steps that were taken, one row each. `number` counts from 1 without gaps.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
const APPLIED: &str = "SELECT name, checksum FROM migration ORDER BY number";

/// The PostgreSQL advisory lock that a migrating process holds ("tertulia" in ASCII).
const LOCK: &str = "SELECT pg_advisory_xact_lock(8387236825120794977)";

impl Migration {
    fn text(&self, flavour: Flavour) -> &'static str {
        match flavour {
            Flavour::Sqlite => self.sqlite,
            Flavour::Postgres => self.postgres,
        }
    }

    fn checksum(&self, flavour: Flavour) -> String {
        hex::encode(Sha256::digest(self.text(flavour)))
    }
}

/// The next step after those applied (name and checksum each), with its number.
fn next(applied: &[(String, String)], flavour: Flavour) -> anyhow::Result<Option<(i64, &'static Migration)>> {
    for (index, (name, checksum)) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(index) else {
            bail!(
                "the database is newer than this program: it has migration {name}, this program knows {} of them; \
                 use the newer program",
                MIGRATIONS.len()
            );
        };
        ensure!(
            known.name == name && known.checksum(flavour) == *checksum,
            "migration {name} of the database is not the one that this program knows as {}",
            known.name
        );
    }
    MIGRATIONS.get(applied.len()).map(|next| Ok((i64::try_from(applied.len())? + 1, next))).transpose()
}

/// Migrates the SQLite file; other processes wait meanwhile.
pub(crate) fn sqlite(connection: &mut Connection) -> anyhow::Result<()> {
    while sqlite_step(connection)? {}
    Ok(())
}

/// One transaction: `true` when a step was taken.
fn sqlite_step(connection: &mut Connection) -> anyhow::Result<bool> {
    let transaction = connection.exclusive().context("another process holds the database")?;
    transaction.execute_batch(TABLE)?;
    let applied: Vec<(String, String)> = transaction
        .prepare(APPLIED)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let Some((number, step)) = next(&applied, Flavour::Sqlite)? else { return Ok(false) };
    transaction.execute_batch(step.sqlite).with_context(|| format!("migration {} failed", step.name))?;
    if step.name == NAME_PARTS {
        parts::count_all_on_sqlite(&transaction)?;
    }
    transaction.execute(
        "INSERT INTO migration (number, name, checksum) VALUES (?1, ?2, ?3)",
        (number, step.name, step.checksum(Flavour::Sqlite)),
    )?;
    transaction.commit()?;
    tracing::info!("the database took migration {}", step.name);
    Ok(true)
}

/// Migrates the PostgreSQL database; other processes that migrate wait meanwhile.
pub(crate) async fn postgres(postgres: &Postgres) -> anyhow::Result<()> {
    let mut client = postgres.connect().await?;
    while postgres_step(&mut client).await? {}
    trigrams(&mut client).await;
    Ok(())
}

/// One transaction: `true` when a step was taken.
async fn postgres_step(client: &mut deadpool_postgres::Object) -> anyhow::Result<bool> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute(TABLE).await?;
    let applied: Vec<(String, String)> =
        transaction.query(APPLIED, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let Some((number, step)) = next(&applied, Flavour::Postgres)? else { return Ok(false) };
    transaction
        .batch_execute(step.postgres)
        .await
        .with_context(|| format!("migration {} failed", step.name))?;
    if step.name == NAME_PARTS {
        parts::count_all_on_postgres(&transaction).await?;
    }
    transaction
        .execute(
            "INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)",
            &[&number, &step.name, &step.checksum(Flavour::Postgres)],
        )
        .await?;
    transaction.commit().await?;
    tracing::info!("the database took migration {}", step.name);
    Ok(true)
}

/// Makes the search for parts of names fast where the server lets us: `pg_trgm` is not everywhere, and not everyone may
/// create it. Without it the search reads all names.
async fn trigrams(client: &mut deadpool_postgres::Object) {
    let made = async {
        let transaction = client.transaction().await?;
        transaction.batch_execute(LOCK).await?;
        transaction
            .batch_execute(
                "CREATE EXTENSION IF NOT EXISTS pg_trgm; \
                 CREATE INDEX IF NOT EXISTS account_search ON account USING gin (username_folded gin_trgm_ops)",
            )
            .await?;
        transaction.commit().await
    };
    if let Err(cause) = made.await {
        tracing::debug!("no trigram index on names: {cause}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(flavour: Flavour) -> Vec<(String, String)> {
        MIGRATIONS.iter().map(|step| (step.name.to_owned(), step.checksum(flavour))).collect()
    }

    #[test]
    fn every_file_is_embedded_under_its_number_for_both_databases() {
        for folder in ["sqlite", "postgres"] {
            let files =
                std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            let mut names: Vec<_> = files
                .map(|file| file.unwrap().file_name().into_string().unwrap().replace(".sql", ""))
                .collect();
            names.sort();
            assert_eq!(names, MIGRATIONS.iter().map(|step| step.name).collect::<Vec<_>>());
        }
        for (index, step) in MIGRATIONS.iter().enumerate() {
            assert!(step.name.starts_with(&format!("{:04}_", index + 1)), "{}", step.name);
        }
    }

    #[test]
    fn nothing_is_next_when_all_are_applied() {
        assert!(next(&applied(Flavour::Postgres), Flavour::Postgres).unwrap().is_none());
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut steps = applied(Flavour::Sqlite);
        steps.push(("9999_future".to_owned(), String::new()));
        let refusal = next(&steps, Flavour::Sqlite).err().unwrap().to_string();
        assert!(refusal.contains("newer than this program") && refusal.contains("9999_future"), "{refusal}");
    }

    #[test]
    fn a_step_that_was_changed_afterwards_is_refused() {
        let mut steps = applied(Flavour::Sqlite);
        steps[0].1.replace_range(..1, "x");
        assert!(next(&steps, Flavour::Sqlite).is_err());
    }
}
