//! npm's `ws` and `socket.io`, on Node: the servers of `bench/peers/node`.
//!
//! Both store all messages of one turn of the event loop in one transaction; `ws` also as most programs do, each by itself.

use std::process::Command;

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::json;

use super::mint;
use crate::compare::{
    cases::Case,
    contender::{Contender, Installed, Place},
    door::{Door, Say, Step, Wire},
    running::Running,
    workshop::{Workshop, bytes, output},
};

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Ws,
    /// `ws` with a transaction, and so a sync, for each message.
    WsEach,
    SocketIo,
}

impl Node {
    fn script(self) -> &'static str {
        match self {
            Self::Ws | Self::WsEach => "ws.mjs",
            Self::SocketIo => "socketio.mjs",
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Ws | Self::WsEach => &["ws", "better-sqlite3"],
            Self::SocketIo => &["socket.io", "ws", "better-sqlite3"],
        }
    }

    /// The way of somebody with this token into a room.
    pub(super) fn door(self, room: i64, token: &str) -> Door {
        match self {
            Self::Ws | Self::WsEach => Door {
                wire: Wire::WebSocket,
                path: format!("/ws/{room}?token={token}"),
                headers: String::new(),
                greeting: Vec::new(),
                say: Say::Frame { before: r#"{"message":""#.into(), after: r#""}"#.into() },
            },
            Self::SocketIo => Door {
                wire: Wire::SocketIo,
                path: "/socket.io/?EIO=4&transport=websocket".into(),
                headers: String::new(),
                greeting: vec![
                    Step::Send(format!("40{}", json!({ "access_token": token }))),
                    Step::Await("40{".into()),
                ],
                say: Say::Frame {
                    before: format!(r#"42["message",{{"room":{room},"text":""#),
                    after: r#""}]"#.into(),
                },
            },
        }
    }
}

#[async_trait(?Send)]
impl Contender for Node {
    fn name(&self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::WsEach => "ws-each",
            Self::SocketIo => "socketio",
        }
    }

    fn protocol(&self) -> &'static str {
        match self {
            Self::Ws | Self::WsEach => "WebSocket",
            Self::SocketIo => "Socket.IO",
        }
    }

    fn cases(&self) -> &'static [Case] {
        match self {
            Self::WsEach => &[Case::Sends],
            _ => &[Case::Sends, Case::Room, Case::Growth, Case::Idle, Case::Start],
        }
    }

    fn durability(&self, case: Case) -> &'static str {
        match (self, case) {
            (Self::WsEach, _) => "SQLite WAL, synchronous=FULL, one transaction each",
            (_, Case::Sends) => "SQLite WAL, synchronous=FULL, group commit",
            _ => "none: relays only",
        }
    }

    fn synced(&self, case: Case) -> bool {
        case == Case::Sends
    }

    fn remembers(&self) -> bool {
        false
    }

    async fn install(&self, workshop: &Workshop) -> Result<Installed> {
        let folder = workshop.npm("node").await?;
        let program = crate::socketio::node::interpreter(&folder);
        let node = program.to_str().context("a path that is no text")?;
        let script = "const v = (n) => `${n} ${JSON.parse(require('fs').readFileSync(\
                      `node_modules/${n}/package.json`)).version}`; \
                      console.log([...process.argv.slice(1).map(v), `Node ${process.versions.node}`].join(', '))";
        let versions = output(&[&[node, "-e", script], self.packages()].concat(), &folder).await?;
        let bytes = bytes(&folder)?;
        Ok(Installed { folder, program, versions, bytes })
    }

    fn command(&self, installed: &Installed, place: &Place, case: Case) -> Result<Command> {
        let mut command = Command::new(&installed.program);
        let mode = match (self, case) {
            (Self::WsEach, _) => "durable-each",
            (_, Case::Sends) => "durable",
            _ => "relay",
        };
        command.arg(self.script()).arg(place.port.to_string()).arg(mode).arg(&place.data);
        command.current_dir(&installed.folder).env("NODE_ENV", "production").env_remove("NODE_OPTIONS");
        Ok(command)
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        let minted = mint::rooms(server.address, rooms).await?;
        Ok(minted.iter().map(|room| mint::doors(room, doors, |id, token| self.door(id, token))).collect())
    }
}
