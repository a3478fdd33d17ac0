//! As much of an HTTP/1.1 client as loads need: one kept connection, bodies with a Content-Length or in chunks.

use std::{
    net::{IpAddr, SocketAddr},
    str::from_utf8,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// Bytes that are read at once.
const READ: usize = 64 << 10;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of the head, its empty line included.
    pub(crate) bytes: usize,
    content_length: Option<usize>,
    /// Whether the body comes in chunks.
    pub(crate) chunked: bool,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::open_from(address, None).await
    }

    /// Connects from a source address, if one is given.
    pub(crate) async fn open_from(address: SocketAddr, source: Option<IpAddr>) -> Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        if let Some(source) = source {
            tcp.bind(SocketAddr::new(source, 0))?;
        }
        let stream = tcp.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a whole request and waits for the whole answer: its status and body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = head_of(&self.buffer)? {
                break head;
            }
            self.read().await?;
        };
        if head.chunked {
            return self.chunked(&head).await;
        }
        let body = match head.content_length {
            Some(length) => length,
            None if matches!(head.status, 204 | 304) => 0,
            None => bail!("an answer without Content-Length"),
        };
        while self.buffer.len() < head.bytes + body {
            self.read().await?;
        }
        ensure!(self.buffer.len() == head.bytes + body, "an answer is longer than it says");
        Ok((head.status, &self.buffer[head.bytes..]))
    }

    /// Reads the rest of a body in chunks, which takes the place of the answer.
    async fn chunked(&mut self, head: &Head) -> Result<(u16, &[u8])> {
        let (mut chunks, mut body) = (Chunks::default(), Vec::new());
        let mut fed = head.bytes;
        loop {
            chunks.feed(&self.buffer[fed..], |part| {
                body.extend_from_slice(part);
                Ok(())
            })?;
            if chunks.ended() {
                break;
            }
            fed = self.buffer.len();
            self.read().await?;
        }
        self.buffer = body;
        Ok((head.status, &self.buffer))
    }

    /// Asks for JSON, with JSON where there is a body; any answer but the expected one is an error.
    pub(crate) async fn json(&mut self, expected: u16, request: &[u8]) -> Result<Value> {
        let (status, body) = self.ask(request).await?;
        ensure!(status == expected, "status {status}: {}", String::from_utf8_lossy(body));
        // Plain text is told as a string.
        Ok(serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into()))
    }

    async fn read(&mut self) -> Result<()> {
        self.buffer.reserve(READ);
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        Ok(())
    }
}

/// A `GET`.
pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A `POST` of JSON; without a token when that is empty.
pub(crate) fn post(path: &str, token: &str, body: &Value) -> Vec<u8> {
    post_with(path, &bearer(token), &body.to_string())
}

/// A `POST` of JSON with whatever else stands in the head; each line of it ends with CR LF.
pub(crate) fn post_with(path: &str, headers: &str, body: &str) -> Vec<u8> {
    with_body("POST", path, headers, body)
}

/// A `PUT` of JSON.
pub(crate) fn put(path: &str, token: &str, body: &Value) -> Vec<u8> {
    with_body("PUT", path, &bearer(token), &body.to_string())
}

fn bearer(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") }
}

fn with_body(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The head at the beginning of these bytes, once it is whole.
pub(crate) fn head_of(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = from_utf8(&bytes[..end]).context("the head of an answer is not text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let Some(status) = status else { bail!("no answer in HTTP: {text}") };
    let header = |wanted: &str| {
        let mut headers = lines.clone().filter_map(|line| line.split_once(':'));
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let content_length = header("content-length").and_then(|value| value.parse().ok());
    let chunked = header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    Ok(Some(Head { status, bytes: end + 4, content_length, chunked }))
}

/// A body in chunks (RFC 9112, 7.1), taken apart as it comes.
#[derive(Default)]
pub(crate) struct Chunks {
    expects: Expects,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Expects {
    /// The digits of a chunk's length, so far this.
    #[default]
    Length,
    LengthSoFar(usize),
    /// The end of the line of a length.
    Line(usize),
    /// So many bytes of a chunk.
    Data(usize),
    /// The end of the line behind a chunk.
    Behind,
    /// Trailers, which are none of ours, up to an empty line; whether the line is empty so far.
    Trailers(bool),
    Nothing,
}

impl Chunks {
    /// Whether the last chunk has come.
    pub(crate) fn ended(&self) -> bool {
        self.expects == Expects::Nothing
    }

    /// Takes what came, and hands over what of it is data.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut data: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some((&first, rest)) = bytes.split_first() {
            if let Expects::Data(left) = self.expects {
                let (part, rest) = bytes.split_at(left.min(bytes.len()));
                data(part)?;
                self.expects =
                    if part.len() == left { Expects::Behind } else { Expects::Data(left - part.len()) };
                bytes = rest;
                continue;
            }
            self.expects = self.expects.after(first)?;
            bytes = rest;
        }
        Ok(())
    }
}

impl Expects {
    /// What is expected behind a byte that is no data.
    fn after(self, byte: u8) -> Result<Self> {
        let end_of = |length| if length == 0 { Self::Trailers(true) } else { Self::Data(length) };
        let so_far = if let Self::LengthSoFar(length) = self { length } else { 0 };
        Ok(match (self, byte) {
            (Self::LengthSoFar(length) | Self::Line(length), b'\n') => end_of(length),
            (Self::LengthSoFar(length), b'\r' | b';' | b' ') | (Self::Line(length), _) => Self::Line(length),
            (Self::Length | Self::LengthSoFar(_), byte) => {
                let digit = char::from(byte).to_digit(16).context("a chunk without a length")?;
                let length = so_far.checked_mul(16).and_then(|so_far| so_far.checked_add(digit as usize));
                Self::LengthSoFar(length.context("a chunk too long")?)
            }
            (Self::Behind, b'\r') => Self::Behind,
            (Self::Behind, b'\n') => Self::Length,
            (Self::Trailers(true), b'\n') => Self::Nothing,
            (Self::Trailers(false), b'\n') => Self::Trailers(true),
            (Self::Trailers(empty), b'\r') => Self::Trailers(empty),
            (Self::Trailers(_), _) => Self::Trailers(false),
            (Self::Behind | Self::Data(_) | Self::Nothing, _) => bail!("more than a chunk should hold"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: 5\r\n\r\nhello";
        let head = head_of(answer).unwrap().unwrap();
        assert_eq!((head.status, head.content_length), (200, Some(5)));
        assert_eq!(&answer[head.bytes..], b"hello");
        assert!(head_of(&answer[..40]).unwrap().is_none());
        assert!(head_of(b"SSH-2.0\r\n\r\n").is_err());
        assert!(head_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap().unwrap().chunked);
    }

    #[test]
    fn chunks_come_together_wherever_they_are_cut() {
        let body = b"5\r\nhello\r\n1A;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: t\r\n\r\n";
        for cut in 0..=body.len() {
            let (mut chunks, mut whole) = (Chunks::default(), Vec::new());
            for part in [&body[..cut], &body[cut..]] {
                let take = |data: &[u8]| {
                    whole.extend_from_slice(data);
                    Ok(())
                };
                assert!(!chunks.ended());
                chunks.feed(part, take).unwrap();
                if cut == body.len() {
                    break;
                }
            }
            assert!(chunks.ended());
            assert_eq!(whole, b"helloabcdefghijklmnopqrstuvwxyz");
        }
        assert!(Chunks::default().feed(b"xyz", |_| Ok(())).is_err());
        assert!(Chunks::default().feed(b"1\r\nab", |_| Ok(())).is_err());
    }
}
