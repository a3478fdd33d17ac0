//! `python-socketio` on uvicorn: the server of `bench/peers/python-socketio`.

use std::process::Command;

use anyhow::Result;
use async_trait::async_trait;

use super::{mint, node::Node, python};
use crate::compare::{
    cases::Case,
    contender::{Contender, Installed, Place},
    door::Door,
    running::Running,
    workshop::Workshop,
};

/// The same events as those of the server on Node.
pub(super) struct PythonSocketIo;

#[async_trait(?Send)]
impl Contender for PythonSocketIo {
    fn name(&self) -> &'static str {
        "python-socketio"
    }

    fn protocol(&self) -> &'static str {
        "Socket.IO"
    }

    fn cases(&self) -> &'static [Case] {
        &[Case::Sends, Case::Room, Case::Growth, Case::Idle, Case::Start]
    }

    fn durability(&self, case: Case) -> &'static str {
        if case == Case::Sends { "SQLite WAL, synchronous=FULL, group commit" } else { "none: relays only" }
    }

    fn synced(&self, case: Case) -> bool {
        case == Case::Sends
    }

    fn remembers(&self) -> bool {
        false
    }

    async fn install(&self, workshop: &Workshop) -> Result<Installed> {
        let folder = workshop.pip("python-socketio").await?;
        python::installed(folder, &["python-socketio", "uvicorn"]).await
    }

    fn command(&self, installed: &Installed, place: &Place, case: Case) -> Result<Command> {
        let mut command = python::command(installed);
        let mode = if case == Case::Sends { "durable" } else { "relay" };
        command.arg("app.py").arg(place.port.to_string()).arg(mode).arg(&place.data);
        Ok(command)
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        let minted = mint::rooms(server.address, rooms).await?;
        let door = |id, token: &str| Node::SocketIo.door(id, token);
        Ok(minted.iter().map(|room| mint::doors(room, doors, door)).collect())
    }
}
