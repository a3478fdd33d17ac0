//! The dialect of Socket.IO: students and teachers in rooms.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::json;

use super::{DURABILITY, install, people, serve};
use crate::{
    compare::{
        cases::Case,
        client::Client,
        contender::{Contender, Installed, Place},
        document_001::Person,
        door::{Door, Say, Step, Wire},
        running::Running,
        workshop::{Workshop, output},
    },
    http::{Connection, post},
};

/// It takes part in the cases that are about its transport, beside peers of the same.
pub(super) struct Tutoring {
    pub(super) binary: Option<PathBuf>,
}

#[async_trait(?Send)]
impl Contender for Tutoring {
    fn name(&self) -> &'static str {
        "tertulia-socketio"
    }

    fn ours(&self) -> bool {
        true
    }

    fn beside(&self, peer: &dyn Contender) -> bool {
        peer.protocol() == self.protocol()
    }

    fn protocol(&self) -> &'static str {
        "Socket.IO"
    }

    fn cases(&self) -> &'static [Case] {
        &[Case::Sends, Case::Room, Case::Growth, Case::Idle]
    }

    fn durability(&self, _case: Case) -> &'static str {
        DURABILITY
    }

    fn synced(&self, _case: Case) -> bool {
        true
    }

    async fn install(&self, _workshop: &Workshop) -> Result<Installed> {
        install(self.binary.as_ref()).await
    }

    fn command(&self, installed: &Installed, place: &Place, _case: Case) -> Result<Command> {
        Ok(serve(installed, place))
    }

    fn ready(&self) -> &'static str {
        "/health/ready"
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        let people = people(server, "pair", 2 * rooms).await?;
        let mut all = Vec::new();
        for pair in people.chunks_exact(2) {
            let room = room(server, &pair[0], &pair[1]).await?;
            all.push((0..doors).map(|door| way_in(room, &pair[door % 2])).collect());
        }
        Ok(all)
    }
}

/// A room that a student has opened and a teacher has joined.
async fn room(server: &Running, student: &Person, teacher: &Person) -> Result<i64> {
    let data = server.data();
    let role = ["user", "set", &teacher.username, "--role", "teacher", "--data-dir", &data.to_string_lossy()];
    let program = server.program().to_string_lossy().into_owned();
    output(&[&[program.as_str()], &role[..]].concat(), &data).await.context("making a teacher")?;
    let mut connection = Connection::open(server.address).await?;
    let request = post("/api/room/", &student.token, &json!({ "text": "help" }));
    let answer = connection.json(201, &request).await.context("opening a room")?;
    let room = answer["id"].as_i64().context("a room without id")?;
    let mut joining = way_in(room, teacher);
    joining.greeting.push(Step::Send(format!(r#"42["join_room",{{"room":{room}}}]"#)));
    joining.greeting.push(Step::Await(r#""room_joined""#.to_owned()));
    Client::enter(server.address, None, joining).await.context("joining a room")?;
    Ok(room)
}

fn way_in(room: i64, person: &Person) -> Door {
    Door {
        wire: Wire::SocketIo,
        path: "/socket.io/?EIO=4&transport=websocket".to_owned(),
        headers: String::new(),
        greeting: vec![
            Step::Send(format!(r#"40{{"access_token":"{}"}}"#, person.token)),
            Step::Await("40{".to_owned()),
        ],
        say: Say::Frame {
            before: format!(r#"42["message",{{"room":{room},"text":""#),
            after: r#""}]"#.to_owned(),
        },
    }
}
