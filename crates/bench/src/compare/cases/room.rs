//! One room with many listeners: what is said once is heard by all of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Load, crowd, span::Names};
use crate::{
    compare::{
        client::{Client, Ears, Heard, Mouth, Poster},
        door::Door,
        figures::Measured,
        running::Running,
    },
    fanout::{FanOut, Listen, Post, Speak},
    hearing::Order,
    pace::Pace,
    progress,
    tally::Span,
};

/// Listeners, and how the one speaker talks to them.
pub(super) struct Size {
    listeners: usize,
    paces: &'static [(&'static str, Pace)],
}

const BUSY: (&str, Pace) = ("8 in flight", Pace::Window(8));
const STEADY: (&str, Pace) = ("20 messages/s", Pace::Every(Duration::from_millis(50)));

/// The room that all are compared by.
pub(super) const LISTENERS: [Size; 1] = [Size { listeners: 1000, paces: &[BUSY, STEADY] }];

/// How cost grows with the room. The largest takes a connection of each end for every listener.
pub(super) const GROWTH: [Size; 4] = [
    Size { listeners: 10, paces: &[BUSY] },
    Size { listeners: 100, paces: &[BUSY] },
    Size { listeners: 1000, paces: &[BUSY] },
    Size { listeners: 10_000, paces: &[BUSY] },
];

const NAMES: Names =
    Names { rate: "deliveries/s", server: "server CPU µs/delivery", client: "client CPU µs/delivery" };

/// One who hears, and says things on the same socket.
struct Speaker {
    ears: Ears,
    /// What stands before and behind a text.
    around: (String, String),
}

pub(super) async fn measure(server: &Running, load: &Load, sizes: &[Size]) -> Result<Vec<Measured>> {
    let most = sizes.iter().map(|size| size.listeners).max().unwrap_or_default();
    let rooms = server.contender().rooms(server, 1, most + 1).await?;
    let doors = rooms.first().context("no room")?;
    let mut measured = Vec::new();
    for Size { listeners, paces } in sizes {
        for (name, pace) in *paces {
            let name = format!("{listeners} listeners, {name}");
            match put(server, load, &doors[..=*listeners], *pace).await {
                Ok((span, order)) => measured.push(NAMES.figures(name, &span, server)?.heard(order)),
                // What a peer could take before counts. What would come after is not put on it any more.
                Err(fault) if !server.contender().ours() && !measured.is_empty() => {
                    progress(&format!("{} failed with {name}: {fault:#}", server.contender().name()));
                    measured.push(Measured::failed(name, &fault));
                    return Ok(measured);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(measured)
}

async fn put(server: &Running, load: &Load, doors: &[Door], pace: Pace) -> Result<(Span, Order)> {
    let mut room = FanOut::new(pace, server.contender().keeps_order())?;
    let mut clients = crowd::enter(server, doors).await?.into_iter();
    let Client { ears, mouth } = clients.next().context("nobody speaks")?;
    // The others listen before anything is said.
    for client in clients {
        room.listen(client.ears);
    }
    match mouth {
        Mouth::Frame(before, after) => room.speak(Speaker { ears, around: (before, after) }),
        Mouth::Post(poster) => {
            room.listen(ears);
            room.post(poster);
        }
    }
    room.measure(|| server.meter(), load.lasts).await
}

impl Listen for Ears {
    async fn hear(&mut self, mut message: impl FnMut(u64) -> Result<()>) -> Result<()> {
        Self::hear(self, |Heard { sender, number }| {
            ensure!(sender == 0, "a message of a stranger");
            message(number)
        })
        .await
    }
}

impl Listen for Speaker {
    async fn hear(&mut self, message: impl FnMut(u64) -> Result<()>) -> Result<()> {
        Listen::hear(&mut self.ears, message).await
    }
}

impl Speak for Speaker {
    fn say(&mut self, number: u64) -> Result<()> {
        let (before, after) = &self.around;
        self.ears.say((before, after), 0, number)
    }

    async fn flush(&mut self) -> Result<()> {
        self.ears.flush().await
    }
}

impl Post for Box<Poster> {
    async fn post(&mut self, number: u64) -> Result<()> {
        self.say(0, number).await
    }
}
