//! One room with many open sockets: what is said once is heard by all of them.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    Case, DRAIN, Stage, WARM_UP,
    client::Client,
    contender::{Room, Running},
    figures::Figures,
    packet::{self, Packet},
    source,
};
use crate::{latency::Latency, meter::Meter, number::real};

/// How the one sender sends.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// A message at each of these intervals, whether the last one has been heard or not.
    Every(Duration),
    /// So many messages that not all have heard yet.
    Window(usize),
}

impl Pace {
    /// That of a case.
    pub(super) fn of(case: Case) -> Self {
        match case {
            Case::RoomOne => Self::Window(1),
            Case::RoomEight => Self::Window(8),
            _ => Self::Every(Duration::from_millis(20)),
        }
    }

    /// What tables call it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Every(interval) => format!("{:.0} messages/s", 1.0 / interval.as_secs_f64()),
            Self::Window(messages) => format!("{messages} in flight"),
        }
    }
}

/// What the sockets share.
struct Hall {
    room: i64,
    sockets: usize,
    stopping: Cell<bool>,
    measuring: Cell<bool>,
    delivered: Cell<u64>,
    latency: RefCell<Latency>,
    sent: Cell<u64>,
    /// The messages that not all have heard: when each was due, and by how many it was heard.
    pending: RefCell<VecDeque<(Instant, usize)>>,
    /// Wakes the sender when all have heard one.
    heard_by_all: Notify,
}

pub(super) async fn measure(stage: &Stage, server: &Running, room: &Room, pace: Pace) -> Result<Figures> {
    let hall = Rc::new(Hall {
        room: room.id,
        sockets: stage.sockets,
        stopping: Cell::new(false),
        measuring: Cell::new(false),
        delivered: Cell::new(0),
        latency: RefCell::new(Latency::new()?),
        sent: Cell::new(0),
        pending: RefCell::default(),
        heard_by_all: Notify::new(),
    });
    let mut clients = Vec::new();
    for number in 0..stage.sockets {
        let token = &room.tokens[number % room.tokens.len()];
        clients.push(Client::open(server.address, Some(source(number)?), token).await?);
    }
    let mut people = JoinSet::new();
    let speaker = clients.pop().context("no sockets")?;
    people.spawn_local(speak(Rc::clone(&hall), speaker, pace));
    for client in clients {
        people.spawn_local(listen(Rc::clone(&hall), client));
    }
    let figures = tokio::select! {
        figures = count(stage, server, &hall) => figures?,
        ended = people.join_next() => return unexpected(ended),
    };
    timeout(DRAIN, all_heard(&hall, &mut people)).await.context("messages were lost")??;
    Ok(figures)
}

async fn count(stage: &Stage, server: &Running, hall: &Hall) -> Result<Figures> {
    sleep(WARM_UP).await;
    let meter = Meter::start(server.pid())?;
    hall.measuring.set(true);
    sleep(stage.lasts).await;
    hall.measuring.set(false);
    hall.stopping.set(true);
    let (usage, count, latency) = (meter.stop()?, hall.delivered.get(), hall.latency.borrow());
    Ok(vec![
        ("deliveries/s", usage.rate(count)),
        ("deliveries/server CPU s", real(count) / usage.server.as_secs_f64().max(0.01)),
        ("p50 ms", latency.millis_at(0.5)),
        ("p99 ms", latency.millis_at(0.99)),
        ("server cores busy", usage.server.as_secs_f64() / usage.elapsed.as_secs_f64()),
        ("client CPU µs/delivery", usage.client_each(count)),
        ("other cores busy", usage.other_cores()),
    ])
}

/// Waits until everyone has heard everything.
async fn all_heard(hall: &Hall, people: &mut JoinSet<Result<()>>) -> Result<()> {
    while !hall.pending.borrow().is_empty() {
        tokio::select! {
            () = sleep(Duration::from_millis(10)) => {}
            ended = people.join_next() => unexpected(ended)?,
        }
    }
    Ok(())
}

fn unexpected<T>(ended: Option<Result<Result<()>, tokio::task::JoinError>>) -> Result<T> {
    ended.context("nobody listens")???;
    bail!("a socket ended before its time")
}

async fn listen(hall: Rc<Hall>, mut client: Client) -> Result<()> {
    let mut next = 0;
    loop {
        client.receive(|packet| hall.heard(packet, &mut next)).await?;
    }
}

async fn speak(hall: Rc<Hall>, mut client: Client, pace: Pace) -> Result<()> {
    let mut next = 0;
    let every = match pace {
        Pace::Every(interval) => interval,
        Pace::Window(_) => Duration::from_hours(1),
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let due = tokio::select! {
            tick = ticks.tick() => vec![tick.into_std()],
            () = hall.heard_by_all.notified() => Vec::new(),
            received = client.receive(|packet| hall.heard(packet, &mut next)) => {
                received?;
                Vec::new()
            }
        };
        if hall.stopping.get() {
            continue;
        }
        let due = match pace {
            Pace::Every(_) => due,
            Pace::Window(most) => vec![Instant::now(); most.saturating_sub(hall.pending.borrow().len())],
        };
        for due in due {
            client.queue(&packet::said(hall.room, hall.sent.get()));
            hall.sent.set(hall.sent.get() + 1);
            hall.pending.borrow_mut().push_back((due, 0));
        }
        client.flush().await?;
    }
}

impl Hall {
    /// Notes that a socket has heard a message, which must be its next one.
    fn heard(&self, packet: Packet<'_>, next: &mut u64) -> Result<()> {
        let Packet::Event(event) = packet else { bail!("{packet:?} came where a message was due") };
        let Some(number) = packet::heard(event)? else { return Ok(()) };
        ensure!(number == *next, "message {number} came where {next} was due");
        *next += 1;
        let mut pending = self.pending.borrow_mut();
        let done = self.sent.get() - u64::try_from(pending.len())?;
        let place = usize::try_from(number.checked_sub(done).context("a message came twice")?)?;
        let (due, heard_by) = pending.get_mut(place).context("a message that nobody sent")?;
        *heard_by += 1;
        if self.measuring.get() {
            self.latency.borrow_mut().record(due.elapsed());
            self.delivered.set(self.delivered.get() + 1);
        }
        // Each hears them in order: the oldest is the first to be heard by all.
        if *heard_by == self.sockets && place == 0 {
            pending.pop_front();
            self.heard_by_all.notify_one();
        }
        Ok(())
    }
}
