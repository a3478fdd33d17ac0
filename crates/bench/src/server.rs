//! The server's process, on data of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::{sync::oneshot, time::timeout};

use crate::postgres::Fresh;

/// How long a server may take to say that it is ready, or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// On what a server stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in the data directory.
    Sqlite,
    /// A new database at the PostgreSQL of this address.
    Postgres(String),
}

impl Database {
    /// `sqlite` or `postgres`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// A data directory with its database, and the process that serves them.
pub(crate) struct Server {
    process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process until its address was read.
    pub(crate) ready_in: Duration,
    data: Data,
}

/// A process that does not outlive this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is sent to one that has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a server keeps while it does not run.
pub(crate) struct Data {
    binary: PathBuf,
    home: TempDir,
    fresh: Option<Fresh>,
}

/// Where the tables of a server are, for whoever fills them while it does not run.
pub(crate) enum Tables {
    /// The database's file.
    Sqlite(PathBuf),
    /// The database's address.
    Postgres(String),
}

impl Data {
    /// Nothing yet.
    pub(crate) async fn new(binary: &Path, database: &Database) -> Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let fresh = match database {
            Database::Sqlite => None,
            Database::Postgres(admin) => {
                Some(Fresh::make(admin, MADE.fetch_add(1, Ordering::Relaxed)).await?)
            }
        };
        Ok(Self { binary: binary.to_owned(), home: tempfile::tempdir()?, fresh })
    }

    /// Starts a server on it, and waits until it is ready.
    pub(crate) async fn serve(self, flags: &[&str]) -> Result<Server> {
        let began = Instant::now();
        let mut process = Process(self.command(flags)?.spawn().context("the server cannot be started")?);
        let output = process.0.stdout.take().context("no standard output")?;
        let (said, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let mut said = Some(said);
            // Read to its end: a closed pipe would be an error for the server.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line)
                    && let Some(said) = said.take()
                {
                    let _ = said.send((address, began.elapsed()));
                }
            }
        });
        if let Ok(Ok((address, ready_in))) = timeout(PATIENCE, ready).await {
            return Ok(Server { process, address, ready_in, data: self });
        }
        drop(process);
        bail!("the server did not get ready; its log:\n{}", self.log())
    }

    /// Runs a command of the program's on this data, such as `user add`, with something to read.
    pub(crate) fn tool(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut command = self.program();
        command.args(arguments).arg("--data-dir").arg(self.home.path().join("data"));
        if let Some(fresh) = &self.fresh {
            command.arg("--database-url").arg(&fresh.url);
        }
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        process.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
        let ended = process.wait_with_output()?;
        ensure!(
            ended.status.success(),
            "{} ended with {}: {}",
            arguments.join(" "),
            ended.status,
            String::from_utf8_lossy(&ended.stderr)
        );
        Ok(())
    }

    /// The program, in the data's own surroundings.
    fn program(&self) -> Command {
        let mut command = Command::new(&self.binary);
        unsettle(&mut command);
        command.current_dir(self.home.path());
        command
    }

    fn command(&self, flags: &[&str]) -> Result<Command> {
        let mut command = self.program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.home.path().join("data"));
        if let Some(fresh) = &self.fresh {
            command.arg("--database-url").arg(&fresh.url);
        }
        let log = File::options().create(true).append(true).open(self.home.path().join("log"))?;
        command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Ok(command)
    }

    /// Where the mails are.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.home.path().join("data").join("outbox")
    }

    /// Where its tables are.
    pub(crate) fn tables(&self) -> Tables {
        match &self.fresh {
            Some(fresh) => Tables::Postgres(fresh.url.clone()),
            None => Tables::Sqlite(self.home.path().join("data").join("tertulia.db")),
        }
    }

    /// The end of what servers wrote to their standard error.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Removes the database; the directory goes by itself.
    pub(crate) async fn remove(self) -> Result<()> {
        match self.fresh {
            Some(fresh) => fresh.remove().await,
            None => Ok(()),
        }
    }
}

impl Server {
    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// What it serves.
    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    /// Stops it with SIGTERM; the error is a status other than 0.
    pub(crate) async fn stop(self) -> Result<Data> {
        let Self { mut process, data, .. } = self;
        // The standard library can only kill.
        Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status()?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = process.0.try_wait()? {
                ensure!(status.success(), "the server ended with {status}:\n{}", data.log());
                return Ok(data);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(process);
        bail!("the server did not stop; its log:\n{}", data.log())
    }

    /// Ends it at once, after something has failed.
    pub(crate) fn kill(self) -> Data {
        drop(self.process);
        self.data
    }
}

/// Takes away the settings of the person who runs this, which shall not count.
pub(crate) fn unsettle(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TERTULIA_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command.env("TERTULIA_SECRET_KEY", "a key for measurements alone, long enough to be taken");
}

/// The address in a line such as `http://127.0.0.1:8000`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'))
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_that_holds_it() {
        assert_eq!(address_in("http://127.0.0.1:8123/"), "127.0.0.1:8123".parse().ok());
        assert_eq!(address_in("ready on http://127.0.0.1:8123 now"), "127.0.0.1:8123".parse().ok());
        assert_eq!(address_in("ready"), None);
    }
}
