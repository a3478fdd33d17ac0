//! Those that are measured: Tertulia, and npm's `socket.io` on Node, which relays only or stores what it relays.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;

use super::{node::Node, tertulia};
use crate::server::Server;

/// One that is measured.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Contender {
    /// The dialect of document 003, on SQLite. Every message is stored and synced before anyone hears of it.
    Tertulia(PathBuf),
    /// From the folder of its installation.
    Node(PathBuf, Mode),
}

/// What the server on Node does with messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Passes them on and forgets them.
    Relay,
    /// Stores them in SQLite, synced, before anyone hears of them.
    Durable,
}

/// A server that runs.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    process: Process,
}

enum Process {
    Tertulia(Box<Server>),
    Node(Node),
}

/// A room and those who may enter it.
pub(super) struct Room {
    pub(super) id: i64,
    /// The access tokens of its student and, perhaps, its teacher.
    pub(super) tokens: Vec<String>,
}

impl Contender {
    /// What tables call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tertulia(_) => "Tertulia",
            Self::Node(_, Mode::Relay) => "socket.io on Node, relay",
            Self::Node(_, Mode::Durable) => "socket.io on Node, durable",
        }
    }

    /// What it does with a message before anyone hears of it.
    pub(super) fn stores(&self) -> &'static str {
        match self {
            Self::Tertulia(_) | Self::Node(_, Mode::Durable) => "synced",
            Self::Node(_, Mode::Relay) => "nothing",
        }
    }

    /// Starts it with rooms in which a student is alone, or a teacher too. Its process has done nothing else yet.
    pub(super) async fn start(&self, rooms: usize, with_teachers: bool) -> Result<(Running, Vec<Room>)> {
        match self {
            Self::Tertulia(binary) => {
                let (server, rooms) = tertulia::start(binary, rooms, with_teachers).await?;
                let address = server.address;
                Ok((Running { address, process: Process::Tertulia(Box::new(server)) }, rooms))
            }
            Self::Node(folder, mode) => {
                let node = Node::start(folder, *mode).await?;
                let rooms = node.rooms(rooms, with_teachers).await?;
                Ok((Running { address: node.address, process: Process::Node(node) }, rooms))
            }
        }
    }
}

impl Running {
    /// The process.
    pub(super) fn pid(&self) -> u32 {
        match &self.process {
            Process::Tertulia(server) => server.pid(),
            Process::Node(node) => node.pid(),
        }
    }

    /// Lets it collect its garbage, where it has any, before its memory is read.
    pub(super) async fn tidy(&self) -> Result<()> {
        match &self.process {
            Process::Tertulia(_) => Ok(()),
            Process::Node(node) => node.collect_garbage().await,
        }
    }

    /// Stops it.
    pub(super) async fn stop(self) -> Result<()> {
        match self.process {
            Process::Tertulia(server) => server.stop().await?.remove().await,
            Process::Node(node) => {
                drop(node);
                Ok(())
            }
        }
    }

    /// Ends it after something has failed; the end of what it wrote.
    pub(super) fn kill(self) -> String {
        match self.process {
            Process::Tertulia(server) => server.kill().log(),
            Process::Node(node) => node.log(),
        }
    }
}
