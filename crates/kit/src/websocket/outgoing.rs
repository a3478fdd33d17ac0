//! What goes to the client: bytes that wait for the system, frames that wait for those, and a replay before both.

use std::{
    cell::RefCell,
    collections::HashSet,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::MessageId;
use futures_util::StreamExt;
use realtime::{Close, Frame, Note, Queue};
use tokio::net::TcpStream;

use super::{
    Replay,
    frame::{Opcode, encode, encode_close},
};

/// Bytes that are encoded and written at once.
const BATCH: usize = 64 << 10;

/// After a replay, queued messages are compared with it for this long: far longer than an event is on its way.
const COMPARE_FOR: Duration = Duration::from_secs(30);

/// The writing side of a socket.
pub(super) struct Outgoing {
    queue: Arc<Queue>,
    /// Bytes that the system did not take at once; whole frames, but for a first one that is written in part.
    unwritten: Vec<u8>,
    /// What those bytes, and the ones just written, carry.
    notes: Vec<Note>,
    replay: Option<Replay>,
    /// The messages that the replay gave.
    replayed: HashSet<MessageId>,
    compare_until: Option<Instant>,
}

/// What a round of writing came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The messages that are with the system now.
    pub(super) notes: Vec<Note>,
    /// A close frame is written, or among the bytes that wait.
    pub(super) close: Option<Close>,
    /// The system took everything.
    pub(super) all: bool,
}

impl Outgoing {
    pub(super) fn new(queue: Arc<Queue>, replay: Option<Replay>) -> Self {
        Self {
            queue,
            unwritten: Vec::new(),
            notes: Vec::new(),
            replay,
            replayed: HashSet::new(),
            compare_until: None,
        }
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Whether the system has to take something before anything else can be written.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Whether the next page of a replay is due.
    pub(super) fn is_replaying(&self) -> bool {
        self.replay.is_some() && self.unwritten.is_empty()
    }

    /// Waits for the next page of the replay; to be handed to [`Self::replayed`]. Safe to cancel.
    pub(super) async fn next_page(&mut self) -> Option<Vec<Frame>> {
        match &mut self.replay {
            Some(replay) => replay.next().await,
            None => None,
        }
    }

    /// Adds a page of the replay, or ends it.
    pub(super) fn replayed(&mut self, page: Option<Vec<Frame>>) {
        let Some(page) = page else {
            self.replay = None;
            self.compare_until = Some(Instant::now() + COMPARE_FOR);
            return;
        };
        for frame in page {
            self.replayed.extend(frame.note.map(|note| note.message));
            self.notes.extend(frame.note);
            encode(Opcode::Text, &frame.bytes, &mut self.unwritten);
        }
    }

    /// Adds a control frame behind what waits for the system, before what is queued.
    pub(super) fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        encode(opcode, payload, &mut self.unwritten);
    }

    /// Adds a close frame in the same place.
    pub(super) fn close(&mut self, code: u16) {
        encode_close(code, &mut self.unwritten);
    }

    /// Writes until the system takes no more. What is queued is left there when `only_waiting`.
    pub(super) fn write(&mut self, socket: &TcpStream, only_waiting: bool) -> io::Result<Written> {
        thread_local! {
            static BATCHED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let mut written = Written::default();
        loop {
            if !self.unwritten.is_empty() {
                let taken = try_write(socket, &self.unwritten)?;
                self.unwritten.drain(..taken);
                if !self.unwritten.is_empty() {
                    return Ok(written);
                }
                self.unwritten = Vec::new();
            }
            written.notes.append(&mut self.notes);
            written.all = true;
            if only_waiting
                || written.close.is_some()
                || self.replay.is_some() && self.queue.closing().is_none()
            {
                return Ok(written);
            }
            let waiting = self.queue.take(BATCH);
            if waiting.frames.is_empty() && waiting.close.is_none() {
                return Ok(written);
            }
            written.all = false;
            written.close = waiting.close;
            BATCHED.with_borrow_mut(|batch| {
                batch.clear();
                for frame in waiting.frames {
                    if !self.was_replayed(&frame) {
                        self.notes.extend(frame.note);
                        encode(Opcode::Text, &frame.bytes, batch);
                    }
                }
                if let Some(Close(code)) = waiting.close {
                    encode_close(code, batch);
                }
                let taken = try_write(socket, batch)?;
                self.unwritten.extend_from_slice(&batch[taken..]);
                if batch.capacity() > 4 * BATCH {
                    *batch = Vec::new();
                }
                io::Result::Ok(())
            })?;
        }
    }

    fn was_replayed(&mut self, frame: &Frame) -> bool {
        if self.compare_until.is_some_and(|until| until < Instant::now()) {
            self.compare_until = None;
            self.replayed = HashSet::new();
        }
        !self.replayed.is_empty() && frame.note.is_some_and(|note| self.replayed.contains(&note.message))
    }
}

/// Writes what the system takes now; how much that was.
fn try_write(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.try_write(bytes) {
        Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
