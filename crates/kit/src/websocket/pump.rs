//! One open WebSocket: what the client says goes to its live session, what is queued goes to the client.

use std::{
    cell::RefCell,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use realtime::{Close, Listening, Queue};
use tokio::{net::TcpStream, time::sleep_until};
use tokio_util::task::TaskTracker;

use super::{
    Handshake, MessageRate,
    frame::{Decoder, Incoming, Opcode, encode, encode_close},
    handshake::Raw,
    rate::Bucket,
};

/// Bytes that are encoded and written at once.
const BATCH: usize = 64 << 10;

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

/// The speaking half of a live session. It knows no socket.
pub trait Live: Send + 'static {
    /// What comes of a text message.
    fn said(&mut self, text: String) -> Said;

    /// What comes of a binary message: a close with 1003, unless the dialect knows better (RFC 6455, 7.4.1).
    fn said_binary(&mut self, _bytes: Vec<u8>) -> Said {
        Said::Close(1003)
    }

    /// What a client is told whose message is beyond its [`MessageRate`], if the dialect has a frame for it.
    fn throttled(&self) -> Option<Bytes>;
}

/// What comes of a message.
pub enum Said {
    /// Nothing to wait for: these frames go to the sender.
    Answer(Vec<Bytes>),
    /// It is in the works, and its frames come later. The next messages need not wait: they are begun in order.
    Later(BoxFuture<'static, Vec<Bytes>>),
    /// As `Later`, but the next message is not begun before it is done.
    Alone(BoxFuture<'static, Vec<Bytes>>),
    /// The socket is closed with this code.
    Close(u16),
}

/// What a socket may send.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Most bytes of a message: 1009 beyond.
    pub max_message: usize,
    /// How many messages; no bound without.
    pub rate: Option<MessageRate>,
}

/// All open sockets of the process.
#[derive(Clone, Debug, Default)]
pub struct Sockets(TaskTracker);

impl Sockets {
    /// Accepts the handshake: from now on the client talks to `live`, and gets what comes on `queue`.
    /// `listening` ends with the socket.
    pub fn open(
        &self,
        handshake: Handshake,
        live: impl Live,
        queue: Arc<Queue>,
        listening: Listening,
        limits: Limits,
    ) -> Response {
        let tracker = self.0.clone();
        handshake.accept(move |raw| {
            tracker.track_future(async move {
                let _listening = listening;
                Pump::new(raw, live, queue, limits).run().await;
            })
        })
    }

    /// Waits until all are closed, so long at most. No socket is to be opened any more.
    pub async fn closed(&self, within: Duration) {
        self.0.close();
        if tokio::time::timeout(within, self.0.wait()).await.is_err() {
            tracing::warn!(sockets = self.0.len(), "sockets did not close in time");
        }
    }
}

struct Pump<L> {
    raw: Raw,
    live: L,
    queue: Arc<Queue>,
    decoder: Decoder,
    bucket: Bucket,
    in_flight: FuturesOrdered<BoxFuture<'static, Vec<Bytes>>>,
    /// Whether the last one in flight has to be done before the next is begun.
    alone: bool,
    /// Bytes that the system did not take at once.
    unwritten: Vec<u8>,
    heard_at: Instant,
    pinged: bool,
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
    fn new(raw: Raw, live: L, queue: Arc<Queue>, limits: Limits) -> Self {
        let now = Instant::now();
        let mut decoder = Decoder::new(limits.max_message);
        decoder.feed(&raw.early);
        Self {
            raw,
            live,
            queue,
            decoder,
            bucket: Bucket::new(limits.rate, now),
            in_flight: FuturesOrdered::new(),
            alone: false,
            unwritten: Vec::new(),
            heard_at: now,
            pinged: false,
            state: State::Open,
        }
    }

    async fn run(mut self) {
        self.raw.early = Bytes::new();
        self.decode();
        while self.state != State::Done {
            if let Err(fault) = self.step().await {
                tracing::debug!(%fault, "a socket's connection broke");
                break;
            }
        }
        // What was begun is finished, though nobody is there to hear the answer.
        while self.in_flight.next().await.is_some() {}
    }

    /// Waits for one thing, and deals with it.
    async fn step(&mut self) -> io::Result<()> {
        self.write()?;
        if self.state == State::Done {
            return Ok(());
        }
        let socket = &self.raw.socket;
        let alarm_at = self.alarm_at();
        tokio::select! {
            () = self.queue.wait(), if matches!(self.state, State::Open | State::Closing { .. }) => self.heed_close(),
            writable = socket.writable(), if !self.unwritten.is_empty() => writable?,
            Some(answers) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                self.alone = false;
                for answer in answers {
                    self.queue.push(answer);
                }
                self.decode();
            }
            readable = socket.readable(), if self.may_read() => {
                readable?;
                self.read()?;
            }
            () = sleep_until(alarm_at.into()) => self.alarm(),
        }
        Ok(())
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
        let decoder = &mut self.decoder;
        let read = BUFFER.with_borrow_mut(|buffer| {
            let read = self.raw.socket.try_read(buffer);
            if let Ok(bytes) = read {
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
        while matches!(self.state, State::Open | State::CloseSent { .. }) && !self.is_full() {
            match self.decoder.next() {
                Ok(None) => break,
                Ok(Some(incoming)) => self.take(incoming),
                Err(_) if self.state != State::Open => self.state = State::Done,
                Err(violation) => self.close(violation.code()),
            }
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match (incoming, self.state) {
            // The client's answer to our close, or one of its own at the same time.
            (Incoming::Close(_), State::CloseSent { .. }) => self.state = State::Done,
            (Incoming::Pong, _) | (_, State::CloseSent { .. }) => {}
            (Incoming::Close(code), _) => {
                encode_close(code.unwrap_or(1000), &mut self.unwritten);
                self.state = State::Answering { deadline: Instant::now() + CLOSE_WITHIN };
            }
            (Incoming::Ping(payload), _) => encode(Opcode::Pong, &payload, &mut self.unwritten),
            (Incoming::Text(text), _) => {
                if self.bucket.take(Instant::now()) {
                    let said = self.live.said(text);
                    self.answer(said);
                } else if let Some(frame) = self.live.throttled() {
                    self.queue.push(frame);
                }
            }
            (Incoming::Binary(bytes), _) => {
                let said = self.live.said_binary(bytes);
                self.answer(said);
            }
        }
    }

    fn answer(&mut self, said: Said) {
        match said {
            Said::Answer(frames) => frames.into_iter().for_each(|frame| self.queue.push(frame)),
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
            self.queue.close(Close(code));
            self.state = State::Closing { deadline: Instant::now() + CLOSE_WITHIN };
        }
    }

    /// Writes what is unwritten, then what is queued, until the system takes no more.
    fn write(&mut self) -> io::Result<()> {
        thread_local! {
            static BATCHED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        loop {
            if !self.unwritten.is_empty() {
                let Some(written) = try_write(&self.raw.socket, &self.unwritten)? else { return Ok(()) };
                self.unwritten.drain(..written);
                if !self.unwritten.is_empty() {
                    return Ok(());
                }
                self.unwritten = Vec::new();
            }
            match self.state {
                State::Answering { .. } => self.state = State::Done,
                State::CloseSent { .. } | State::Done => return Ok(()),
                State::Open | State::Closing { .. } => {}
            }
            let waiting = self.queue.take(BATCH);
            if waiting.frames.is_empty() && waiting.close.is_none() {
                return Ok(());
            }
            BATCHED.with_borrow_mut(|batch| {
                batch.clear();
                for frame in &waiting.frames {
                    encode(Opcode::Text, frame, batch);
                }
                if let Some(why) = waiting.close {
                    encode_close(why.0, batch);
                    self.state = State::CloseSent { deadline: self.close_deadline(why) };
                }
                let written = try_write(&self.raw.socket, batch)?.unwrap_or(0);
                self.unwritten.extend_from_slice(&batch[written..]);
                if batch.capacity() > 4 * BATCH {
                    *batch = Vec::new();
                }
                io::Result::Ok(())
            })?;
        }
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
            && let Some(why) = self.queue.closing()
        {
            self.state = State::Closing { deadline: self.close_deadline(why) };
        }
    }

    fn alarm_at(&self) -> Instant {
        match self.state {
            State::Open => self.heard_at + if self.pinged { GONE_AFTER } else { PING_AFTER },
            State::Closing { deadline } | State::CloseSent { deadline } | State::Answering { deadline } => {
                deadline
            }
            State::Done => Instant::now(),
        }
    }

    fn alarm(&mut self) {
        match self.state {
            State::Open if !self.pinged => {
                self.pinged = true;
                encode(Opcode::Ping, b"", &mut self.unwritten);
            }
            _ => self.state = State::Done,
        }
    }
}

/// Writes what the system takes now; `None` when it takes nothing.
fn try_write(socket: &TcpStream, bytes: &[u8]) -> io::Result<Option<usize>> {
    match socket.try_write(bytes) {
        Ok(written) => Ok(Some(written)),
        Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(fault) => Err(fault),
    }
}
