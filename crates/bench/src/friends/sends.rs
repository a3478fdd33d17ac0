//! 64 pairs of friends talk, with one message in flight each.

use anyhow::{Result, ensure};

use super::people::{befriend, sign_up};
use crate::{
    http::{Connection, get},
    pairs::{self, PAIRS, Pair, Wire},
    report::Row,
    server::Server,
    stage::Stage,
    websocket::Socket,
};

const WIRE: Wire = Wire {
    said: |channel, text| format!(r#"{{"type":"friendship","channel":"{channel}","payload":"{text}"}}"#),
    before_text: b"\"content\":\"",
    receipt: Some(b"{\"type\":\"chat_friendship_notification\""),
};

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    stage.with_server(async |server| measure(stage, server).await).await
}

async fn measure(stage: &Stage, server: &Server) -> Result<Vec<Row>> {
    let mut connection = Connection::open(server.address).await?;
    let (mut pairs, mut histories) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let speaker = sign_up(&mut connection, &format!("speaker{pair:03}")).await?;
        let listener = sign_up(&mut connection, &format!("listener{pair:03}")).await?;
        let channel = befriend(&mut connection, &speaker, &listener).await?;
        let open = async |token: &str| Socket::open(server.address, None, "/ws/messages/", token).await;
        let (speaking, listening) = (open(&speaker.token).await?, open(&listener.token).await?);
        histories.push((channel.clone(), speaker.token));
        pairs.push(Pair { channel, speaker: speaking, listener: listening });
    }
    let (row, sent) = stage.measured("sends", pairs::talk(stage, server, WIRE, pairs)).await?;
    for ((channel, token), sent) in histories.iter().zip(sent) {
        let path = format!("/api/messages/status/friendship/{channel}/messages/");
        let page = connection.json(200, &get(&path, token)).await?;
        ensure!(page["count"] == sent, "a history has {} messages of {sent}", page["count"]);
    }
    Ok(vec![row])
}
