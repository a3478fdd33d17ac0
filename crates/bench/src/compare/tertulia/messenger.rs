//! The dialect of plain WebSockets.

use std::{path::PathBuf, process::Command};

use anyhow::Result;
use async_trait::async_trait;

use super::{DURABILITY, install, people, serve};
use crate::{
    compare::{
        cases::Case,
        client::{Client, Mouth},
        contender::{Contender, Installed, Place},
        document_001::{self, LISTED, conversation, newest, way_in},
        door::{Ask, Door},
        running::Running,
        workshop::Workshop,
    },
    number::count,
};

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
        document_001::rooms(server, &people(server, "chat", 2 * rooms).await?, doors).await
    }

    async fn sign_ins(&self, server: &Running, number: usize) -> Result<Vec<Ask>> {
        Ok(document_001::sign_ins("/api/users/login/", &people(server, "login", number).await?))
    }

    async fn list(&self, server: &Running) -> Result<Ask> {
        document_001::list(server, &people(server, "listed", LISTED).await?).await
    }

    async fn history(&self, server: &Running, messages: usize) -> Result<Ask> {
        let people = people(server, "talker", 2).await?;
        let conversation = conversation(server, &people).await?;
        talk(server, way_in(conversation, &people[0]), count(messages)).await?;
        Ok(newest(conversation, &people[0]))
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
