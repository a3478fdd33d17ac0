//! A contender's process: from its start until it is stopped.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{
    cases::Case,
    contender::{Contender, Installed, Place},
};
use crate::{
    http::{Connection, get},
    meter::Meter,
    procfs::{self, KernelMemory},
};

/// How long a server may take to answer for the first time, or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two attempts to ask whether it serves.
const ASKED_EVERY: Duration = Duration::from_millis(1);

/// Data of one contender, and what starts servers on it.
pub(crate) struct Site {
    pub(crate) contender: Rc<dyn Contender>,
    pub(crate) installed: Installed,
    case: Case,
    home: TempDir,
}

/// A server that runs.
pub(crate) struct Running {
    site: Site,
    child: Group,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The processes of its group, found when it was ready.
    pub(crate) pids: Vec<u32>,
    /// From the start of the process until its first answer came.
    pub(crate) ready_in: Duration,
    /// Memory once it had answered for the first time.
    pub(crate) at_rest: Memory,
}

/// Memory at one time.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Resident memory of a server's processes, in bytes.
    pub(crate) server: u64,
    /// The kernel's.
    pub(crate) kernel: KernelMemory,
}

impl Memory {
    fn of(pids: &[u32]) -> Result<Self> {
        let server = pids.iter().map(|pid| procfs::resident(*pid)).sum::<Result<_>>()?;
        Ok(Self { server, kernel: procfs::kernel_memory()? })
    }
}

/// A process and what it has started; they do not outlive this value.
struct Group(Child);

impl Group {
    /// The standard library can only kill, and only one process.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("-KILL");
        let _ = self.0.wait();
    }
}

impl Site {
    /// Makes an empty data folder for this contender.
    pub(crate) async fn new(contender: Rc<dyn Contender>, installed: Installed, case: Case) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("compare-").tempdir()?;
        let site = Self { contender, installed, case, home };
        std::fs::create_dir(site.home.path().join("data"))?;
        let data = site.home.path().join("data");
        site.contender.prepare(&site.installed, &data).await.context("preparing the data folder")?;
        Ok(site)
    }

    /// Starts a server on the data and waits for its first answer.
    pub(crate) async fn serve(self) -> Result<Running> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let place = Place { data: self.home.path().join("data"), port };
        let mut command = self.contender.command(&self.installed, &place, self.case)?;
        let log = File::options().create(true).append(true).open(self.home.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let began = Instant::now();
        let mut child = Group(command.spawn().context("it cannot be started")?);
        let ask = get(self.contender.ready(), "");
        while began.elapsed() < PATIENCE {
            if answers(address, &ask).await {
                let ready_in = began.elapsed();
                let pids = procfs::group(child.0.id())?;
                let at_rest = Memory::of(&pids)?;
                return Ok(Running { site: self, child, address, pids, ready_in, at_rest });
            }
            if let Some(status) = child.0.try_wait()? {
                bail!("it ended with {status}; its log ends:\n{}", self.log());
            }
            sleep(ASKED_EVERY).await;
        }
        bail!("it did not answer in {} s; its log ends:\n{}", PATIENCE.as_secs(), self.log())
    }

    /// The end of what its servers wrote.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

async fn answers(address: SocketAddr, ask: &[u8]) -> bool {
    let Ok(mut connection) = Connection::open(address).await else { return false };
    connection.ask(ask).await.is_ok()
}

impl Running {
    /// Measures its CPU time from now on.
    pub(crate) fn meter(&self) -> Result<Meter> {
        Meter::of(self.pids.clone())
    }

    /// Memory now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        Memory::of(&self.pids)
    }

    /// The most that its processes have been resident with, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.pids.iter().map(|pid| procfs::peak(*pid)).sum()
    }

    /// Where its data are.
    pub(crate) fn data(&self) -> PathBuf {
        self.site.home.path().join("data")
    }

    /// What was started.
    pub(crate) fn program(&self) -> &Path {
        &self.site.installed.program
    }

    /// Whose server it is.
    pub(crate) fn contender(&self) -> &dyn Contender {
        &*self.site.contender
    }

    /// The end of what it wrote.
    pub(crate) fn log(&self) -> String {
        self.site.log()
    }

    /// Stops it by SIGTERM, or by SIGKILL when it does not heed that.
    pub(crate) async fn stop(self) -> Result<Site> {
        let Self { site, mut child, .. } = self;
        child.signal("-TERM");
        let began = Instant::now();
        while began.elapsed() < PATIENCE && child.0.try_wait()?.is_none() {
            sleep(Duration::from_millis(10)).await;
        }
        drop(child);
        Ok(site)
    }
}
