//! The bytes of one WebSocket.

use std::{cell::RefCell, io};

use kit::websocket::{
    Raw,
    frame::{Decoder, Incoming, Opcode, Violation, encode, encode_close},
};
use tokio::net::TcpStream;

/// Bytes that are encoded and written at once.
const BATCH: usize = 64 << 10;

/// Bytes that are read at once.
const READ: usize = 32 << 10;

/// Bytes that the system did not take yet, beyond which the client is not read from.
const MAX_UNWRITTEN: usize = 64 << 10;

/// An open WebSocket. While it is idle, it holds no buffer.
pub(super) struct Wire {
    raw: Raw,
    decoder: Decoder,
    unwritten: Vec<u8>,
    /// After a violation nothing can be read any more. What still comes is thrown away until the client has read why:
    /// a connection that is closed over unread bytes is reset, and the close frame may be lost.
    is_deaf: bool,
}

impl Wire {
    /// Takes messages of `max_message` bytes at most.
    pub(super) fn new(mut raw: Raw, max_message: usize) -> Self {
        let mut decoder = Decoder::new(max_message);
        decoder.feed(&raw.early);
        raw.early = bytes::Bytes::new();
        Self { raw, decoder, unwritten: Vec::new(), is_deaf: false }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.raw.socket
    }

    /// Whether the system has to take something before anything else can be written.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Whether the client takes what is written.
    pub(super) fn is_writable(&self) -> bool {
        self.unwritten.len() < MAX_UNWRITTEN
    }

    /// The next message or control frame, if all of it is here. A violation is told once.
    pub(super) fn decode(&mut self) -> Result<Option<Incoming>, Violation> {
        if self.is_deaf {
            return Ok(None);
        }
        self.decoder.decode().inspect_err(|_| {
            self.is_deaf = true;
            self.decoder = Decoder::new(0);
        })
    }

    /// Reads what there is: `false` at the end.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
        }
        BUFFER.with_borrow_mut(|buffer| match self.raw.socket.try_read(buffer) {
            Ok(read) => {
                if !self.is_deaf {
                    self.decoder.feed(&buffer[..read]);
                }
                Ok(read > 0)
            }
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(fault) => Err(fault),
        })
    }

    /// Adds a frame behind what waits.
    pub(super) fn push(&mut self, opcode: Opcode, payload: &[u8]) {
        encode(opcode, payload, &mut self.unwritten);
    }

    /// Adds a close frame behind what waits.
    pub(super) fn push_close(&mut self, code: u16) {
        encode_close(code, &mut self.unwritten);
    }

    /// Writes what waits: `false` when the system does not take it all.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        if self.unwritten.is_empty() {
            return Ok(true);
        }
        let taken = try_write(&self.raw.socket, &self.unwritten)?;
        self.unwritten.drain(..taken);
        if self.unwritten.is_empty() {
            self.unwritten = Vec::new();
        }
        Ok(self.unwritten.is_empty())
    }

    /// Writes texts, then perhaps a close frame; nothing may wait before them. What the system does not take, waits.
    pub(super) fn write(&mut self, texts: &[bytes::Bytes], close: Option<u16>) -> io::Result<()> {
        thread_local! {
            static BATCHED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        BATCHED.with_borrow_mut(|batch| {
            batch.clear();
            for text in texts {
                encode(Opcode::Text, text, batch);
            }
            if let Some(code) = close {
                encode_close(code, batch);
            }
            let taken = try_write(&self.raw.socket, batch)?;
            self.unwritten.extend_from_slice(&batch[taken..]);
            if batch.capacity() > 4 * BATCH {
                *batch = Vec::new();
            }
            Ok(())
        })
    }
}

/// Writes what the system takes now; how much that was.
fn try_write(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.try_write(bytes) {
        Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
