//! 64 chats of two talk, with one message in flight each.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::people::sign_in;
use crate::{
    http::{Connection, get, post, put},
    number::count,
    pairs::{self, PAIRS, Pair, Wire},
    report::Row,
    server::Server,
    stage::Stage,
    websocket::Socket,
};

const WIRE: Wire = Wire { said: |_, text| text.to_owned(), before_text: b"\"text\":\"", receipt: None };

/// Most messages that one list shows.
const LISTED: u64 = 1000;

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    stage.with_server(async |server| measure(stage, server).await).await
}

async fn measure(stage: &Stage, server: &Server) -> Result<Vec<Row>> {
    let mut connection = Connection::open(server.address).await?;
    let (mut pairs, mut chats) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let owner = sign_in(&mut connection, 2 * pair + 1).await?;
        let guest = sign_in(&mut connection, 2 * pair + 2).await?;
        let (chat, channel) = chat(&mut connection, &owner, &guest).await?;
        let path = format!("/chat/{channel}/");
        let open = async |token: &str| Socket::open(server.address, None, &path, token).await;
        let (speaker, listener) = (open(&owner).await?, open(&guest).await?);
        chats.push((chat, guest));
        pairs.push(Pair { channel, speaker, listener });
    }
    let (row, sent) = stage.measured("chats", pairs::talk(stage, server, WIRE, pairs)).await?;
    for ((chat, token), sent) in chats.iter().zip(sent) {
        let path = format!("/message-list/{chat}/?limit={LISTED}");
        let list = connection.json(200, &get(&path, token)).await?;
        let list = list.as_array().context("no messages")?;
        let newest = list.last().and_then(|message| message["text"].as_str());
        let due = sent.checked_sub(1).map(pairs::text);
        ensure!(count(list.len()) == sent.min(LISTED) && newest == due.as_deref(), "{newest:?} ends a chat");
    }
    Ok(vec![row])
}

/// Makes a meeting of one to which the other is let in: the chat's id and channel.
async fn chat(connection: &mut Connection, owner: &str, guest: &str) -> Result<(Value, String)> {
    let meeting = json!({ "title": "Tide", "coordinates": { "lat": 55.75, "lng": 37.62 }, "group_type": 1 });
    let meeting = connection.json(201, &post("/meetings-list/", owner, &meeting)).await?["id"].take();
    connection.json(200, &post(&format!("/meeting-confirm/{meeting}/"), guest, &json!({}))).await?;
    let asked = connection.json(200, &get("/confirms-list/", owner)).await?;
    let path = format!("/confirm-action/{}/", asked[0]["id"]);
    connection.json(200, &put(&path, owner, &json!({ "is_approved": true }))).await?;
    let mut chat = connection.json(200, &get("/chats-list/", guest)).await?[0].take();
    let channel = chat["channel_slug"].as_str().context("no chat")?.to_owned();
    Ok((chat["id"].take(), channel))
}
