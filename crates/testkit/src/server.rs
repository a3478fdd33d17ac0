//! The real binary, on data of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::database::{Database, Fresh};

/// How long a server may take to say that it is ready, or to stop. Debug builds on busy machines are slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// A data directory, a database, and the process that serves them while it runs.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    flags: Vec<String>,
    process: Option<Process>,
    log: Arc<Mutex<String>>,
    home: TempDir,
    fresh: Option<Fresh>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    address: SocketAddr,
}

/// What a command of the command line did.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status; -1 when a signal ended it.
    pub status: i32,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Server {
    /// Prepares empty data. Nothing runs yet: commands can make accounts first.
    pub fn prepare(binary: &Path, database: &Database, flags: Vec<String>) -> Result<Self> {
        let fresh = match database {
            Database::Sqlite => None,
            Database::Postgres(admin) => Some(Fresh::at(admin)?),
        };
        Ok(Self {
            binary: binary.to_owned(),
            flags,
            process: None,
            log: Arc::default(),
            home: tempfile::tempdir()?,
            fresh,
        })
    }

    /// Prepares empty data and starts the server on it.
    pub fn start_new(binary: &Path, database: &Database, flags: Vec<String>) -> Result<Self> {
        let mut server = Self::prepare(binary, database, flags)?;
        server.start()?;
        Ok(server)
    }

    /// Starts the server and waits until it has printed its address.
    pub fn start(&mut self) -> Result<()> {
        let mut command = self.command();
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(&self.flags);
        let mut child = self
            .on_data(&mut command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (said, ready) = mpsc::channel();
        let output = child.stdout.take().context("no standard output")?;
        let errors = child.stderr.take().context("no standard error")?;
        let written = keep(Arc::clone(&self.log), errors, None);
        keep(Arc::clone(&self.log), output, Some(said));
        if let Ok(address) = ready.recv_timeout(PATIENCE) {
            self.process = Some(Process { child, address });
            Ok(())
        } else {
            let _ = child.kill();
            let _ = child.wait();
            let _ = written.join();
            bail!("the server did not print its address; its log:\n{}", self.log())
        }
    }

    /// Where the server listens.
    pub fn address(&self) -> Result<SocketAddr> {
        self.process.as_ref().map(|process| process.address).context("the server is not running")
    }

    /// Asks the server to stop (SIGTERM) and waits until it has; the error is an exit status other than 0.
    pub fn stop(&mut self) -> Result<()> {
        self.begin_stop()?;
        self.end_stop()
    }

    /// Sends SIGTERM, and does not wait.
    pub fn begin_stop(&self) -> Result<()> {
        let process = self.process.as_ref().context("the server is not running")?;
        // The standard library can only kill.
        let sent = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { bail!("no signal could be sent") }
    }

    /// Waits until the server has ended after [`Server::begin_stop`].
    pub fn end_stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        for _ in 0..PATIENCE.as_millis() / 20 {
            if let Some(status) = process.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    bail!("the server ended with {status}:\n{}", self.log())
                };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = process.child.kill();
        let _ = process.child.wait();
        bail!("the server did not stop; its log:\n{}", self.log())
    }

    /// Ends the server with SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        process.child.kill()?;
        process.child.wait()?;
        Ok(())
    }

    /// Runs a command of the command line on the same data, with `input` as its standard input.
    pub fn cli<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S], input: &str) -> Result<Outcome> {
        let mut command = self.command();
        command.args(arguments);
        let mut child = self
            .on_data(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads nothing may have ended already.
            let _ = stdin.write_all(input.as_bytes());
        }
        let done = child.wait_with_output()?;
        Ok(Outcome {
            status: done.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&done.stdout).into_owned(),
            errors: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Where the mails are.
    pub fn outbox(&self) -> PathBuf {
        self.data_dir().join("outbox")
    }

    /// What the server wrote to its standard output and error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The binary, with no settings from the environment or the working directory of the test.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.home.path());
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TERTULIA_"))
        {
            command.env_remove(name);
        }
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        command.env("TERTULIA_SECRET_KEY", "a key for tests alone, long enough to be taken");
        command
    }

    fn on_data<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.arg("--data-dir").arg(self.data_dir());
        match &self.fresh {
            Some(fresh) => command.arg("--database-url").arg(&fresh.url),
            None => command,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            let _ = self.kill();
        }
    }
}

/// Copies what the process writes into the log, and says the address once, when a line holds one.
fn keep(
    log: Arc<Mutex<String>>,
    from: impl Read + Send + 'static,
    said: Option<mpsc::Sender<SocketAddr>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let address = line.split_once("http://").and_then(|(_, rest)| {
                rest.split(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'))
                    .next()?
                    .parse()
                    .ok()
            });
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
            drop(log);
            if let (Some(said), Some(address)) = (&said, address) {
                let _ = said.send(address);
            }
        }
    })
}
