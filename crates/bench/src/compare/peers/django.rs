//! Django with Django REST framework and Channels: the server of `bench/peers/django`.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::json;

use super::python;
use crate::{
    compare::{
        cases::Case,
        contender::{Contender, Installed, Place},
        door::{Ask, Door, Say, Wire, text},
        running::Running,
        workshop::{Workshop, output},
    },
    http::{Connection, get, post},
};

/// Everyone's.
const PASSWORD: &str = "lantern-tide-42";

/// People in the list.
const LISTED: usize = 20;

/// Document 001 in small.
pub(super) struct Django;

/// Somebody with an account.
struct Person {
    username: String,
    /// The access token.
    token: String,
}

#[async_trait(?Send)]
impl Contender for Django {
    fn name(&self) -> &'static str {
        "django"
    }

    fn protocol(&self) -> &'static str {
        "WebSocket"
    }

    fn cases(&self) -> &'static [Case] {
        &[
            Case::Sends,
            Case::Room,
            Case::Growth,
            Case::Idle,
            Case::Logins,
            Case::List,
            Case::History,
            Case::Mixed,
            Case::Start,
        ]
    }

    fn durability(&self, _case: Case) -> &'static str {
        "SQLite WAL, synchronous=FULL, one transaction each"
    }

    fn synced(&self, _case: Case) -> bool {
        true
    }

    fn passwords(&self) -> &'static str {
        "PBKDF2-SHA256, 1,000,000 rounds"
    }

    async fn install(&self, workshop: &Workshop) -> Result<Installed> {
        let folder = workshop.pip("django").await?;
        python::installed(folder, &["Django", "djangorestframework", "channels", "uvicorn"]).await
    }

    async fn prepare(&self, installed: &Installed, data: &Path) -> Result<()> {
        let data = format!("DATA_DIR={}", data.display());
        let python = installed.program.to_string_lossy();
        let command = ["env", &data, &*python, "manage.py", "migrate", "--run-syncdb", "--verbosity", "0"];
        output(&command, &installed.folder).await.map(drop)
    }

    fn command(&self, installed: &Installed, place: &Place, _case: Case) -> Result<Command> {
        let mut command = python::command(installed);
        command.env("DATA_DIR", &place.data).args(["-m", "uvicorn", "messenger.asgi:application"]);
        command.args(["--port", &place.port.to_string(), "--loop", "uvloop", "--http", "httptools"]);
        command.args(["--ws", "websockets-sansio", "--ws-per-message-deflate", "false"]);
        command.args(["--lifespan", "off", "--no-access-log", "--log-level", "warning", "--backlog", "4096"]);
        Ok(command)
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        let people = people(server, "chat", 2 * rooms).await?;
        let mut all = Vec::new();
        for pair in people.chunks_exact(2) {
            let conversation = conversation(server, pair).await?;
            let door = |person| way_in(conversation, person);
            all.push(pair.iter().cycle().take(doors).map(door).collect());
        }
        Ok(all)
    }

    async fn sign_ins(&self, server: &Running, number: usize) -> Result<Vec<Ask>> {
        let people = people(server, "login", number).await?;
        let ask = |person: &Person| {
            let body = json!({ "username": person.username, "password": PASSWORD });
            Ask { request: post("/auth/login/", "", &body), status: 200, entries: None }
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
        let mut connection = Connection::open(server.address).await?;
        let body = json!({ "conversation_id": conversation, "number": messages, "text": text(0, 0) });
        connection.json(200, &post("/measure/messages/", &people[0].token, &body)).await?;
        let request = get(&format!("/conversations/{conversation}/?limit=50"), &people[0].token);
        Ok(Ask { request, status: 200, entries: Some(("/message_set", 50)) })
    }
}

/// Makes so many accounts.
async fn people(server: &Running, prefix: &str, number: usize) -> Result<Vec<Person>> {
    let usernames: Vec<String> = (1..=number).map(|number| format!("{prefix}{number:03}")).collect();
    let mut connection = Connection::open(server.address).await?;
    let body = json!({ "usernames": usernames, "password": PASSWORD });
    let tokens = connection.json(200, &post("/measure/people/", "", &body)).await.context("making people")?;
    let tokens = tokens.as_array().context("no tokens")?;
    let person = |(username, token): (String, &serde_json::Value)| {
        Ok(Person { username, token: token.as_str().context("no token")?.to_owned() })
    };
    usernames.into_iter().zip(tokens).map(person).collect()
}

/// The conversation of two.
async fn conversation(server: &Running, pair: &[Person]) -> Result<i64> {
    let mut connection = Connection::open(server.address).await?;
    let body = json!({ "username": pair[1].username });
    let answer = connection.json(200, &post("/conversations/start/", &pair[0].token, &body)).await?;
    answer["conversation_id"].as_i64().context("no conversation")
}

fn way_in(conversation: i64, person: &Person) -> Door {
    Door {
        wire: Wire::WebSocket,
        path: format!("/ws/chat/{conversation}/"),
        headers: format!("Authorization: Bearer {}\r\n", person.token),
        greeting: Vec::new(),
        say: Say::Frame { before: r#"{"message":""#.into(), after: r#""}"#.into() },
    }
}
