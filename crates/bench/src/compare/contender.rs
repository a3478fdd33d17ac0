//! What a contender tells of itself, so that the same cases measure all.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};
use async_trait::async_trait;

use super::{
    cases::Case,
    door::{Ask, Door},
    running::Running,
    workshop::Workshop,
};

/// What an installation gave.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    /// The folder of the installation.
    pub(crate) folder: PathBuf,
    /// The program to start, or the interpreter of it.
    pub(crate) program: PathBuf,
    /// What is compared, with versions: `socket.io 4.8.3, Node 20.19`.
    pub(crate) versions: String,
    /// Bytes on disk of what has to be there to serve.
    pub(crate) bytes: u64,
}

/// Where one process serves.
pub(crate) struct Place {
    /// An empty folder of its own at the first start; later starts on the same data find it as it was.
    pub(crate) data: PathBuf,
    /// The port on 127.0.0.1 that it has to listen on.
    pub(crate) port: u16,
}

/// One that is compared. The operations are asked only for the cases that [`Contender::cases`] names.
#[async_trait(?Send)]
pub(crate) trait Contender {
    /// Short, of letters, digits and hyphens: `--peers` names it so.
    fn name(&self) -> &'static str;

    /// Whether it is Tertulia, against which the others are measured.
    fn ours(&self) -> bool {
        false
    }

    /// Whether one of ours is measured beside this peer.
    fn beside(&self, _peer: &dyn Contender) -> bool {
        true
    }

    /// How its clients talk to it: `WebSocket`, `Socket.IO`, `HTTP and SSE`.
    fn protocol(&self) -> &'static str;

    /// The cases that it takes part in.
    fn cases(&self) -> &'static [Case];

    /// What is on disk when it acknowledges something in this case, by its settings' names: `SQLite WAL,
    /// synchronous=FULL`, `in memory`.
    fn durability(&self, case: Case) -> &'static str;

    /// Whether that survives the loss of power: what it acknowledges was synced before.
    fn synced(&self, _case: Case) -> bool {
        false
    }

    /// Whether clients hear one speaker's messages in the order in which they were said. Where that is promised, a
    /// misplaced message is an error; else it is counted.
    fn keeps_order(&self) -> bool {
        true
    }

    /// Whether people and rooms outlast the process: doors stay good when a server is started again on the same data.
    fn remembers(&self) -> bool {
        true
    }

    /// How it hashes passwords, with the parameters: `Argon2id, 19 MiB, 2 passes`.
    fn passwords(&self) -> &'static str {
        "none"
    }

    /// Makes it startable, by way of the workshop's cache. An error's text is shown as the reason for skipping it.
    async fn install(&self, workshop: &Workshop) -> Result<Installed>;

    /// What has to be done to an empty data folder before the first start, such as migrations.
    async fn prepare(&self, _installed: &Installed, _data: &Path) -> Result<()> {
        Ok(())
    }

    /// Program, arguments and environment of a server for this case. Standard input and output are set by whoever
    /// starts it. Settings of the person who runs the comparison must not count, nor limits that refuse a load.
    fn command(&self, installed: &Installed, place: &Place, case: Case) -> Result<Command>;

    /// A path that answers `GET` with any status once it serves.
    fn ready(&self) -> &'static str {
        "/"
    }

    /// Makes rooms, and as many doors into each: through each door one client enters, and hears everything that is
    /// said in the room from then on, its own words included. Doors of one room may share accounts.
    async fn rooms(&self, _server: &Running, _rooms: usize, _doors: usize) -> Result<Vec<Vec<Door>>> {
        bail!("{} has no rooms", self.name())
    }

    /// Makes as many accounts with passwords; for each a request that signs it in with the right password. Each is
    /// sent any number of times, and must cost a password check every time.
    async fn sign_ins(&self, _server: &Running, _people: usize) -> Result<Vec<Ask>> {
        bail!("{} signs nobody in", self.name())
    }

    /// Makes 20 people (or what its like would list), and a request for the list of them by one who is signed in.
    async fn list(&self, _server: &Running) -> Result<Ask> {
        bail!("{} lists nothing", self.name())
    }

    /// Makes a room with so many messages, and a request for the newest 50 by a member who is signed in.
    async fn history(&self, _server: &Running, _messages: usize) -> Result<Ask> {
        bail!("{} keeps no history", self.name())
    }
}
