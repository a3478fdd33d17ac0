//! One conversation with many open sockets: what is said once is heard by all of them.

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

use super::{DRAIN, Stage, WARM_UP, frames, people};
use crate::{
    latency::Latency,
    meter::{Meter, Usage},
    report::Row,
    server::Server,
    websocket::Socket,
};

/// How the one sender sends.
#[derive(Clone, Copy)]
enum Pace {
    /// A message at each of these intervals, whether the last one has been heard or not.
    Every(Duration),
    /// So many messages that not all have heard yet.
    Window(usize),
}

const PACES: [Pace; 3] = [Pace::Every(Duration::from_millis(10)), Pace::Window(1), Pace::Window(8)];

/// What the sockets share.
struct Room {
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
    let room = Rc::new(Room {
        sockets: sockets.len(),
        stopping: Cell::new(false),
        measuring: Cell::new(false),
        delivered: Cell::new(0),
        latency: RefCell::new(Latency::new()?),
        sent: Cell::new(0),
        pending: RefCell::default(),
        heard_by_all: Notify::new(),
    });
    let speaker = sockets.pop().context("no sockets")?;
    let mut listeners = JoinSet::new();
    listeners.spawn_local(speak(Rc::clone(&room), speaker, pace));
    for socket in sockets {
        listeners.spawn_local(listen(Rc::clone(&room), socket));
    }
    let sockets = room.sockets;
    let usage = watch(stage, server, &room, &mut listeners).await?;
    timeout(DRAIN, all_heard(&room, &mut listeners)).await.context("messages were lost")??;
    let (count, latency) = (room.delivered.get(), room.latency.borrow());
    let pace = match pace {
        Pace::Every(interval) => format!("{:.0} messages/s", 1.0 / interval.as_secs_f64()),
        Pace::Window(messages) => format!("{messages} in flight"),
    };
    Ok(stage
        .row()
        .with("sockets", sockets)
        .with("load", pace)
        .with("deliveries/s", usage.rate(count))
        .with("p50 ms", latency.millis_at(0.5))
        .with("p99 ms", latency.millis_at(0.99))
        .with("server CPU µs/delivery", usage.server_each(count))
        .with("client CPU µs/delivery", usage.client_each(count))
        .with("other cores busy", usage.other_cores()))
}

async fn watch(
    stage: &Stage,
    server: &Server,
    room: &Room,
    listeners: &mut JoinSet<Result<()>>,
) -> Result<Usage> {
    let counted = async {
        sleep(WARM_UP).await;
        let meter = Meter::start(server.pid())?;
        room.measuring.set(true);
        sleep(stage.lasts).await;
        room.measuring.set(false);
        room.stopping.set(true);
        meter.stop()
    };
    tokio::select! {
        usage = counted => usage,
        ended = listeners.join_next() => unexpected(ended),
    }
}

/// Waits until everyone has heard everything.
async fn all_heard(room: &Room, listeners: &mut JoinSet<Result<()>>) -> Result<()> {
    while !room.pending.borrow().is_empty() {
        tokio::select! {
            () = sleep(Duration::from_millis(10)) => {}
            ended = listeners.join_next() => unexpected(ended)?,
        }
    }
    Ok(())
}

fn unexpected<T>(ended: Option<Result<Result<()>, tokio::task::JoinError>>) -> Result<T> {
    ended.context("nobody listens")???;
    bail!("a socket ended before its time")
}

async fn listen(room: Rc<Room>, mut socket: Socket) -> Result<()> {
    let mut next = 0;
    loop {
        socket.receive(|frame| room.heard(frame, &mut next)).await?;
    }
}

async fn speak(room: Rc<Room>, mut socket: Socket, pace: Pace) -> Result<()> {
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
            () = room.heard_by_all.notified() => Vec::new(),
            received = socket.receive(|frame| room.heard(frame, &mut next)) => {
                received?;
                Vec::new()
            }
        };
        if room.stopping.get() {
            continue;
        }
        let due = match pace {
            Pace::Every(_) => due,
            Pace::Window(most) => vec![Instant::now(); most.saturating_sub(room.pending.borrow().len())],
        };
        for due in due {
            socket.queue(frames::said(0, room.sent.get()).as_bytes());
            room.sent.set(room.sent.get() + 1);
            room.pending.borrow_mut().push_back((due, 0));
        }
        socket.flush().await?;
    }
}

impl Room {
    /// Notes that a socket has heard a message, which must be its next one.
    fn heard(&self, frame: &[u8], next: &mut u64) -> Result<()> {
        let message = frames::heard(frame)?;
        ensure!(message.number == *next, "message {} came where {next} was due", message.number);
        *next += 1;
        let mut pending = self.pending.borrow_mut();
        let done = self.sent.get() - u64::try_from(pending.len())?;
        let place = usize::try_from(message.number.checked_sub(done).context("a message came twice")?)?;
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
