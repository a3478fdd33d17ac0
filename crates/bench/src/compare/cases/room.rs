//! One room with many listeners: what is said once is heard by all of them.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    DRAIN, Load, WARM_UP,
    chat::Pace,
    crowd::{self, meanwhile},
    hearing::Hearing,
    span::{Names, Span, Tally},
};
use crate::{
    compare::{
        client::{Client, Ears, Heard, Mouth, Poster},
        door::Door,
        figures::{Measured, Order},
        running::Running,
    },
    number::count,
    progress,
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

/// What the clients share.
struct Room {
    /// Everyone, the speaker too.
    clients: usize,
    pace: Pace,
    stopping: Cell<bool>,
    tally: Tally,
    said: Cell<u64>,
    /// The messages that not all have heard: when each was due, and by how many it was heard.
    pending: RefCell<VecDeque<(Instant, usize)>>,
    /// Wakes the speaker when all have heard one.
    heard_by_all: Notify,
    /// Whether a misplaced message is an error.
    ordered: bool,
    /// Deliveries that came after a later message.
    late: Cell<u64>,
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
                Ok((span, order)) => measured.push(span.figures(name, &NAMES, server)?.heard(order)),
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
    let room = Rc::new(Room {
        clients: doors.len(),
        pace,
        stopping: Cell::new(false),
        tally: Tally::new()?,
        said: Cell::new(0),
        pending: RefCell::default(),
        heard_by_all: Notify::new(),
        ordered: server.contender().keeps_order(),
        late: Cell::new(0),
    });
    let mut clients = crowd::enter(server, doors).await?.into_iter();
    let mut tasks = JoinSet::new();
    let Client { ears, mouth } = clients.next().context("nobody speaks")?;
    // The others listen before anything is said.
    for Client { ears, mouth } in clients {
        drop(mouth);
        tasks.spawn_local(listen(Rc::clone(&room), ears));
    }
    match mouth {
        Mouth::Frame(before, after) => {
            tasks.spawn_local(speak(Rc::clone(&room), ears, (before, after)));
        }
        Mouth::Post(poster) => {
            tasks.spawn_local(listen(Rc::clone(&room), ears));
            tasks.spawn_local(post(Rc::clone(&room), poster));
        }
    }
    let span = meanwhile(&mut tasks, async {
        sleep(WARM_UP).await;
        let meter = server.meter()?;
        room.tally.begin();
        sleep(load.lasts).await;
        room.tally.end(meter.stop()?)
    })
    .await?;
    room.stopping.set(true);
    let all_heard = meanwhile(&mut tasks, async {
        while !room.pending.borrow().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    });
    let all_heard = timeout(DRAIN, all_heard).await;
    all_heard.with_context(|| format!("not all had heard everything after {} s", DRAIN.as_secs()))??;
    let deliveries = room.said.get() * count(room.clients);
    Ok((span, Order { deliveries, late: room.late.get() }))
}

async fn listen(room: Rc<Room>, mut ears: Ears) -> Result<()> {
    let mut hearing = Hearing::default();
    loop {
        room.hear(&mut ears, &mut hearing).await?;
    }
}

async fn speak(room: Rc<Room>, mut ears: Ears, (before, after): (String, String)) -> Result<()> {
    let (mut hearing, mut ticks) = (Hearing::default(), room.pace.ticks(Duration::ZERO));
    loop {
        let tick = tokio::select! {
            tick = ticks.tick() => Some(tick),
            () = room.heard_by_all.notified() => None,
            heard = room.hear(&mut ears, &mut hearing) => {
                heard?;
                None
            }
        };
        for due in room.due(tick) {
            ears.say((&before, &after), 0, room.says(due))?;
        }
        ears.flush().await?;
    }
}

/// Speaks by requests, one after another.
async fn post(room: Rc<Room>, mut poster: Box<Poster>) -> Result<()> {
    let mut ticks = room.pace.ticks(Duration::ZERO);
    loop {
        let tick = tokio::select! {
            tick = ticks.tick() => Some(tick),
            () = room.heard_by_all.notified() => None,
        };
        for due in room.due(tick) {
            poster.say(0, room.says(due)).await?;
        }
    }
}

impl Room {
    /// When each of the messages was due that are to be said now.
    fn due(&self, tick: Option<Instant>) -> Vec<Instant> {
        match self.pace {
            _ if self.stopping.get() => Vec::new(),
            Pace::Every(_) => tick.into_iter().collect(),
            Pace::Window(most) => vec![Instant::now(); most.saturating_sub(self.pending.borrow().len())],
        }
    }

    /// Takes note of a message that is about to be said; its number.
    fn says(&self, due: Instant) -> u64 {
        let number = self.said.get();
        self.said.set(number + 1);
        self.pending.borrow_mut().push_back((due, 0));
        number
    }

    /// Waits until one client has heard something. Safe to drop while it waits.
    async fn hear(&self, ears: &mut Ears, hearing: &mut Hearing) -> Result<()> {
        let mut now = None;
        ears.hear(|message| self.heard(message, hearing, *now.get_or_insert_with(Instant::now))).await
    }

    /// Notes that a client has heard a message.
    fn heard(&self, message: Heard, hearing: &mut Hearing, now: Instant) -> Result<()> {
        let Heard { sender, number } = message;
        ensure!(sender == 0, "a message of a stranger");
        if self.ordered {
            hearing.note_next(number)?;
        } else if !hearing.note(number)? {
            self.late.set(self.late.get() + 1);
        }
        let mut pending = self.pending.borrow_mut();
        let done = self.said.get() - count(pending.len());
        let Some(place) = number.checked_sub(done) else { bail!("message {number} came twice") };
        let (due, heard_by) = pending.get_mut(usize::try_from(place)?).context("nobody said this")?;
        *heard_by += 1;
        self.tally.add(now.duration_since(*due));
        while pending.pop_front_if(|(_, heard_by)| *heard_by == self.clients).is_some() {
            self.heard_by_all.notify_one();
        }
        Ok(())
    }
}
