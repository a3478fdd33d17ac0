//! What goes to the client: bytes that wait for the system, and frames that wait for those.

use std::{
    cell::RefCell,
    collections::HashSet,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::MessageId;
use realtime::{Close, Frame, Note, Queue, Waiting};
use tokio::net::TcpStream;

use super::frame::{Opcode, encode, encode_close};

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
    notes: Vec<Arc<Note>>,
    /// What is queued comes behind a replay, whose end is not reached.
    is_replaying: bool,
    /// The messages that the replay gave.
    replayed: HashSet<MessageId>,
    compare_until: Option<Instant>,
}

/// What may be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// What waits for the system.
    Waiting,
    /// Then what is queued.
    Queued,
    /// Then the close of the queue.
    Close,
}

/// What a round of writing came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The messages that are with the system now.
    pub(super) notes: Vec<Arc<Note>>,
    /// Queued frames that were taken.
    pub(super) frames: usize,
    /// A close frame is written, or among the bytes that wait.
    pub(super) close: Option<Close>,
    /// The system took everything.
    pub(super) all: bool,
}

impl Outgoing {
    pub(super) fn new(queue: Arc<Queue>, is_replaying: bool) -> Self {
        Self {
            queue,
            unwritten: Vec::new(),
            notes: Vec::new(),
            is_replaying,
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

    /// Whether a replay goes on.
    pub(super) fn is_replaying(&self) -> bool {
        self.is_replaying
    }

    /// Adds a page of the replay, or ends it.
    pub(super) fn replayed(&mut self, page: Option<Vec<Frame>>) {
        let Some(page) = page else {
            self.is_replaying = false;
            self.compare_until = Some(Instant::now() + COMPARE_FOR);
            return;
        };
        for frame in page {
            self.replayed.extend(frame.note.as_ref().map(|note| note.message()));
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

    /// Writes until the system takes no more. What is queued is left there while a replay goes on, but not when the
    /// queue is closed.
    pub(super) fn write(&mut self, socket: &TcpStream, what: What) -> io::Result<Written> {
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
            if what == What::Waiting
                || written.close.is_some()
                || self.is_replaying && self.queue.closing().is_none()
            {
                return Ok(written);
            }
            let mut waiting = self.queue.take(BATCH);
            if what == What::Queued {
                waiting.close = None;
            }
            if waiting.frames.is_empty() && waiting.close.is_none() {
                return Ok(written);
            }
            written.all = false;
            written.close = waiting.close;
            written.frames += waiting.frames.len();
            self.write_taken(socket, waiting)?;
        }
    }

    fn write_taken(&mut self, socket: &TcpStream, waiting: Waiting) -> io::Result<()> {
        thread_local! {
            static BATCHED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
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
            Ok(())
        })
    }

    fn was_replayed(&mut self, frame: &Frame) -> bool {
        if self.compare_until.is_some_and(|until| until < Instant::now()) {
            self.compare_until = None;
            self.replayed = HashSet::new();
        }
        !self.replayed.is_empty()
            && frame.note.as_ref().is_some_and(|note| self.replayed.contains(&note.message()))
    }
}

/// Writes what the system takes now; how much that was.
fn try_write(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.try_write(bytes) {
        Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
