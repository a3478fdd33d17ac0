//! The meter of a room with many open sockets: what is said once is heard by all of them.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    hearing::{Hearing, Order},
    meter::Meter,
    number::count,
    pace::Pace,
    parallel::meanwhile,
    stage::WARM_UP,
    tally::{Span, Tally},
};

/// How long what is under way may take to arrive once a load has ended.
const DRAIN: Duration = Duration::from_secs(30);

/// A socket that can be asked for the numbers of messages.
pub(crate) trait Listen {
    /// Waits until something came, and hands over the number of each message in it. Safe to drop while it waits.
    async fn hear(&mut self, message: impl FnMut(u64) -> Result<()>) -> Result<()>;
}

/// One by which something can be said as well.
pub(crate) trait Speak: Listen {
    /// Adds the message of this number to what the next [`Speak::flush`] sends.
    fn say(&mut self, number: u64) -> Result<()>;

    /// Sends what is queued. Safe to drop while it waits.
    async fn flush(&mut self) -> Result<()>;
}

/// By which something is said in requests, one after another.
pub(crate) trait Post {
    /// Says the message of this number, and waits until that is acknowledged.
    async fn post(&mut self, number: u64) -> Result<()>;
}

/// A room whose clients come in one by one. Those who listen come before the one who speaks.
pub(crate) struct FanOut {
    room: Rc<Room>,
    tasks: JoinSet<Result<()>>,
}

/// What the clients share.
struct Room {
    /// How many hear what is said, the speaker too.
    clients: Cell<usize>,
    pace: Pace,
    /// Whether a misplaced message is an error.
    ordered: bool,
    stopping: Cell<bool>,
    tally: Tally,
    said: Cell<u64>,
    /// Deliveries that came after a later message.
    late: Cell<u64>,
    /// The messages that not all have heard: when each was due, and by how many it was heard.
    pending: RefCell<VecDeque<(Instant, usize)>>,
    /// Wakes the speaker when all have heard one.
    heard_by_all: Notify,
}

impl FanOut {
    /// An empty room. Where order is not promised, misplaced messages are counted.
    pub(crate) fn new(pace: Pace, ordered: bool) -> Result<Self> {
        let room = Room {
            clients: Cell::new(0),
            pace,
            ordered,
            stopping: Cell::new(false),
            tally: Tally::new()?,
            said: Cell::new(0),
            late: Cell::new(0),
            pending: RefCell::default(),
            heard_by_all: Notify::new(),
        };
        Ok(Self { room: Rc::new(room), tasks: JoinSet::new() })
    }

    /// One that only listens.
    pub(crate) fn listen(&mut self, socket: impl Listen + 'static) {
        let room = self.entered();
        self.tasks.spawn_local(listen(room, socket));
    }

    /// The one who speaks, and listens.
    pub(crate) fn speak(&mut self, socket: impl Speak + 'static) {
        let room = self.entered();
        self.tasks.spawn_local(speak(room, socket));
    }

    /// The one who speaks by requests, and listens elsewhere.
    pub(crate) fn post(&mut self, poster: impl Post + 'static) {
        self.tasks.spawn_local(post(Rc::clone(&self.room), poster));
    }

    fn entered(&self) -> Rc<Room> {
        self.room.clients.set(self.room.clients.get() + 1);
        Rc::clone(&self.room)
    }

    /// Counts for so long; then nothing more is said, and everyone must have heard everything.
    pub(crate) async fn measure(
        self,
        meter: impl FnOnce() -> Result<Meter>,
        lasts: Duration,
    ) -> Result<(Span, Order)> {
        let Self { room, mut tasks } = self;
        let span = meanwhile(&mut tasks, async {
            sleep(WARM_UP).await;
            let meter = meter()?;
            room.tally.begin();
            sleep(lasts).await;
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
        let deliveries = room.said.get() * count(room.clients.get());
        Ok((span, Order { deliveries, late: room.late.get() }))
    }
}

async fn listen(room: Rc<Room>, mut socket: impl Listen) -> Result<()> {
    let mut hearing = Hearing::default();
    loop {
        room.hear(&mut socket, &mut hearing).await?;
    }
}

async fn speak(room: Rc<Room>, mut socket: impl Speak) -> Result<()> {
    let (mut hearing, mut ticks) = (Hearing::default(), room.pace.ticks(Duration::ZERO));
    loop {
        let tick = tokio::select! {
            tick = ticks.tick() => Some(tick),
            () = room.heard_by_all.notified() => None,
            heard = room.hear(&mut socket, &mut hearing) => {
                heard?;
                None
            }
        };
        for due in room.due(tick) {
            socket.say(room.says(due))?;
        }
        socket.flush().await?;
    }
}

async fn post(room: Rc<Room>, mut poster: impl Post) -> Result<()> {
    let mut ticks = room.pace.ticks(Duration::ZERO);
    loop {
        let tick = tokio::select! {
            tick = ticks.tick() => Some(tick),
            () = room.heard_by_all.notified() => None,
        };
        for due in room.due(tick) {
            poster.post(room.says(due)).await?;
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
    async fn hear(&self, socket: &mut impl Listen, hearing: &mut Hearing) -> Result<()> {
        let mut now = None;
        socket.hear(|number| self.heard(number, hearing, *now.get_or_insert_with(Instant::now))).await
    }

    /// Notes that a client has heard a message.
    fn heard(&self, number: u64, hearing: &mut Hearing, now: Instant) -> Result<()> {
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
        let clients = self.clients.get();
        while pending.pop_front_if(|(_, heard_by)| *heard_by == clients).is_some() {
            self.heard_by_all.notify_one();
        }
        Ok(())
    }
}
