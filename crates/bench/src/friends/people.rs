//! Accounts and friendships, made as clients do it.

use anyhow::{Context, Result};
use serde_json::json;

use crate::http::{Connection, get, post};

/// Somebody with an account.
pub(super) struct Person {
    pub(super) username: String,
    /// The access token.
    pub(super) token: String,
    uuid: String,
}

/// Signs somebody up.
pub(super) async fn sign_up(connection: &mut Connection, username: &str) -> Result<Person> {
    let body = json!({
        "username": username, "email": format!("{username}@example.com"), "password": "lantern-tide-42"
    });
    let signed = connection.json(201, &post("/api/users/signup/", "", &body)).await.context("signing up")?;
    let token = signed["access"].as_str().context("no access token")?.to_owned();
    let profile = connection.json(200, &get("/api/users/profile/", &token)).await.context("a profile")?;
    let uuid = profile["id"].as_str().context("no id")?.to_owned();
    Ok(Person { username: username.to_owned(), token, uuid })
}

/// Makes a friendship; its id is the channel in which the two talk.
pub(super) async fn befriend(connection: &mut Connection, one: &Person, other: &Person) -> Result<String> {
    let body = json!({ "to_user": other.uuid, "status": "accepted" });
    let made = connection.json(201, &post("/api/users/friendship/", &one.token, &body)).await;
    Ok(made.context("making a friendship")?["id"].as_str().context("no friendship")?.to_owned())
}
