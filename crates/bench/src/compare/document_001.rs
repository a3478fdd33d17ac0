//! The requests of document 001, for those that speak it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    door::{Ask, Door, Say, Wire},
    running::Running,
};
use crate::http::{Connection, get, post};

/// Everyone's.
pub(super) const PASSWORD: &str = "lantern-tide-42";

/// People in the list.
pub(super) const LISTED: usize = 20;

/// Somebody with an account.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) username: String,
    /// The access token.
    pub(super) token: String,
}

/// So many doors into a conversation of each two of these people.
pub(super) async fn rooms(server: &Running, people: &[Person], doors: usize) -> Result<Vec<Vec<Door>>> {
    let mut all = Vec::new();
    for pair in people.chunks_exact(2) {
        let conversation = conversation(server, pair).await?;
        all.push(pair.iter().cycle().take(doors).map(|person| way_in(conversation, person)).collect());
    }
    Ok(all)
}

/// The conversation of two.
pub(super) async fn conversation(server: &Running, pair: &[Person]) -> Result<i64> {
    let mut connection = Connection::open(server.address).await?;
    let body = json!({ "username": pair[1].username });
    let answer: Value = connection.json(200, &post("/conversations/start/", &pair[0].token, &body)).await?;
    answer["conversation_id"].as_i64().context("no conversation")
}

/// The way of somebody into a conversation.
pub(super) fn way_in(conversation: i64, person: &Person) -> Door {
    Door {
        wire: Wire::WebSocket,
        path: format!("/ws/chat/{conversation}/"),
        headers: format!("Authorization: Bearer {}\r\n", person.token),
        greeting: Vec::new(),
        say: Say::Frame { before: r#"{"message":""#.to_owned(), after: r#""}"#.to_owned() },
    }
}

/// What signs these people in by name and password, at this path.
pub(super) fn sign_ins(path: &str, people: &[Person]) -> Vec<Ask> {
    let ask = |person: &Person| {
        let body = json!({ "username": person.username, "password": PASSWORD });
        Ask { request: post(path, "", &body), status: 200, entries: None }
    };
    people.iter().map(ask).collect()
}

/// Makes each of these people a friend of the next one; the request for the list of them.
pub(super) async fn list(server: &Running, people: &[Person]) -> Result<Ask> {
    let mut connection = Connection::open(server.address).await?;
    for (one, other) in people.iter().zip(people.iter().cycle().skip(1)) {
        let body = json!({ "friend_username": other.username });
        connection.json(200, &post("/users/add_friend/", &one.token, &body)).await?;
    }
    let request = get("/users/user_list/", &people[0].token);
    Ok(Ask { request, status: 200, entries: Some(("", people.len())) })
}

/// The request for the newest 50 of a conversation.
pub(super) fn newest(conversation: i64, person: &Person) -> Ask {
    let request = get(&format!("/conversations/{conversation}/?limit=50"), &person.token);
    Ask { request, status: 200, entries: Some(("/message_set", 50)) }
}
