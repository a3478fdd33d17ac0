//! Events and their acks: 64 people, each alone in a room, ask again as soon as they are answered.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    DRAIN, Stage, WARM_UP,
    client::Client,
    contender::{Room, Running},
    figures::Figures,
    packet::{self, Packet},
    polling::Poller,
    source,
};
use crate::{latency::Latency, meter::Meter};

/// An event that neither server does anything about: its ack says so.
const NOTHING: &str = "nothing";

/// What all share.
struct Load {
    stopping: Cell<bool>,
    measuring: Cell<bool>,
    done: Cell<u64>,
    latency: RefCell<Latency>,
}

impl Load {
    fn new() -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            stopping: Cell::new(false),
            measuring: Cell::new(false),
            done: Cell::new(0),
            latency: RefCell::new(Latency::new()?),
        }))
    }

    /// Counts a round trip.
    fn note(&self, began: Instant) {
        if self.measuring.get() {
            self.latency.borrow_mut().record(began.elapsed());
            self.done.set(self.done.get() + 1);
        }
    }
}

/// Acks of an event without any work, by WebSocket.
pub(super) async fn nothing(stage: &Stage, server: &Running, rooms: &[Room]) -> Result<Figures> {
    let (load, mut people) = (Load::new()?, JoinSet::new());
    for (number, room) in rooms.iter().enumerate() {
        let client = Client::open(server.address, Some(source(number)?), &room.tokens[0]).await?;
        people.spawn_local(ask(Rc::clone(&load), client));
    }
    watch(stage, server, &load, &mut people).await
}

/// Messages: each is told to the room, where its author is alone, and acknowledged.
pub(super) async fn messages(stage: &Stage, server: &Running, rooms: &[Room]) -> Result<Figures> {
    let (load, mut people) = (Load::new()?, JoinSet::new());
    for (number, room) in rooms.iter().enumerate() {
        let client = Client::open(server.address, Some(source(number)?), &room.tokens[0]).await?;
        people.spawn_local(say(Rc::clone(&load), client, room.id));
    }
    watch(stage, server, &load, &mut people).await
}

/// Acks of an event without any work, by long-polling: one `POST` and one `GET` for each.
pub(super) async fn polling(stage: &Stage, server: &Running, rooms: &[Room]) -> Result<Figures> {
    let (load, mut people) = (Load::new()?, JoinSet::new());
    for room in rooms {
        let poller = Poller::open(server.address, &room.tokens[0]).await?;
        people.spawn_local(poll(Rc::clone(&load), poller));
    }
    watch(stage, server, &load, &mut people).await
}

/// Counts for as long as the load is to last, then lets everyone come to an end.
async fn watch(
    stage: &Stage,
    server: &Running,
    load: &Load,
    people: &mut JoinSet<Result<()>>,
) -> Result<Figures> {
    let counted = async {
        sleep(WARM_UP).await;
        let meter = Meter::start(server.pid())?;
        load.measuring.set(true);
        sleep(stage.lasts).await;
        load.measuring.set(false);
        load.stopping.set(true);
        meter.stop()
    };
    let usage = tokio::select! {
        usage = counted => usage?,
        Some(ended) = people.join_next() => {
            ended??;
            bail!("a socket ended before its time");
        }
    };
    let ended = async {
        while let Some(ended) = people.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    timeout(DRAIN, ended).await.context("an answer was lost")??;
    let (count, latency) = (load.done.get(), load.latency.borrow());
    Ok(vec![
        ("round trips/s", usage.rate(count)),
        ("p50 ms", latency.millis_at(0.5)),
        ("p99 ms", latency.millis_at(0.99)),
        ("server CPU µs/round trip", usage.server_each(count)),
        ("client CPU µs/round trip", usage.client_each(count)),
        ("other cores busy", usage.other_cores()),
    ])
}

async fn ask(load: Rc<Load>, mut client: Client) -> Result<()> {
    for number in 0.. {
        let began = Instant::now();
        client.queue(&packet::event(number, NOTHING, "{}"));
        client.flush().await?;
        let mut is_acked = false;
        while !is_acked {
            client
                .receive(|packet| {
                    let Packet::Ack(acked, _) = packet else { bail!("{packet:?} came where an ack was due") };
                    ensure!(acked == number && !is_acked, "the ack {acked} came where {number} was due");
                    is_acked = true;
                    Ok(())
                })
                .await?;
        }
        load.note(began);
        if load.stopping.get() {
            break;
        }
    }
    Ok(())
}

async fn say(load: Rc<Load>, mut client: Client, room: i64) -> Result<()> {
    for number in 0.. {
        let began = Instant::now();
        client.queue(&packet::event(number, "message", &packet::message(room, number)));
        client.flush().await?;
        let (mut is_heard, mut is_acked) = (false, false);
        while !(is_heard && is_acked) {
            client
                .receive(|packet| {
                    match packet {
                        Packet::Ack(acked, answer) => {
                            ensure!(acked == number && !is_acked, "the ack {acked} came, not {number}");
                            ensure!(answer.starts_with(br#"[{"id""#), "{}", String::from_utf8_lossy(answer));
                            load.note(began);
                            is_acked = true;
                        }
                        Packet::Event(event) => {
                            let heard = packet::heard(event)?.context("nobody else is here")?;
                            ensure!(heard == number && !is_heard, "message {heard} came, not {number}");
                            is_heard = true;
                        }
                        other => bail!("{other:?} came where an ack was due"),
                    }
                    Ok(())
                })
                .await?;
        }
        if load.stopping.get() {
            break;
        }
    }
    Ok(())
}

async fn poll(load: Rc<Load>, mut poller: Poller) -> Result<()> {
    for number in 0.. {
        let began = Instant::now();
        poller.round_trip(number, NOTHING, "{}").await?;
        load.note(began);
        if load.stopping.get() {
            break;
        }
    }
    Ok(())
}
