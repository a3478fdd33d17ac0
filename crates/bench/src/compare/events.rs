//! A stream of server-sent events over HTTP/1.1: the body of one answer that does not end.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::http::{Chunks, head_of};

/// Bytes that are read at once.
const READ: usize = 16 << 10;

/// The longest head that is waited for.
const LONGEST_HEAD: usize = 64 << 10;

/// An open stream.
pub(crate) struct EventStream {
    stream: TcpStream,
    /// Set when the body comes in chunks, as it does unless the server ends connections.
    chunks: Option<Chunks>,
    read: Vec<u8>,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl EventStream {
    /// Asks for the stream, from a source address if one is given.
    pub(crate) async fn open(
        address: SocketAddr,
        source: Option<IpAddr>,
        path: &str,
        headers: &str,
    ) -> Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        if let Some(source) = source {
            tcp.bind(SocketAddr::new(source, 0))?;
        }
        let mut stream = tcp.connect(address).await?;
        stream.set_nodelay(true)?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut read = Vec::new();
        let head = loop {
            if let Some(head) = head_of(&read)? {
                break head;
            }
            ensure!(read.len() < LONGEST_HEAD, "an endless head");
            ensure!(stream.read_buf(&mut read).await? > 0, "the server closed the connection");
        };
        ensure!(head.status == 200, "no events: status {}", head.status);
        let read = read.split_off(head.bytes);
        let chunks = head.chunked.then(Chunks::default);
        Ok(Self { stream, chunks, read, line: Vec::new() })
    }

    /// Waits until something came, and hands over the data of each line of `data:`. Safe to drop while it waits.
    pub(crate) async fn receive(&mut self, mut data: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Self { stream, chunks, read, line } = self;
        if read.is_empty() {
            read.reserve(READ);
            ensure!(stream.read_buf(read).await? > 0, "the server ended the stream");
        }
        let fed = match chunks {
            Some(chunks) => {
                chunks.feed(read, |part| lines(line, part, &mut data))?;
                ensure!(!chunks.ended(), "the server ended the stream");
                Ok(())
            }
            None => lines(line, read, &mut data),
        };
        // What nothing happens on holds no memory.
        *read = Vec::new();
        fed
    }
}

/// Adds a part of the body to the line that is open, and hands over the data of the lines that it ends.
fn lines(line: &mut Vec<u8>, part: &[u8], data: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for piece in part.split_inclusive(|byte| *byte == b'\n') {
        line.extend_from_slice(piece);
        if piece.ends_with(b"\n") {
            if let Some(value) = line.strip_prefix(b"data:") {
                data(value.trim_ascii()).context("in an event")?;
            }
            line.clear();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_whole_wherever_it_is_cut() {
        let body = b"id:1\nevent:x\ndata:{\"a\":1}\n\ndata: two\r\n\n";
        for cut in 0..=body.len() {
            let (mut line, mut heard) = (Vec::new(), Vec::new());
            let mut data = |value: &[u8]| {
                heard.push(String::from_utf8_lossy(value).into_owned());
                Ok(())
            };
            lines(&mut line, &body[..cut], &mut data).unwrap();
            lines(&mut line, &body[cut..], &mut data).unwrap();
            assert_eq!(heard, ["{\"a\":1}", "two"]);
        }
    }
}
