//! 64 people, two by two in conversations of their own, send as fast as they are answered.
//!
//! A message counts when its sender has heard its echo, which says that it is stored and synced. In the end each
//! socket must have heard every message of its conversation once, in one order, and the history must agree.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    DRAIN, Stage, WARM_UP,
    frames::{self, Heard},
    people::{self, Person},
};
use crate::{
    http::{Connection, get},
    latency::Latency,
    meter::{Meter, Usage},
    progress,
    report::Row,
    server::Server,
    websocket::Socket,
};

/// Senders; each has an account and a socket.
const SENDERS: usize = 64;

/// Messages that a sender has under way.
const WINDOWS: [usize; 2] = [1, 16];

/// How long it is listened for messages that come twice.
const AFTERMATH: Duration = Duration::from_millis(300);

/// What all senders share.
struct Load {
    window: usize,
    stopping: Cell<bool>,
    measuring: Cell<bool>,
    acknowledged: Cell<u64>,
    latency: RefCell<Latency>,
    /// How many messages each has sent.
    sent: Vec<Cell<u64>>,
}

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for window in WINDOWS {
        rows.push(stage.with_server(async |server| measure(stage, server, window).await).await?);
    }
    Ok(rows)
}

async fn measure(stage: &Stage, server: &Server, window: usize) -> Result<Row> {
    let people = people::make(server, SENDERS).await?;
    let mut conversations = Vec::new();
    for pair in people.chunks_exact(2) {
        conversations.push(people::conversation(server, &pair[0], &pair[1]).await?);
    }
    let load = Rc::new(Load {
        window,
        stopping: Cell::new(false),
        measuring: Cell::new(false),
        acknowledged: Cell::new(0),
        latency: RefCell::new(Latency::new()?),
        sent: vec![Cell::new(0); SENDERS],
    });
    let mut sockets = Vec::new();
    for (me, person) in people.iter().enumerate() {
        let path = frames::path(conversations[me / 2]);
        sockets.push(Socket::open(server.address, None, &path, &person.token).await?);
    }
    progress(&format!("  {window} in flight each"));
    let mut senders = JoinSet::new();
    for (me, socket) in sockets.into_iter().enumerate() {
        senders.spawn_local(Sender::new(Rc::clone(&load), socket, me).run());
    }
    let usage = watch(stage, server, &load, &mut senders).await?;
    timeout(DRAIN, all(&mut senders)).await.context("messages were lost: they did not come in time")??;
    for (pair, conversation) in conversations.iter().enumerate() {
        check_history(server, &people[2 * pair], *conversation, pair, &load).await?;
    }
    let (count, latency) = (load.acknowledged.get(), load.latency.borrow());
    Ok(stage
        .row()
        .with("in flight each", window)
        .with("acknowledged messages/s", usage.rate(count))
        .with("p50 ms", latency.millis_at(0.5))
        .with("p99 ms", latency.millis_at(0.99))
        .with("p99.9 ms", latency.millis_at(0.999))
        .with("server CPU µs/message", usage.server_each(count))
        .with("client CPU µs/message", usage.client_each(count))
        .with("other cores busy", usage.other_cores())
        .with("checked messages", load.sent.iter().map(Cell::get).sum::<u64>()))
}

/// Counts for as long as the load is to last, then tells the senders to stop.
async fn watch(
    stage: &Stage,
    server: &Server,
    load: &Load,
    senders: &mut JoinSet<Result<()>>,
) -> Result<Usage> {
    let counted = async {
        sleep(WARM_UP).await;
        let meter = Meter::start(server.pid())?;
        load.measuring.set(true);
        sleep(stage.lasts).await;
        load.measuring.set(false);
        let usage = meter.stop()?;
        load.stopping.set(true);
        Ok(usage)
    };
    tokio::select! {
        usage = counted => usage,
        Some(ended) = senders.join_next() => {
            ended??;
            bail!("a sender ended before its time")
        }
    }
}

async fn all(senders: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(())
}

struct Sender {
    load: Rc<Load>,
    socket: Socket,
    me: usize,
    peer: usize,
    ears: Ears,
    /// When each message under way was sent, by its number modulo the window.
    sent_at: Vec<Instant>,
}

/// What one socket has heard.
struct Ears {
    pair: [usize; 2],
    /// How many of each of the two.
    heard: [u64; 2],
    last_id: u64,
}

impl Ears {
    fn new(pair: [usize; 2]) -> Self {
        Self { pair, heard: [0, 0], last_id: 0 }
    }

    /// Takes note of a message: it must be the sender's next one, and younger than all before.
    fn note(&mut self, message: Heard) -> Result<()> {
        let Heard { id, sender, number } = message;
        let at = self.pair.iter().position(|one| *one == sender);
        let heard = at.and_then(|at| self.heard.get_mut(at)).context("a message of a stranger")?;
        ensure!(
            number == *heard && id > self.last_id,
            "message {number} (id {id}) of sender {sender} came where {heard} was due, after id {}",
            self.last_id
        );
        *heard += 1;
        self.last_id = id;
        Ok(())
    }
}

impl Sender {
    fn new(load: Rc<Load>, socket: Socket, me: usize) -> Self {
        let sent_at = vec![Instant::now(); load.window];
        Self { load, socket, me, peer: me ^ 1, ears: Ears::new([me, me ^ 1]), sent_at }
    }

    async fn run(mut self) -> Result<()> {
        self.send(self.load.window).await?;
        while !self.is_done() {
            let acknowledged = self.receive().await?;
            if !self.load.stopping.get() {
                self.send(acknowledged).await?;
            }
        }
        let more = self.socket.receive(|frame| bail!("one too many: {}", String::from_utf8_lossy(frame)));
        timeout(AFTERMATH, more).await.unwrap_or(Ok(()))
    }

    fn is_done(&self) -> bool {
        let sent = |who: usize| self.load.sent[who].get();
        self.load.stopping.get() && self.ears.heard == [sent(self.me), sent(self.peer)]
    }

    async fn send(&mut self, messages: usize) -> Result<()> {
        let now = Instant::now();
        let sent = &self.load.sent[self.me];
        for _ in 0..messages {
            let number = sent.get();
            self.socket.queue(frames::said(self.me, number).as_bytes());
            let place = usize::try_from(number)? % self.load.window;
            self.sent_at[place] = now;
            sent.set(number + 1);
        }
        self.socket.flush().await
    }

    /// Waits for messages; how many of them were one's own.
    async fn receive(&mut self) -> Result<usize> {
        let Self { load, socket, me, ears, sent_at, .. } = self;
        let mut acknowledged = 0;
        socket
            .receive(|frame| {
                let message = frames::heard(frame)?;
                ears.note(message)?;
                if message.sender == *me {
                    acknowledged += 1;
                    if load.measuring.get() {
                        let place = usize::try_from(message.number)? % load.window;
                        load.latency.borrow_mut().record(sent_at[place].elapsed());
                        load.acknowledged.set(load.acknowledged.get() + 1);
                    }
                }
                Ok(())
            })
            .await?;
        Ok(acknowledged)
    }
}

/// Reads the whole history, and compares it with what was sent.
async fn check_history(
    server: &Server,
    person: &Person,
    conversation: i64,
    pair: usize,
    load: &Load,
) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    let mut newest_first: Vec<Heard> = Vec::new();
    loop {
        let before = newest_first.last().map(|oldest| format!("&before={}", oldest.id)).unwrap_or_default();
        let path = format!("/conversations/{conversation}/?limit=5000{before}");
        let answer = connection.json(200, &get(&path, &person.token)).await?;
        let page = answer["message_set"].as_array().context("a history without messages")?;
        for message in page {
            newest_first.push(stored(message).context("a stranger's message in the history")?);
        }
        if page.len() < 5000 {
            break;
        }
    }
    let pair = [2 * pair, 2 * pair + 1];
    let mut ears = Ears::new(pair);
    newest_first.into_iter().rev().try_for_each(|message| ears.note(message)).context("in the history")?;
    let sent = pair.map(|who| load.sent[who].get());
    ensure!(ears.heard == sent, "the history has {:?} messages of {sent:?}", ears.heard);
    Ok(())
}

fn stored(message: &Value) -> Option<Heard> {
    frames::of_text(message["id"].as_u64()?, message["text"].as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_doubled_and_misplaced_messages_are_noticed() {
        let told = |id, sender, number| Heard { id, sender, number };
        let after = |messages: &[Heard]| {
            let mut ears = Ears::new([4, 5]);
            messages.iter().try_for_each(|message| ears.note(*message)).is_ok()
        };
        assert!(after(&[told(1, 4, 0), told(2, 5, 0), told(5, 4, 1)]));
        assert!(!after(&[told(1, 4, 0), told(2, 4, 2)]));
        assert!(!after(&[told(1, 4, 0), told(1, 4, 0)]));
        assert!(!after(&[told(2, 4, 0), told(1, 5, 0)]));
        assert!(!after(&[told(1, 6, 0)]));
    }
}
