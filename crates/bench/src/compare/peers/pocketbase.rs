//! PocketBase, from the Python package that holds its binary.

use std::{
    fmt::Write as _,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    compare::{
        cases::Case,
        contender::{Contender, Installed, Place},
        door::{Ask, Door, Say, Step, Wire, text},
        running::Running,
        workshop::{Workshop, bytes, output},
    },
    http::{Connection, post_with},
    number::count,
    parallel::each,
};

/// Everyone's.
const PASSWORD: &str = "lantern-tide-42";

/// The superuser.
const SUPERUSER: &str = "super@example.com";

/// Connections for what is not measured.
const CONNECTIONS: usize = 8;

/// People in the list.
const LISTED: usize = 20;

const MESSAGES: &str = "/api/collections/messages/records";
const USERS: &str = "/api/collections/users/records";
const SIGN_IN: &str = "/api/collections/users/auth-with-password";

/// With collections of messages and users.
pub(super) struct PocketBase;

/// Somebody with an account.
#[derive(Clone)]
struct Person {
    id: String,
    /// The line of a request's head that says who asks.
    credentials: String,
}

#[async_trait(?Send)]
impl Contender for PocketBase {
    fn name(&self) -> &'static str {
        "pocketbase"
    }

    fn protocol(&self) -> &'static str {
        "HTTP and SSE"
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
        "SQLite WAL, synchronous=NORMAL (fixed): not synced"
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn passwords(&self) -> &'static str {
        "bcrypt, cost 10"
    }

    async fn install(&self, workshop: &Workshop) -> Result<Installed> {
        let folder = workshop.pip("pocketbase").await?;
        let program = folder.join("venv/bin/pocketbase");
        ensure!(program.is_file(), "the package holds no program for this machine");
        let said = output(&["venv/bin/pocketbase", "--version"], &folder).await?;
        let versions = said.replace("pocketbase version", "PocketBase");
        let bytes = bytes(&program)?;
        Ok(Installed { folder, program, versions, bytes })
    }

    async fn prepare(&self, installed: &Installed, data: &Path) -> Result<()> {
        let program = installed.program.to_string_lossy();
        let data = data.to_string_lossy();
        let command = [&*program, "superuser", "upsert", SUPERUSER, PASSWORD, "--dir", &*data];
        output(&command, &installed.folder).await.map(drop)
    }

    fn command(&self, installed: &Installed, place: &Place, _case: Case) -> Result<Command> {
        let mut command = Command::new(&installed.program);
        command.current_dir(&place.data).arg("serve");
        command.args(["--http", &format!("127.0.0.1:{}", place.port)]).arg("--dir").arg(&place.data);
        for folder in ["hooks", "migrations", "public"] {
            command.arg(format!("--{folder}Dir")).arg(place.data.join(folder));
        }
        Ok(command)
    }

    fn ready(&self) -> &'static str {
        "/api/health"
    }

    async fn rooms(&self, server: &Running, rooms: usize, doors: usize) -> Result<Vec<Vec<Door>>> {
        collections(server).await?;
        let people = people(server, 2 * rooms).await?;
        let room = |pair: &[Person]| {
            let room = &pair[0].id;
            pair.iter().cycle().take(doors).map(|person| way_in(room, person)).collect()
        };
        Ok(people.chunks_exact(2).map(room).collect())
    }

    async fn sign_ins(&self, server: &Running, number: usize) -> Result<Vec<Ask>> {
        let names = (0..number).map(|_| fresh());
        each(server.address, CONNECTIONS, names, async |connection, name: String| {
            sign_up(connection, &name).await?;
            Ok(Ask { request: post_with(SIGN_IN, "", &credentials(&name)), status: 200, entries: None })
        })
        .await
    }

    async fn list(&self, server: &Running) -> Result<Ask> {
        collections(server).await?;
        let people = people(server, LISTED).await?;
        let path = format!("{USERS}?perPage={LISTED}&sort=name&skipTotal=1");
        Ok(Ask { request: get(&path, &people[0]), status: 200, entries: Some(("/items", LISTED)) })
    }

    async fn history(&self, server: &Running, messages: usize) -> Result<Ask> {
        collections(server).await?;
        let people = people(server, 2).await?;
        let (room, author) = (people[0].id.clone(), people[0].clone());
        each(server.address, CONNECTIONS, 0..count(messages), {
            let room = room.clone();
            async move |connection, number| {
                let body = json!({ "room": room, "author": author.id, "text": text(0, number) });
                let request = post_with(MESSAGES, &author.credentials, &body.to_string());
                connection.json(200, &request).await.map(drop)
            }
        })
        .await?;
        let filter = encoded(&format!("room='{room}'"));
        let path = format!("{MESSAGES}?filter={filter}&sort=-created&perPage=50&skipTotal=1");
        Ok(Ask { request: get(&path, &people[0]), status: 200, entries: Some(("/items", 50)) })
    }
}

/// The way of somebody into a room.
fn way_in(room: &str, person: &Person) -> Door {
    let options = json!({ "query": { "filter": format!("room='{room}'") } }).to_string();
    let topic = format!("messages/*?options={}", encoded(&options));
    Door {
        wire: Wire::EventStream,
        path: "/api/realtime".into(),
        headers: String::new(),
        greeting: vec![
            Step::Take(r#""clientId":""#.into()),
            Step::Post {
                path: "/api/realtime".into(),
                headers: person.credentials.clone(),
                body: format!(r#"{{"clientId":"{{}}","subscriptions":["{topic}"]}}"#),
                status: 204,
            },
        ],
        say: Say::Post {
            path: MESSAGES.into(),
            headers: person.credentials.clone(),
            before: format!(r#"{{"room":"{room}","author":"{}","text":""#, person.id),
            after: r#""}"#.into(),
            status: 200,
        },
    }
}

/// Makes the collection of messages, and lets people see each other; nothing when that was done before.
async fn collections(server: &Running) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    let body = json!({ "identity": SUPERUSER, "password": PASSWORD }).to_string();
    let request = post_with("/api/collections/_superusers/auth-with-password", "", &body);
    let answer = connection.json(200, &request).await.context("signing in as superuser")?;
    let credentials = format!("Authorization: {}\r\n", answer["token"].as_str().context("no token")?);
    let (status, _) = connection.ask(&post_with("/api/collections", &credentials, &messages())).await?;
    // 400: there is one of that name.
    ensure!(matches!(status, 200 | 400), "no collection of messages: status {status}");
    let signed_in = json!({ "listRule": SIGNED_IN, "viewRule": SIGNED_IN }).to_string();
    let request = post_with("/api/collections/users", &credentials, &signed_in);
    let request = String::from_utf8(request)?.replacen("POST", "PATCH", 1);
    connection.json(200, request.as_bytes()).await.context("letting people see each other").map(drop)
}

const SIGNED_IN: &str = r#"@request.auth.id != """#;

/// The collection of messages.
fn messages() -> String {
    let text = |name: &str| json!({ "name": name, "type": "text", "required": true });
    json!({
        "name": "messages", "type": "base",
        "listRule": SIGNED_IN, "viewRule": SIGNED_IN, "createRule": "@request.auth.id = author",
        "fields": [
            text("room"), text("author"), text("text"),
            { "name": "created", "type": "autodate", "onCreate": true }
        ],
        "indexes": ["CREATE INDEX message_room ON messages (room, created)"],
    })
    .to_string()
}

/// Makes so many accounts and signs them in.
async fn people(server: &Running, number: usize) -> Result<Vec<Person>> {
    let names = (0..number).map(|_| fresh());
    each(server.address, CONNECTIONS, names, async |connection, name: String| {
        sign_up(connection, &name).await?;
        let answer = connection.json(200, &post_with(SIGN_IN, "", &credentials(&name))).await?;
        let id = answer["record"]["id"].as_str().context("nobody")?.to_owned();
        let token = answer["token"].as_str().context("no token")?;
        Ok(Person { id, credentials: format!("Authorization: {token}\r\n") })
    })
    .await
}

async fn sign_up(connection: &mut Connection, name: &str) -> Result<Value> {
    let body = json!({
        "email": format!("{name}@example.com"), "name": name, "password": PASSWORD, "passwordConfirm": PASSWORD
    });
    connection.json(200, &post_with(USERS, "", &body.to_string())).await.context("signing up")
}

fn credentials(name: &str) -> String {
    json!({ "identity": format!("{name}@example.com"), "password": PASSWORD }).to_string()
}

/// A name that nobody has.
fn fresh() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("person{:05}", MADE.fetch_add(1, Ordering::Relaxed))
}

fn get(path: &str, person: &Person) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{}\r\n", person.credentials).into_bytes()
}

/// A text as a value in a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_query_holds_letters_and_digits_alone() {
        assert_eq!(encoded("room='r1'"), "room%3D%27r1%27");
    }

    #[test]
    fn a_door_subscribes_to_its_room_alone() {
        let person = Person { id: "p".into(), credentials: "Authorization: t\r\n".into() };
        let door = way_in("r1", &person);
        let Step::Post { body, .. } = &door.greeting[1] else { panic!("no subscription") };
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["clientId"], "{}");
        assert!(body["subscriptions"][0].as_str().unwrap().contains("room%3D%27r1%27"), "{body}");
    }
}
