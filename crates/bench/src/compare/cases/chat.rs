//! Rooms of two in which both talk: the load of several cases.
//!
//! A message counts when it is acknowledged. In the end each client must have heard every message of its room once,
//! and, where the contender promises it, each speaker's in the order in which they were said.

use std::{cell::Cell, collections::VecDeque, rc::Rc, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, sleep, timeout},
};

use super::{DRAIN, crowd};
use crate::{
    compare::{
        client::{Client, Ears, Heard, Mouth, Poster},
        door::Door,
        running::Running,
    },
    hearing::{Hearing, Order},
    number::count,
    pace::Pace,
    parallel::meanwhile,
    tally::{Span, Tally},
};

/// People in a room.
const TOGETHER: usize = 2;

/// How long it is listened for messages that come twice.
const AFTERMATH: Duration = Duration::from_millis(300);

/// What all share.
struct Talk {
    pace: Pace,
    stopping: Cell<bool>,
    tally: Tally,
    /// How many messages each has said.
    said: Vec<Cell<u64>>,
    /// Whether a misplaced message is an error.
    ordered: bool,
    /// Deliveries that came after a later message of the same speaker.
    late: Cell<u64>,
}

impl Talk {
    /// Takes note of what one client has heard of a speaker.
    fn note(&self, speaker: &mut Hearing, message: Heard) -> Result<()> {
        if self.ordered {
            return speaker.note_next(message.number);
        }
        if !speaker.note(message.number)? {
            self.late.set(self.late.get() + 1);
        }
        Ok(())
    }
}

/// A load that goes on.
pub(super) struct Chat {
    talk: Rc<Talk>,
    tasks: JoinSet<Result<()>>,
}

impl Chat {
    /// Everyone enters and begins to talk.
    pub(super) async fn begin(server: &Running, rooms: &[Vec<Door>], pace: Pace) -> Result<Self> {
        let doors = rooms.concat();
        let talk = Rc::new(Talk {
            pace,
            stopping: Cell::new(false),
            tally: Tally::new()?,
            said: vec![Cell::new(0); doors.len()],
            ordered: server.contender().keeps_order(),
            late: Cell::new(0),
        });
        let mut tasks = JoinSet::new();
        let clients = crowd::enter(server, &doors).await?;
        let people = u32::try_from(clients.len())?;
        for (me, client) in clients.into_iter().enumerate() {
            // Evenly over the interval, as people are who know nothing of each other.
            let after = match pace {
                Pace::Every(interval) => interval * u32::try_from(me)? / people,
                Pace::Window(_) => Duration::ZERO,
            };
            let Client { ears, mouth } = client;
            let around = match mouth {
                Mouth::Frame(before, after) => Some((before, after)),
                Mouth::Post(poster) => {
                    tasks.spawn_local(post(Rc::clone(&talk), poster, me, pace.ticks(after)));
                    None
                }
            };
            let member = Member::new(Rc::clone(&talk), ears, around, me);
            tasks.spawn_local(member.run(pace.ticks(after)));
        }
        Ok(Self { talk, tasks })
    }

    /// Counts for so long.
    pub(super) async fn measure(&mut self, server: &Running, lasts: Duration) -> Result<Span> {
        let Self { talk, tasks } = self;
        meanwhile(tasks, async {
            let meter = server.meter()?;
            talk.tally.begin();
            sleep(lasts).await;
            let usage = meter.stop()?;
            talk.tally.end(usage)
        })
        .await
    }

    /// Goes on for so long without counting.
    pub(super) async fn pass(&mut self, lasts: Duration) -> Result<()> {
        meanwhile(&mut self.tasks, async {
            sleep(lasts).await;
            Ok(())
        })
        .await
    }

    /// Nobody says more; waits until everyone has heard everything. What came of all messages.
    pub(super) async fn finish(mut self) -> Result<Order> {
        self.talk.stopping.set(true);
        let heard = timeout(DRAIN, crowd::all(&mut self.tasks)).await;
        heard.with_context(|| {
            format!("not everything was heard within {} s after the last word", DRAIN.as_secs())
        })??;
        let messages: u64 = self.talk.said.iter().map(Cell::get).sum();
        Ok(Order { deliveries: messages * count(TOGETHER), late: self.talk.late.get() })
    }
}

/// One client: its socket, by which it may also talk.
struct Member {
    talk: Rc<Talk>,
    ears: Ears,
    /// What stands around what it says here; nothing when it says it elsewhere.
    around: Option<(String, String)>,
    me: usize,
    /// The one of the room with the lowest number.
    first: usize,
    /// What was heard of each in the room.
    heard: [Hearing; TOGETHER],
    /// When each of its messages under way was due.
    due: VecDeque<Instant>,
}

impl Member {
    fn new(talk: Rc<Talk>, ears: Ears, around: Option<(String, String)>, me: usize) -> Self {
        let first = me / TOGETHER * TOGETHER;
        Self { talk, ears, around, me, first, heard: Default::default(), due: VecDeque::new() }
    }

    async fn run(mut self, mut ticks: Interval) -> Result<()> {
        if let Pace::Window(messages) = self.talk.pace {
            self.say(messages, Instant::now()).await?;
        }
        while !self.is_done() {
            let tick = tokio::select! {
                tick = ticks.tick() => Err(tick),
                acknowledged = self.hear() => Ok(acknowledged?),
            };
            match (self.talk.pace, tick) {
                (Pace::Every(_), Err(due)) => self.say(1, due).await?,
                (Pace::Window(_), Ok(acknowledged)) => self.say(acknowledged, Instant::now()).await?,
                _ => {}
            }
        }
        let more = self.ears.hear(|message| bail!("one too many: {message:?}"));
        timeout(AFTERMATH, more).await.unwrap_or(Ok(()))
    }

    fn is_done(&self) -> bool {
        let mut people = (self.first..).zip(&self.heard);
        self.talk.stopping.get() && people.all(|(who, heard)| heard.is_all_of(self.talk.said[who].get()))
    }

    /// Says so many things, unless it says them elsewhere or the end has come.
    async fn say(&mut self, messages: usize, due: Instant) -> Result<()> {
        let Some((before, after)) = self.around.as_ref().filter(|_| !self.talk.stopping.get()) else {
            return Ok(());
        };
        let said = &self.talk.said[self.me];
        for _ in 0..messages {
            self.ears.say((before, after), self.me, said.get())?;
            self.due.push_back(due);
            said.set(said.get() + 1);
        }
        self.ears.flush().await
    }

    /// Waits for messages; how many of one's own were acknowledged by them.
    async fn hear(&mut self) -> Result<usize> {
        let Self { talk, ears, me, first, heard, due, .. } = self;
        let (mut acknowledged, mut now) = (0, None);
        ears.hear(|message| {
            let place = message.sender.checked_sub(*first);
            let speaker =
                place.and_then(|place| heard.get_mut(place)).context("a message of another room")?;
            talk.note(speaker, message).with_context(|| format!("of {}", message.sender))?;
            // One that posts was acknowledged by the answer.
            if message.sender == *me
                && let Some(due) = due.pop_front()
            {
                acknowledged += 1;
                talk.tally.add(now.get_or_insert_with(Instant::now).duration_since(due));
            }
            Ok(())
        })
        .await?;
        Ok(acknowledged)
    }
}

/// Talks by requests, one after another.
async fn post(talk: Rc<Talk>, mut poster: Box<Poster>, me: usize, mut ticks: Interval) -> Result<()> {
    let said = &talk.said[me];
    loop {
        let due = match talk.pace {
            Pace::Every(_) => ticks.tick().await,
            Pace::Window(_) => Instant::now(),
        };
        if talk.stopping.get() {
            return Ok(());
        }
        let number = said.get();
        said.set(number + 1);
        poster.say(me, number).await?;
        talk.tally.add(due.elapsed());
    }
}
