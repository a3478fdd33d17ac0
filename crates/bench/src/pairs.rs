//! Pairs of people over WebSocket: one speaks, both hear, and the next message goes when both have heard.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
    str::from_utf8,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
    try_join,
};

use crate::{
    latency::Latency,
    meter::Meter,
    report::Row,
    server::Server,
    stage::{Stage, WARM_UP},
    websocket::Socket,
};

/// How many pairs.
pub(crate) const PAIRS: usize = 64;

/// How long what is under way may take to arrive once a load has ended.
const DRAIN: Duration = Duration::from_secs(30);

/// How long it is listened for messages that come twice.
const AFTERMATH: Duration = Duration::from_millis(300);

/// What fills a message up to the length of a usual one.
const FILLING: &str = "the tide comes in, the lantern goes out, and nobody minds";

/// How a dialect writes on its sockets.
#[derive(Clone, Copy)]
pub(crate) struct Wire {
    /// What stands before and behind the text in a frame that says it.
    pub(crate) said: fn(channel: &str, text: &str) -> String,
    /// What a frame of a message holds, just before its text.
    pub(crate) before_text: &'static [u8],
    /// How a frame begins that tells the speaker that a message was received; `None` where there is no such frame.
    pub(crate) receipt: Option<&'static [u8]>,
}

/// A pair, ready to talk.
pub(crate) struct Pair {
    pub(crate) channel: String,
    pub(crate) speaker: Socket,
    pub(crate) listener: Socket,
}

/// The text of a message.
pub(crate) fn text(number: u64) -> String {
    format!("{number}:{FILLING}")
}

/// What all pairs share.
struct Load {
    wire: Wire,
    stopping: Cell<bool>,
    measuring: Cell<bool>,
    heard: Cell<u64>,
    /// Until the listener had it, and until the speaker had its echo.
    latencies: [RefCell<Latency>; 2],
}

/// One side of a pair.
struct Side {
    load: Rc<Load>,
    socket: Socket,
    /// The number of the message that is to come next.
    next: u64,
    receipts: HashSet<u64>,
}

/// Measures. How many messages each pair has sent, for who looks into the histories.
pub(crate) async fn talk(
    stage: &Stage,
    server: &Server,
    wire: Wire,
    pairs: Vec<Pair>,
) -> Result<(Row, Vec<u64>)> {
    let load = Rc::new(Load {
        wire,
        stopping: Cell::new(false),
        measuring: Cell::new(false),
        heard: Cell::new(0),
        latencies: [RefCell::new(Latency::new()?), RefCell::new(Latency::new()?)],
    });
    let number = pairs.len();
    let mut talks = JoinSet::new();
    for (place, pair) in pairs.into_iter().enumerate() {
        let load = Rc::clone(&load);
        talks.spawn_local(async move { anyhow::Ok((place, converse(load, pair).await?)) });
    }
    let counted = async {
        sleep(WARM_UP).await;
        let meter = Meter::start(server.pid())?;
        load.measuring.set(true);
        sleep(stage.lasts).await;
        load.measuring.set(false);
        meter.stop()
    };
    let usage = tokio::select! {
        usage = counted => usage?,
        Some(ended) = talks.join_next() => {
            ended??;
            bail!("a pair ended before its time")
        }
    };
    load.stopping.set(true);
    let mut sent = vec![0; number];
    timeout(DRAIN, async {
        while let Some(ended) = talks.join_next().await {
            let (place, messages): (usize, u64) = ended??;
            sent[place] = messages;
        }
        anyhow::Ok(())
    })
    .await
    .context("messages were lost: they did not come in time")??;
    let (count, [to_peer, to_self]) = (load.heard.get(), &load.latencies);
    let row = stage
        .row()
        .with("pairs", number)
        .with("messages/s", usage.rate(count))
        .with("to the other, p50 ms", to_peer.borrow().millis_at(0.5))
        .with("p99 ms", to_peer.borrow().millis_at(0.99))
        .with("own echo, p50 ms", to_self.borrow().millis_at(0.5))
        .with("echo, p99 ms", to_self.borrow().millis_at(0.99))
        .with("server CPU µs/message", usage.server_each(count))
        .with("client CPU µs/message", usage.client_each(count))
        .with("other cores busy", usage.other_cores())
        .with("checked messages", sent.iter().sum::<u64>());
    Ok((row, sent))
}

/// Talks until the load ends; how many messages were sent.
async fn converse(load: Rc<Load>, pair: Pair) -> Result<u64> {
    let side = |socket| Side { load: Rc::clone(&load), socket, next: 0, receipts: HashSet::new() };
    let (mut speaker, mut listener) = (side(pair.speaker), side(pair.listener));
    let mut number = 0;
    while !load.stopping.get() {
        speaker.socket.queue((load.wire.said)(&pair.channel, &text(number)).as_bytes());
        let sent_at = Instant::now();
        speaker.socket.flush().await?;
        try_join!(listener.until(number, 0, sent_at), speaker.until(number, 1, sent_at))?;
        number += 1;
    }
    if load.wire.receipt.is_some() {
        while speaker.receipts.len() as u64 != number {
            speaker.receive().await?;
        }
    }
    for side in [&mut speaker, &mut listener] {
        let more = side.socket.receive(|frame| bail!("one too many: {}", String::from_utf8_lossy(frame)));
        timeout(AFTERMATH, more).await.unwrap_or(Ok(()))?;
    }
    Ok(number)
}

impl Side {
    /// Waits for the message of that number.
    async fn until(&mut self, number: u64, which: usize, sent_at: Instant) -> Result<()> {
        while self.next <= number {
            self.receive().await?;
        }
        if self.load.measuring.get() {
            self.load.latencies[which].borrow_mut().record(sent_at.elapsed());
            if which == 0 {
                self.load.heard.set(self.load.heard.get() + 1);
            }
        }
        Ok(())
    }

    /// Waits for something: the next message, or a receipt that has not come yet.
    async fn receive(&mut self) -> Result<()> {
        let Self { load, socket, next, receipts } = self;
        let wire = load.wire;
        socket
            .receive(|frame| {
                let number = number_in(frame, wire.before_text)
                    .with_context(|| format!("not a message: {}", String::from_utf8_lossy(frame)))?;
                if wire.receipt.is_some_and(|receipt| frame.starts_with(receipt)) {
                    ensure!(number < *next && receipts.insert(number), "message {number} was received twice");
                } else {
                    ensure!(number == *next, "message {number} came where {next} was due");
                    *next += 1;
                }
                Ok(())
            })
            .await
    }
}

/// The number that a message's text begins with. Not by a JSON parser: this client shall cost less than the server.
fn number_in(frame: &[u8], before: &[u8]) -> Option<u64> {
    let at = frame.windows(before.len()).position(|window| window == before)?;
    let rest = &frame[at + before.len()..];
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    from_utf8(&rest[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_where_the_text_begins() {
        let frame = br#"{"type":"friendship_message","message":{"content":"42:the tide"}}"#;
        assert_eq!(number_in(frame, b"\"content\":\""), Some(42));
        assert_eq!(number_in(frame, b"\"text\":\""), None);
        assert_eq!(number_in(br#"{"text":"hello"}"#, b"\"text\":\""), None);
    }
}
