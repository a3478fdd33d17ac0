//! People and rooms of the small servers that make them without ceremony: `POST /people` and `POST /rooms`.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    compare::door::Door,
    http::{Connection, post},
};

/// A room and the tokens of the two who may enter it.
pub(super) struct Room {
    id: i64,
    tokens: Vec<String>,
}

/// Makes so many rooms, each with two people of its own.
pub(super) async fn rooms(address: SocketAddr, number: usize) -> Result<Vec<Room>> {
    let mut connection = Connection::open(address).await?;
    let mut rooms = Vec::new();
    for _ in 0..number {
        let (mut people, mut tokens) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let person = connection.json(201, &post("/people", "", &json!({}))).await?;
            people.push(person["id"].clone());
            tokens.push(person["access"].as_str().context("no access token")?.to_owned());
        }
        let room = connection.json(201, &post("/rooms", "", &json!({ "people": people }))).await?;
        rooms.push(Room { id: room["id"].as_i64().context("a room without id")?, tokens });
    }
    Ok(rooms)
}

/// So many doors into a room, for its people in turn.
pub(super) fn doors(room: &Room, number: usize, door: impl Fn(i64, &str) -> Door) -> Vec<Door> {
    room.tokens.iter().cycle().take(number).map(|token| door(room.id, token)).collect()
}
