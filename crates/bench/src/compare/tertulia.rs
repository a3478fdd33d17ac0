//! Tertulia as a contender.

use std::{
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    cases::Case,
    client::{Client, Mouth},
    contender::{Contender, Installed, Place},
    door::{Ask, Door, Say, Wire},
    running::Running,
    workshop::{Workshop, bytes, output},
};
use crate::{
    http::{Connection, get, post},
    number::count,
    parallel::each,
    progress,
    server::unsettle,
};

/// Everyone's.
const PASSWORD: &str = "lantern-tide-42";

/// Connections for what is not measured.
const CONNECTIONS: usize = 8;

/// People in the list.
const LISTED: usize = 20;

/// Messages under way while a history is made.
const WINDOW: u64 = 200;

/// Nothing is refused for being too much, and no token ends while something is measured.
const FLAGS: [&str; 12] = [
    "--message-rate",
    "off",
    "--codes-account",
    "off",
    "--codes-address",
    "off",
    "--sign-in-failures-account",
    "off",
    "--sign-in-failures-address",
    "off",
    "--access-life",
    "3h",
];

/// The ways in which Tertulia takes part.
pub(super) fn all(binary: Option<&PathBuf>) -> Vec<Rc<dyn Contender>> {
    vec![Rc::new(Messenger { binary: binary.cloned() })]
}

/// By the dialect of plain WebSockets, on SQLite.
struct Messenger {
    binary: Option<PathBuf>,
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
            Case::Idle,
            Case::Logins,
            Case::List,
            Case::History,
            Case::Mixed,
            Case::Start,
        ]
    }

    fn durability(&self, _case: Case) -> &'static str {
        "SQLite WAL, synchronous=FULL"
    }

    fn passwords(&self) -> &'static str {
        "Argon2id, 19 MiB, 2 passes"
    }

    async fn install(&self, _workshop: &Workshop) -> Result<Installed> {
        let program = match &self.binary {
            Some(path) => std::path::absolute(path)?,
            None => built().await?,
        };
        ensure!(program.is_file(), "there is no {}", program.display());
        let folder = program.parent().context("a binary in no folder")?.to_owned();
        let versions = output(&[&program.to_string_lossy(), "--version"], &folder).await?;
        let bytes = bytes(&program)?;
        Ok(Installed { folder, program, versions, bytes })
    }

    fn command(&self, installed: &Installed, place: &Place, _case: Case) -> Result<Command> {
        let mut command = Command::new(&installed.program);
        unsettle(&mut command);
        let listen = format!("127.0.0.1:{}", place.port);
        command.current_dir(&place.data).args(["serve", "--listen", &listen, "--data-dir"]);
        command.arg(&place.data).args(FLAGS);
        Ok(command)
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

/// Somebody with an account.
#[derive(Clone)]
struct Person {
    username: String,
    /// The access token.
    token: String,
}

/// Makes the everyday release build; its binary.
async fn built() -> Result<PathBuf> {
    progress("building tertulia");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let target = std::env::current_exe()?.ancestors().nth(2).context("no target folder")?.to_owned();
    let folder = target.to_string_lossy();
    let command = [&cargo, "build", "--release", "-p", "tertulia-server", "--target-dir", &folder];
    output(&command, Path::new(env!("CARGO_MANIFEST_DIR"))).await?;
    Ok(target.join("release").join("tertulia"))
}

/// Registers so many, by the dialect that asks for no code.
async fn people(server: &Running, prefix: &'static str, number: usize) -> Result<Vec<Person>> {
    let names = (1..=number).map(move |number| format!("{prefix}{number:03}"));
    each(server.address, CONNECTIONS, names, async |connection, username: String| {
        let body = json!({
            "username": username, "password": PASSWORD, "email": format!("{username}@example.com")
        });
        let answer = connection.json(201, &post("/api/users/signup/", "", &body)).await;
        let answer = answer.context("signing up")?;
        let token = answer["access"].as_str().context("no access token")?.to_owned();
        Ok(Person { username, token })
    })
    .await
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
