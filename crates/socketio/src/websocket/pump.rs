//! Between a WebSocket and its session.

use std::{io, time::Duration};

use kit::websocket::{
    Raw,
    frame::{Incoming, Opcode},
};
use realtime::Close;
use tokio::time::{Instant, sleep_until};

use super::wire::Wire;
use crate::{
    engine::Packet,
    session::{End, Session},
};

/// Bytes taken from a queue at once.
const ENOUGH: usize = 64 << 10;

/// How long a close may take, what is queued before it and the client's answer included.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The same for a receiver that was too slow: it is to learn why, once it reads again.
const SLOW_CLOSE_WITHIN: Duration = Duration::from_mins(1);

/// Carries the session until either ends.
pub(crate) async fn run(raw: Raw, max_message: usize, session: Box<Session>) {
    carry(Wire::new(raw, max_message), session).await;
}

/// The same over a WebSocket that was spoken on before.
pub(super) async fn carry(wire: Wire, session: Box<Session>) {
    let mut pump = Pump { wire, session, state: State::Open, close_by: None };
    while pump.state != State::Done {
        if let Err(fault) = pump.step().await {
            tracing::debug!(%fault, "a socket's connection broke");
            break;
        }
    }
    let Pump { wire, session, .. } = pump;
    drop(wire);
    session.wind_up().await;
}

struct Pump {
    wire: Wire,
    session: Box<Session>,
    state: State,
    /// When a close that has begun is given up.
    close_by: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    /// Our close frame is written, or among the bytes to be written: the client's answer is due.
    CloseSent,
    /// The client has closed, and our answer is to be written.
    Answering,
    /// Over.
    Done,
}

impl Pump {
    /// Waits for one thing, and deals with it.
    async fn step(&mut self) -> io::Result<()> {
        self.write()?;
        // What is written makes room for more of what was read.
        while self.decode() {
            self.write()?;
        }
        if self.state == State::Done {
            return Ok(());
        }
        let is_open = self.state == State::Open && self.session.end().is_none();
        let may_read = match self.state {
            State::Open => is_open && self.session.is_ready() && self.wire.is_writable(),
            State::CloseSent => true,
            State::Answering | State::Done => false,
        };
        let close_by = self.close_by;
        tokio::select! {
            () = self.session.wake(), if is_open => {}
            writable = self.wire.socket().writable(), if self.wire.is_waiting() => writable?,
            readable = self.wire.socket().readable(), if may_read => {
                readable?;
                if !self.wire.read()? {
                    self.state = State::Done;
                }
            }
            () = sleep_until(close_by.unwrap_or_else(Instant::now)), if close_by.is_some() => {
                self.state = State::Done;
            }
        }
        Ok(())
    }

    /// Takes what was read, as far as may be; whether that was anything.
    fn decode(&mut self) -> bool {
        let mut took = false;
        loop {
            let may_take = match self.state {
                State::Open => self.session.is_ready(),
                State::CloseSent => true,
                State::Answering | State::Done => false,
            };
            if !may_take {
                return took;
            }
            match self.wire.decode() {
                Ok(None) => return took,
                Ok(Some(incoming)) => self.take(incoming),
                Err(violation) => self.session.finish(End::Broken(Close(violation.code()))),
            }
            took = true;
        }
    }

    fn take(&mut self, incoming: Incoming) {
        let protocol = self.session.protocol();
        match (incoming, self.state) {
            // The client's answer to our close, or one of its own at the same time.
            (Incoming::Close(_), State::CloseSent) => self.state = State::Done,
            (Incoming::Pong, _) | (_, State::CloseSent) => {}
            (Incoming::Close(code), _) => {
                self.session.finish(End::Left);
                self.wire.push_close(code.unwrap_or(1000));
                self.state = State::Answering;
                self.close_by = Some(Instant::now() + CLOSE_WITHIN);
            }
            (Incoming::Ping(payload), _) => self.wire.push(Opcode::Pong, &payload),
            (Incoming::Text(text), _) => self.session.offer(Packet::of_text(text, protocol)),
            (Incoming::Binary(bytes), _) => self.session.offer(Packet::of_binary(&bytes, protocol)),
        }
    }

    /// Writes until the system takes no more, or there is nothing.
    fn write(&mut self) -> io::Result<()> {
        loop {
            let flushed = self.wire.flush()?;
            if flushed && self.state == State::Answering {
                self.state = State::Done;
            }
            if self.state != State::Open {
                return Ok(());
            }
            let packets = if flushed { self.session.waiting(usize::MAX, ENOUGH) } else { Vec::new() };
            let close = match self.session.end() {
                None => None,
                Some(End::Gone) => {
                    self.state = State::Done;
                    return Ok(());
                }
                Some(End::Left) => Some(Close(1000)),
                Some(End::Close(why) | End::Broken(why)) => Some(why),
            };
            if let Some(why) = close {
                let within = if why == Close::TOO_SLOW { SLOW_CLOSE_WITHIN } else { CLOSE_WITHIN };
                self.close_by.get_or_insert_with(|| Instant::now() + within);
            }
            if !flushed || (packets.is_empty() && close.is_none()) {
                return Ok(());
            }
            self.wire.write(&packets, close.map(|why| why.0))?;
            if close.is_some() {
                self.state = State::CloseSent;
            }
        }
    }
}
