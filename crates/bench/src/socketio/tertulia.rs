//! Tertulia, with students, teachers and their rooms.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{
    client::Client,
    contender::Room,
    packet::{self, Packet},
};
use crate::{
    http::{Connection, post},
    server::{Data, Database, Server},
};

/// Nothing is refused for being too much.
pub(super) const FLAGS: [&str; 2] = ["--message-rate", "off"];

/// Everyone's.
const PASSWORD: &str = "lantern-tide-42";

/// Starts a server on new data with so many rooms, each with a student of its own and, perhaps, a teacher. It is started
/// again after the sign-ins, so that the process has done nothing yet.
pub(super) async fn start(binary: &Path, rooms: usize, with_teachers: bool) -> Result<(Server, Vec<Room>)> {
    let data = Data::new(binary, &Database::Sqlite).await?;
    for number in 0..rooms {
        add(&data, "student", number)?;
        if with_teachers {
            add(&data, "teacher", number)?;
        }
    }
    let server = data.serve(&FLAGS).await?;
    let mut made = Vec::new();
    for number in 0..rooms {
        made.push(room(server.address, number, with_teachers).await?);
    }
    let server = server.stop().await?.serve(&FLAGS).await?;
    Ok((server, made))
}

/// Makes an account, as an operator does it.
fn add(data: &Data, role: &str, number: usize) -> Result<()> {
    let name = format!("{role}{number:03}");
    let email = format!("{name}@example.org");
    let about = ["user", "add", &name, "--email", &email, "--role", role, "--password-stdin"];
    data.tool(&about, &format!("{PASSWORD}\n"))
}

async fn room(address: SocketAddr, number: usize, with_teacher: bool) -> Result<Room> {
    let mut connection = Connection::open(address).await?;
    let student = sign_in(&mut connection, &format!("student{number:03}")).await?;
    let request = post("/api/room/", &student, &json!({ "text": "help" }));
    let room = connection.json(201, &request).await.context("opening a room")?;
    let id = room["id"].as_i64().context("a room without id")?;
    let mut tokens = vec![student];
    if with_teacher {
        let teacher = sign_in(&mut connection, &format!("teacher{number:03}")).await?;
        join(address, &teacher, id).await.context("joining a room")?;
        tokens.push(teacher);
    }
    Ok(Room { id, tokens })
}

async fn sign_in(connection: &mut Connection, username: &str) -> Result<String> {
    let body = json!({ "username": username, "password": PASSWORD });
    let answer = connection.json(200, &post("/api/token/", "", &body)).await.context("signing in")?;
    Ok(answer["access"].as_str().context("no access token")?.to_owned())
}

async fn join(address: SocketAddr, token: &str, room: i64) -> Result<()> {
    let mut client = Client::open(address, None, token).await?;
    client.queue(&packet::event(0, "join_room", &json!({ "room": room }).to_string()));
    client.flush().await?;
    let mut is_acked = false;
    while !is_acked {
        client
            .receive(|packet| {
                if let Packet::Ack(0, answer) = packet {
                    let answer = String::from_utf8_lossy(answer).into_owned();
                    ensure!(answer.contains("engaged"), "{answer}");
                    is_acked = true;
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}
