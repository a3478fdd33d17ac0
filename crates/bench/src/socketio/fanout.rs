//! One room with many open sockets: what is said once is heard by all of them.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{
    Case, Stage,
    client::Client,
    contender::{Room, Running},
    figures::Figures,
    packet::{self, Packet},
    source,
};
use crate::{
    fanout::{FanOut, Listen, Speak},
    meter::Meter,
    number::real,
    pace::Pace,
};

/// A client in a room.
struct Member {
    client: Client,
    room: i64,
}

/// How the one sender of a case sends.
pub(super) fn pace(case: Case) -> Pace {
    match case {
        Case::RoomOne => Pace::Window(1),
        Case::RoomEight => Pace::Window(8),
        _ => Pace::Every(Duration::from_millis(20)),
    }
}

pub(super) async fn measure(stage: &Stage, server: &Running, room: &Room, pace: Pace) -> Result<Figures> {
    let mut clients = Vec::new();
    for number in 0..stage.sockets {
        let token = &room.tokens[number % room.tokens.len()];
        let client = Client::open(server.address, Some(source(number)?), token).await?;
        clients.push(Member { client, room: room.id });
    }
    let mut hall = FanOut::new(pace, true)?;
    let speaker = clients.pop().context("no sockets")?;
    for client in clients {
        hall.listen(client);
    }
    hall.speak(speaker);
    let (span, _) = hall.measure(|| Meter::start(server.pid()), stage.lasts).await?;
    Ok(vec![
        ("deliveries/s", span.usage.rate(span.count)),
        ("deliveries/server CPU s", real(span.count) / span.usage.server.as_secs_f64().max(0.01)),
        ("p50 ms", span.latency.millis_at(0.5)),
        ("p99 ms", span.latency.millis_at(0.99)),
        ("server cores busy", span.usage.server_cores()),
        ("client CPU µs/delivery", span.usage.client_each(span.count)),
        ("other cores busy", span.usage.other_cores()),
    ])
}

impl Listen for Member {
    async fn hear(&mut self, mut message: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let heard = self.client.receive(|packet| {
            let Packet::Event(event) = packet else { bail!("{packet:?} came where a message was due") };
            packet::heard(event)?.map_or(Ok(()), &mut message)
        });
        heard.await
    }
}

impl Speak for Member {
    fn say(&mut self, number: u64) -> Result<()> {
        self.client.queue(&packet::said(self.room, number));
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.client.flush().await
    }
}
