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
    let (mut talkers, mut histories) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let speaker = sign_up(&mut connection, &format!("speaker{pair:03}")).await?;
        let listener = sign_up(&mut connection, &format!("listener{pair:03}")).await?;
        let channel = befriend(&mut connection, &speaker, &listener).await?;
        histories.push((channel.clone(), speaker.token.clone()));
        talkers.push((channel, speaker.token, listener.token));
    }
    // What is open while the machine is not ready yet may be closed: for not answering, or for being idle.
    let talk = async {
        let open = async |token: &str| Socket::open(server.address, None, "/ws/messages/", token).await;
        let mut pairs = Vec::new();
        for (channel, speaker, listener) in talkers {
            pairs.push(Pair { channel, speaker: open(&speaker).await?, listener: open(&listener).await? });
        }
        pairs::talk(stage, server, WIRE, pairs).await
    };
    let (row, sent) = stage.measured("sends", talk).await?;
    let mut connection = Connection::open(server.address).await?;
    for ((channel, token), sent) in histories.iter().zip(sent) {
        let path = format!("/api/messages/status/friendship/{channel}/messages/");
        let page = connection.json(200, &get(&path, token)).await?;
        ensure!(page["count"] == sent, "a history has {} messages of {sent}", page["count"]);
    }
    Ok(vec![row])
}
