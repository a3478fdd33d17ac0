//! On what, and how long, the cases of a dialect are measured.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tokio::task::LocalSet;

use crate::{
    machine, postgres, procfs, progress,
    report::{Report, Row},
    server::{Data, Database, Server},
};

/// What is not counted at the beginning of a load.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

/// Where and for how long it is measured.
#[derive(clap::Args)]
pub(crate) struct Ground {
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// A PostgreSQL where a database may be made: the cases run on it too
    #[arg(long, value_name = "URL", env = "TEST_POSTGRES_URL", hide_env_values = true)]
    postgres: Option<String>,
    /// Only on this database: `sqlite` or `postgres`
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
    /// How long each load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Waits for a line on standard input before what is measured, so that the machine can be made calm for that alone
    #[arg(long)]
    step: bool,
    /// Writes the figures there as JSON too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// One database, and the server that is measured on it.
#[derive(Clone)]
pub(crate) struct Stage {
    binary: PathBuf,
    database: Database,
    flags: &'static [&'static str],
    /// How long a load lasts.
    pub(crate) lasts: Duration,
    step: bool,
}

impl Ground {
    /// Measures the chosen cases (all where none is chosen), on each database; what was measured before a failure is in
    /// the report.
    pub(crate) async fn measure<C: ValueEnum + PartialEq>(
        &self,
        flags: &'static [&'static str],
        chosen: &[C],
        report: &mut Report,
        measure: impl AsyncFn(&C, &Stage, &mut Report) -> Result<()>,
    ) -> Result<()> {
        let all = async {
            let stages = self.stages(flags, report).await?;
            for case in C::value_variants().iter().filter(|case| chosen.is_empty() || chosen.contains(case)) {
                for stage in &stages {
                    measure(case, stage, report).await.with_context(|| {
                        let name = case.to_possible_value();
                        let name = name.as_ref().map_or("a case", |name| name.get_name());
                        format!("{name} on {}", stage.database())
                    })?;
                }
            }
            report.fact("load average after", procfs::load_average()?);
            Ok(())
        };
        LocalSet::new().run_until(all).await
    }

    /// Notes the machine, and makes a stage for each database.
    async fn stages(&self, flags: &'static [&'static str], report: &mut Report) -> Result<Vec<Stage>> {
        let binary = match &self.server {
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
        if let Some(url) = self.postgres.as_ref().filter(|url| !url.is_empty()) {
            postgres::describe(url, report).await?;
            databases.push(Database::Postgres(url.clone()));
        }
        databases.retain(|database| self.database.as_ref().is_none_or(|only| only == database.name()));
        report.fact("server settings", flags.join(" "));
        report.fact("seconds a load", self.seconds);
        let stage = |database| Stage {
            binary: binary.clone(),
            database,
            flags,
            lasts: Duration::from_secs(self.seconds),
            step: self.step,
        };
        Ok(databases.into_iter().map(stage).collect())
    }
}

impl Stage {
    /// On SQLite alone, without waiting for anybody.
    pub(crate) fn on_sqlite(binary: PathBuf, flags: &'static [&'static str], lasts: Duration) -> Self {
        Self { binary, database: Database::Sqlite, flags, lasts, step: false }
    }

    /// `sqlite` or `postgres`.
    pub(crate) fn database(&self) -> &'static str {
        self.database.name()
    }

    /// The beginning of a row.
    pub(crate) fn row(&self) -> Row {
        Row::on(self.database.name())
    }

    /// Measures, once the machine is ready for it.
    pub(crate) async fn measured<T>(&self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.step {
            progress(&format!("ready: {what} on {}; a line on standard input begins", self.database()));
            std::io::stdin().read_line(&mut String::new())?;
        }
        let load = procfs::load_average()?;
        progress(&format!("{what} on {}; load average {load}", self.database()));
        let measured = work.await;
        if self.step {
            progress("measured");
        }
        measured
    }

    /// Starts a server on new data, lets `work` use it, and stops it.
    pub(crate) async fn with_server<T>(&self, work: impl AsyncFnOnce(&Server) -> Result<T>) -> Result<T> {
        let data = Data::new(&self.binary, &self.database).await?;
        let (measured, data) = self.serve(data, work).await?;
        data.remove().await?;
        Ok(measured)
    }

    /// The same, with tables that are filled in between, while no server runs.
    pub(crate) async fn with_filled<P, T>(
        &self,
        prepare: impl AsyncFnOnce(&Server) -> Result<P>,
        fill: impl AsyncFnOnce(&Data, &P) -> Result<()>,
        work: impl AsyncFnOnce(&Server, P) -> Result<T>,
    ) -> Result<T> {
        let data = Data::new(&self.binary, &self.database).await?;
        let (prepared, data) = self.serve(data, prepare).await?;
        if let Err(fault) = fill(&data, &prepared).await {
            data.remove().await?;
            return Err(fault.context("filling the tables"));
        }
        let (measured, data) = self.serve(data, async |server| work(server, prepared).await).await?;
        data.remove().await?;
        Ok(measured)
    }

    /// Serves the data while `work` lasts. An error comes with the end of the server's log.
    async fn serve<T>(&self, data: Data, work: impl AsyncFnOnce(&Server) -> Result<T>) -> Result<(T, Data)> {
        let server = data.serve(self.flags).await?;
        match work(&server).await {
            Ok(done) => Ok((done, server.stop().await?)),
            Err(fault) => {
                let data = server.kill();
                let log = data.log();
                data.remove().await?;
                Err(fault).context(format!("the server's log ends:\n{log}"))
            }
        }
    }
}
