//! The dialect of plain WebSockets.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::{DURABILITY, PASSWORD, Person, install, people, serve};
use crate::{
    compare::{
        cases::Case,
        client::{Client, Mouth},
        contender::{Contender, Installed, Place},
        door::{Ask, Door, Say, Wire},
        running::Running,
        workshop::Workshop,
    },
    http::{Connection, get, post},
    number::count,
};

/// People in the list.
const LISTED: usize = 20;

/// Messages under way while a history is made.
const WINDOW: u64 = 200;

/// It takes part in all cases.
pub(super) struct Messenger {
    pub(super) binary: Option<PathBuf>,
}

#[async_trait(?Send)]
impl Contender for Messenger {
    fn name(&self) -> &'static str {
        "tertulia"
    }

    fn ours(&self) -> bool {
        true
    }

    fn protocol(&self) -> &'static str {
        "WebSocket"
    }

    fn cases(&self) -> &'static [Case] {
        &[
            Case::Sends,
            Case::Room,
            Case::Growth,
            Case::Tables,
            Case::Idle,
            Case::Logins,
            Case::List,
            Case::History,
            Case::Mixed,
            Case::Start,
        ]
    }

    fn durability(&self, _case: Case) -> &'static str {
        DURABILITY
    }

    fn synced(&self, _case: Case) -> bool {
        true
    }

    fn passwords(&self) -> &'static str {
        "Argon2id, 19 MiB, 2 passes"
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
        let people = people(server, "chat", 2 * rooms).await?;
        let mut all = Vec::new();
        for pair in people.chunks_exact(2) {
            let conversation = conversation(server, pair).await?;
            all.push((0..doors).map(|door| way_in(conversation, &pair[door % 2])).collect());
        }
        Ok(all)
    }

    async fn sign_ins(&self, server: &Running, number: usize) -> Result<Vec<Ask>> {
        let people = people(server, "login", number).await?;
        let ask = |person: &Person| {
            let body = json!({ "username": person.username, "password": PASSWORD });
            Ask { request: post("/api/users/login/", "", &body), status: 200, entries: None }
        };
        Ok(people.iter().map(ask).collect())
    }

    async fn list(&self, server: &Running) -> Result<Ask> {
        let people = people(server, "listed", LISTED).await?;
        let mut connection = Connection::open(server.address).await?;
        for (one, other) in people.iter().zip(people.iter().cycle().skip(1)) {
            let body = json!({ "friend_username": other.username });
            connection.json(200, &post("/users/add_friend/", &one.token, &body)).await?;
        }
        let request = get("/users/user_list/", &people[0].token);
        Ok(Ask { request, status: 200, entries: Some(("", LISTED)) })
    }

    async fn history(&self, server: &Running, messages: usize) -> Result<Ask> {
        let people = people(server, "talker", 2).await?;
        let conversation = conversation(server, &people).await?;
        talk(server, way_in(conversation, &people[0]), count(messages)).await?;
        let request = get(&format!("/conversations/{conversation}/?limit=50"), &people[0].token);
        Ok(Ask { request, status: 200, entries: Some(("/message_set", 50)) })
    }
}

/// The conversation of two.
async fn conversation(server: &Running, pair: &[Person]) -> Result<i64> {
    let mut connection = Connection::open(server.address).await?;
    let body = json!({ "username": pair[1].username });
    let answer: Value = connection.json(200, &post("/conversations/start/", &pair[0].token, &body)).await?;
    answer["conversation_id"].as_i64().context("no conversation")
}

fn way_in(conversation: i64, person: &Person) -> Door {
    Door {
        wire: Wire::WebSocket,
        path: format!("/ws/chat/{conversation}/"),
        headers: format!("Authorization: Bearer {}\r\n", person.token),
        greeting: Vec::new(),
        say: Say::Frame { before: r#"{"message":""#.to_owned(), after: r#""}"#.to_owned() },
    }
}

/// Fills a conversation.
async fn talk(server: &Running, door: Door, messages: u64) -> Result<()> {
    let Client { mut ears, mouth } = Client::enter(server.address, None, door).await?;
    let Mouth::Frame(before, after) = &mouth else { return Ok(()) };
    let (mut said, mut heard) = (0, 0);
    while heard < messages {
        while said < messages && said < heard + WINDOW {
            ears.say((before, after), 0, said)?;
            said += 1;
        }
        ears.flush().await?;
        ears.hear(|_| {
            heard += 1;
            Ok(())
        })
        .await?;
    }
    Ok(())
}
