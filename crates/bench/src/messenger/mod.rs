//! The cases of the first dialect.

mod durable;
mod fanout;
mod frames;
mod idle;
mod logins;
mod people;
mod reads;
mod start;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tokio::task::LocalSet;

use crate::{
    Options, machine, postgres, procfs, progress,
    report::{Report, Row},
    server::{Data, Database, Server},
};

/// Settings of every server that is measured, but for the start: nothing is refused for being too much.
const FLAGS: [&str; 10] = [
    "--message-rate",
    "off",
    "--codes-account",
    "off",
    "--codes-address",
    "off",
    "--sign-in-failures-account",
    "off",
    "--sign-in-failures-address",
    "off",
];

/// What is not counted at the beginning of a load.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long what is under way may take to arrive once a load has ended.
const DRAIN: Duration = Duration::from_secs(30);

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Case {
    /// From start to ready, memory and size
    Start,
    /// Sign-ins, beside Argon2id alone
    Logins,
    /// 64 people send, and each message is acknowledged by its echo
    DurableSends,
    /// One conversation with many open sockets
    FanOut,
    /// Many sockets on which nothing happens
    Idle,
    /// The list of people, and a history
    Reads,
}

impl Case {
    fn title(self) -> &'static str {
        match self {
            Self::Start => "Start, memory, size",
            Self::Logins => "Logins",
            Self::DurableSends => "Durable sends",
            Self::FanOut => "Fan-out",
            Self::Idle => "Idle sockets",
            Self::Reads => "Reads",
        }
    }
}

/// On what, and how long, a case is measured.
pub(crate) struct Stage {
    binary: PathBuf,
    database: Database,
    /// How long a load lasts.
    lasts: Duration,
    fanout_sockets: u32,
    idle_sockets: u32,
}

/// Runs the cases, on each database; what was measured before a failure is in the report.
pub(crate) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    LocalSet::new().run_until(run_all(options, report)).await
}

async fn run_all(options: &Options, report: &mut Report) -> Result<()> {
    let binary = match &options.server {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("tertulia"),
    };
    ensure!(
        binary.is_file(),
        "there is no {}: build it by `cargo build --release -p tertulia-server`, or name it by --server",
        binary.display()
    );
    machine::describe(report)?;
    let mut databases = vec![Database::Sqlite];
    if let Some(url) = options.postgres.as_ref().filter(|url| !url.is_empty()) {
        postgres::describe(url, report).await?;
        databases.push(Database::Postgres(url.clone()));
    }
    report.fact("server settings", FLAGS.join(" "));
    report.fact("seconds a load", options.seconds);
    databases.retain(|database| options.database.as_ref().is_none_or(|only| only == database.name()));
    for case in Case::value_variants() {
        if !options.only.is_empty() && !options.only.contains(case) {
            continue;
        }
        for database in &databases {
            progress(&format!("{} on {}", case.title(), database.name()));
            let stage = Stage {
                binary: binary.clone(),
                database: database.clone(),
                lasts: Duration::from_secs(options.seconds),
                fanout_sockets: options.fanout_sockets,
                idle_sockets: options.idle_sockets,
            };
            let rows = stage.run(*case).await;
            let rows = rows.with_context(|| format!("{} on {}", case.title(), database.name()))?;
            report.add(case.title(), rows);
        }
    }
    report.fact("load average after", procfs::load_average()?);
    Ok(())
}

impl Stage {
    async fn run(&self, case: Case) -> Result<Vec<Row>> {
        match case {
            Case::Start => start::run(self).await,
            Case::Logins => logins::run(self).await,
            Case::DurableSends => durable::run(self).await,
            Case::FanOut => fanout::run(self).await,
            Case::Idle => idle::run(self).await,
            Case::Reads => reads::run(self).await,
        }
    }

    /// The beginning of a row.
    fn row(&self) -> Row {
        Row::on(self.database.name())
    }

    /// Starts a server on new data, lets `work` measure it, and stops it.
    async fn with_server<T>(&self, work: impl AsyncFnOnce(&Server) -> Result<T>) -> Result<T> {
        let data = Data::new(&self.binary, &self.database).await?;
        let (measured, data) = serve(data, work).await?;
        data.remove().await?;
        Ok(measured)
    }

    /// The same with a server that is stopped and started again between `prepare` and `work`, so that `work` meets
    /// a process that has done nothing yet.
    async fn with_rested_server<P, T>(
        &self,
        prepare: impl AsyncFnOnce(&Server) -> Result<P>,
        work: impl AsyncFnOnce(&Server, P) -> Result<T>,
    ) -> Result<T> {
        let data = Data::new(&self.binary, &self.database).await?;
        let (prepared, data) = serve(data, prepare).await?;
        let (measured, data) = serve(data, async |server| work(server, prepared).await).await?;
        data.remove().await?;
        Ok(measured)
    }
}

/// Serves the data while `work` lasts. An error comes with the end of the server's log.
async fn serve<T>(data: Data, work: impl AsyncFnOnce(&Server) -> Result<T>) -> Result<(T, Data)> {
    let server = data.serve(&FLAGS).await?;
    match work(&server).await {
        Ok(done) => Ok((done, server.stop().await?)),
        Err(fault) => {
            let data = server.kill();
            let log = data.log();
            data.remove().await?;
            Err(fault.context(format!("the server's log ends:\n{log}")))
        }
    }
}
