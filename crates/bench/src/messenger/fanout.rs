//! One conversation with many open sockets: what is said once is heard by all of them.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Stage, frames, people};
use crate::{
    fanout::{FanOut, Listen, Speak},
    meter::Meter,
    pace::Pace,
    report::Row,
    server::Server,
    websocket::Socket,
};

const PACES: [Pace; 3] = [Pace::Every(Duration::from_millis(10)), Pace::Window(1), Pace::Window(8)];

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    stage
        .with_server(async |server| {
            let people = people::make(server, 2).await?;
            let conversation = people::conversation(server, &people[0], &people[1]).await?;
            let path = frames::path(conversation);
            let mut rows = Vec::new();
            for pace in PACES {
                let mut sockets = Vec::new();
                for number in 0..usize::try_from(stage.fanout_sockets)? {
                    let token = &people[number % 2].token;
                    sockets.push(Socket::open(server.address, None, &path, token).await?);
                }
                rows.push(measure(stage, server, pace, sockets).await?);
            }
            Ok(rows)
        })
        .await
}

async fn measure(stage: &Stage, server: &Server, pace: Pace, mut sockets: Vec<Socket>) -> Result<Row> {
    let number = sockets.len();
    let mut room = FanOut::new(pace, true)?;
    let speaker = sockets.pop().context("no sockets")?;
    for socket in sockets {
        room.listen(socket);
    }
    room.speak(speaker);
    let (span, _) = room.measure(|| Meter::start(server.pid()), stage.lasts).await?;
    Ok(stage
        .row()
        .with("sockets", number)
        .with("load", pace.name())
        .with("deliveries/s", span.usage.rate(span.count))
        .with("p50 ms", span.latency.millis_at(0.5))
        .with("p99 ms", span.latency.millis_at(0.99))
        .with("server CPU µs/delivery", span.usage.server_each(span.count))
        .with("client CPU µs/delivery", span.usage.client_each(span.count))
        .with("other cores busy", span.usage.other_cores()))
}

impl Listen for Socket {
    async fn hear(&mut self, mut message: impl FnMut(u64) -> Result<()>) -> Result<()> {
        self.receive(|frame| message(frames::heard(frame)?.number)).await
    }
}

impl Speak for Socket {
    fn say(&mut self, number: u64) -> Result<()> {
        self.queue(frames::said(0, number).as_bytes());
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        Self::flush(self).await
    }
}
