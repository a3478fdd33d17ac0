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
        document_001::{self, LISTED, PASSWORD, Person, conversation, newest},
        door::{Ask, Door, text},
        running::Running,
        workshop::{Workshop, output},
    },
    http::{Connection, post},
};

/// Document 001 in small.
pub(super) struct Django;

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
        // Or it would close connections whose pongs it has not got round to reading.
        command.args(["--ws-ping-timeout", "600"]);
        command.args(["--lifespan", "off", "--no-access-log", "--log-level", "warning", "--backlog", "4096"]);
        Ok(command)
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        document_001::rooms(server, &people(server, "chat", 2 * rooms).await?, doors).await
    }

    async fn sign_ins(&self, server: &Running, number: usize) -> Result<Vec<Ask>> {
        Ok(document_001::sign_ins("/auth/login/", &people(server, "login", number).await?))
    }

    async fn list(&self, server: &Running) -> Result<Ask> {
        document_001::list(server, &people(server, "listed", LISTED).await?).await
    }

    async fn history(&self, server: &Running, messages: usize) -> Result<Ask> {
        let people = people(server, "talker", 2).await?;
        let conversation = conversation(server, &people).await?;
        let mut connection = Connection::open(server.address).await?;
        let body = json!({ "conversation_id": conversation, "number": messages, "text": text(0, 0) });
        connection.json(200, &post("/measure/messages/", &people[0].token, &body)).await?;
        Ok(newest(conversation, &people[0]))
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
