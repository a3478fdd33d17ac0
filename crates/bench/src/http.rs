//! As much of an HTTP/1.1 client as loads need: one kept connection, bodies with a Content-Length.

use std::{net::SocketAddr, str::from_utf8};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
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
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
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
        let body = head.content_length.context("an answer without Content-Length")?;
        while self.buffer.len() < head.bytes + body {
            self.read().await?;
        }
        ensure!(self.buffer.len() == head.bytes + body, "an answer is longer than it says");
        Ok((head.status, &self.buffer[head.bytes..]))
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
    with_body("POST", path, token, body)
}

/// A `PUT` of JSON.
pub(crate) fn put(path: &str, token: &str, body: &Value) -> Vec<u8> {
    with_body("PUT", path, token, body)
}

fn with_body(method: &str, path: &str, token: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let credentials =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\n{credentials}Content-Type: application/json\r\n\
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
    let content_length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    Ok(Some(Head { status, bytes: end + 4, content_length }))
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
    }
}
