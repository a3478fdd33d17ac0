//! One open WebSocket: what the client says goes to its live session, what is queued goes to the client.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use realtime::{Close, Flusher, Frame, Outlet, Queue};
use tokio::time::sleep_until;

use super::{
    Limits, Live, Replay, Said,
    frame::{Decoder, Incoming, Opcode},
    handshake::Raw,
    outgoing::{Outgoing, What},
    rate::Bucket,
    shared::Shared,
};

/// Bytes that are read at once.
const READ: usize = 32 << 10;

/// Messages of one socket in the works at a time; further ones wait in the system's buffers.
const IN_FLIGHT: usize = 256;

/// A client that sends nothing for this long is pinged.
const PING_AFTER: Duration = Duration::from_secs(25);

/// One that then still sends nothing is gone.
const GONE_AFTER: Duration = Duration::from_secs(50);

/// How long a close may take, what is queued before it and the client's answer included.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The same for a receiver that was too slow: it is to learn why, once it reads again.
const SLOW_CLOSE_WITHIN: Duration = Duration::from_mins(1);

pub(super) struct Pump<L> {
    shared: Arc<Shared<L>>,
    replay: Option<Replay>,
    decoder: Decoder,
    bucket: Bucket,
    in_flight: FuturesOrdered<BoxFuture<'static, Vec<Frame>>>,
    /// Whether the last one in flight has to be done before the next is begun.
    alone: bool,
    expires_at: Option<Instant>,
    heard_at: Instant,
    pinged: bool,
    /// After a violation nothing can be read any more. What still comes is thrown away until the client has read why:
    /// a connection that is closed over unread bytes is reset, and the close frame may be lost.
    deaf: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    /// What is queued is still written, then our close frame; the client is no longer listened to.
    Closing {
        deadline: Instant,
    },
    /// Our close frame is written, or among the bytes to be written: the client's answer is due.
    CloseSent {
        deadline: Instant,
    },
    /// The client has closed, and our answer is to be written.
    Answering {
        deadline: Instant,
    },
    /// Over.
    Done,
}

impl<L: Live> Pump<L> {
    pub(super) fn new(raw: Raw, live: L, queue: Arc<Queue>, replay: Option<Replay>, limits: Limits) -> Self {
        let now = Instant::now();
        let (shared, early) = Shared::new(raw, live, Outgoing::new(queue, replay.is_some()));
        let mut decoder = Decoder::new(limits.max_message);
        decoder.feed(&early);
        Self {
            shared,
            replay,
            decoder,
            bucket: Bucket::new(limits.rate, now),
            in_flight: FuturesOrdered::new(),
            alone: false,
            expires_at: limits.expires_at,
            heard_at: now,
            pinged: false,
            deaf: false,
            state: State::Open,
        }
    }

    /// Carries the socket until it ends. What is queued is written by the flusher, where it can be.
    pub(super) async fn run(mut self, flusher: &Flusher) {
        let outlet: Weak<dyn Outlet> = Arc::downgrade(&self.shared) as Weak<dyn Outlet>;
        self.shared.queue().drain_by(flusher, outlet);
        self.decode();
        while self.state != State::Done {
            if let Err(fault) = self.step().await {
                tracing::debug!(%fault, "a socket's connection broke");
                break;
            }
        }
        self.shared.side().is_flushed = false;
        // What was begun is finished, though nobody is there to hear the answer.
        while self.in_flight.next().await.is_some() {}
    }

    /// Waits for one thing, and deals with it.
    async fn step(&mut self) -> io::Result<()> {
        self.write()?;
        if self.state == State::Done {
            return Ok(());
        }
        let (alarm_at, may_read) = (self.alarm_at(), self.may_read());
        let (is_waiting, is_replaying) = {
            let side = self.shared.side();
            (side.out.is_waiting(), side.out.is_replaying())
        };
        let (socket, queue) = (self.shared.socket(), self.shared.queue());
        let next_page = async {
            match &mut self.replay {
                Some(replay) => replay.next().await,
                None => None,
            }
        };
        tokio::select! {
            () = queue.wait(), if !is_replaying && self.state.heeds_queue() => self.heed_close(),
            writable = socket.writable(), if is_waiting => writable?,
            page = next_page, if is_replaying && !is_waiting => self.replayed(page),
            Some(answers) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                // Those before it may still be at work when it is begun: all have to be done.
                self.alone &= !self.in_flight.is_empty();
                self.push(answers);
                self.decode();
            }
            readable = socket.readable(), if may_read => {
                readable?;
                self.read()?;
            }
            () = sleep_until(alarm_at.into()) => self.alarm(),
        }
        Ok(())
    }

    fn replayed(&mut self, page: Option<Vec<Frame>>) {
        if page.is_none() {
            self.replay = None;
        }
        self.shared.side().out.replayed(page);
    }

    /// To be followed by [`Self::write`].
    fn push(&self, answers: Vec<Frame>) {
        for answer in answers {
            self.shared.queue().put(answer);
        }
    }

    fn may_read(&self) -> bool {
        match self.state {
            State::Open => !self.is_full(),
            State::CloseSent { .. } => true,
            State::Closing { .. } | State::Answering { .. } | State::Done => false,
        }
    }

    fn is_full(&self) -> bool {
        self.alone || self.in_flight.len() >= IN_FLIGHT
    }

    fn read(&mut self) -> io::Result<()> {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
        }
        let (decoder, deaf, socket) = (&mut self.decoder, self.deaf, self.shared.socket());
        let read = BUFFER.with_borrow_mut(|buffer| {
            let read = socket.try_read(buffer);
            if let Ok(bytes) = read
                && !deaf
            {
                decoder.feed(&buffer[..bytes]);
            }
            read
        });
        match read {
            Ok(0) => self.state = State::Done,
            Ok(_) => {
                self.heard_at = Instant::now();
                self.pinged = false;
                self.decode();
            }
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn decode(&mut self) {
        while matches!(self.state, State::Open | State::CloseSent { .. }) && !self.is_full() && !self.deaf {
            match self.decoder.decode() {
                Ok(None) => break,
                Ok(Some(incoming)) => self.take(incoming),
                Err(violation) => {
                    self.deaf = true;
                    self.decoder = Decoder::new(0);
                    self.close(violation.code());
                }
            }
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match (incoming, self.state) {
            // The client's answer to our close, or one of its own at the same time.
            (Incoming::Close(_), State::CloseSent { .. }) => self.state = State::Done,
            (Incoming::Pong, _) | (_, State::CloseSent { .. }) => {}
            (Incoming::Close(code), _) => {
                self.shared.side().out.close(code.unwrap_or(1000));
                self.state = State::Answering { deadline: Instant::now() + CLOSE_WITHIN };
            }
            (Incoming::Ping(payload), _) => {
                self.shared.side().out.control(Opcode::Pong, &payload);
            }
            (Incoming::Text(text), _) => {
                if self.bucket.take(Instant::now()) {
                    let said = self.shared.side().live.said(text);
                    self.answer(said);
                } else {
                    let frame = self.shared.side().live.throttled();
                    self.push(frame.into_iter().map(Frame::from).collect());
                }
            }
            (Incoming::Binary(bytes), _) => {
                let said = self.shared.side().live.said_binary(bytes);
                self.answer(said);
            }
        }
    }

    fn answer(&mut self, said: Said) {
        match said {
            Said::Answer(frames) => self.push(frames),
            Said::Later(work) => self.in_flight.push_back(work),
            Said::Alone(work) => {
                self.alone = true;
                self.in_flight.push_back(work);
            }
            Said::Close(code) => self.close(code),
        }
    }

    fn close(&mut self, code: u16) {
        if self.state == State::Open {
            self.shared.queue().close(Close(code));
            self.state = State::Closing { deadline: Instant::now() + CLOSE_WITHIN };
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let mut side = self.shared.side();
        if let Some(fault) = side.fault.take() {
            return Err(fault);
        }
        let what = if self.state.heeds_queue() { What::Close } else { What::Waiting };
        let written = side.out.write(self.shared.socket(), what)?;
        if !written.notes.is_empty() {
            side.live.wrote(&written.notes);
        }
        if let Some(why) = written.close {
            self.state = State::CloseSent { deadline: self.close_deadline(why) };
        }
        if written.all && matches!(self.state, State::Answering { .. }) {
            self.state = State::Done;
        }
        side.is_flushed = self.state == State::Open && !side.out.is_waiting() && !side.out.is_replaying();
        Ok(())
    }

    fn close_deadline(&self, why: Close) -> Instant {
        match self.state {
            State::Closing { deadline } => deadline,
            _ if why == Close::TOO_SLOW => Instant::now() + SLOW_CLOSE_WITHIN,
            _ => Instant::now() + CLOSE_WITHIN,
        }
    }

    /// A queue that was closed from outside is emptied first, but not for ever.
    fn heed_close(&mut self) {
        if self.state == State::Open
            && let Some(why) = self.shared.queue().closing()
        {
            self.state = State::Closing { deadline: self.close_deadline(why) };
        }
    }

    fn alarm_at(&self) -> Instant {
        match self.state {
            State::Open => {
                let silent_at = self.heard_at + if self.pinged { GONE_AFTER } else { PING_AFTER };
                self.expires_at.map_or(silent_at, |expires_at| silent_at.min(expires_at))
            }
            State::Closing { deadline } | State::CloseSent { deadline } | State::Answering { deadline } => {
                deadline
            }
            State::Done => Instant::now(),
        }
    }

    fn alarm(&mut self) {
        let has_expired = self.expires_at.is_some_and(|expires_at| expires_at <= Instant::now());
        match self.state {
            State::Open if has_expired => self.close(Close::SESSION_ENDED.0),
            State::Open if !self.pinged => {
                self.pinged = true;
                self.shared.side().out.control(Opcode::Ping, b"");
            }
            _ => self.state = State::Done,
        }
    }
}

impl State {
    /// Whether what is queued is still for the client.
    fn heeds_queue(self) -> bool {
        matches!(self, Self::Open | Self::Closing { .. })
    }
}
