//! As much of a WebSocket client (RFC 6455) as loads need, cheap enough to have ten thousand of them.

use std::{
    cell::RefCell,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::Poll,
};

use anyhow::{Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{TcpSocket, TcpStream},
};

use crate::http::head_of;

/// Bytes that are read at once, by all sockets of a thread in turn.
const READ: usize = 64 << 10;

/// The server cannot know it, and a load has no proxy to fool: one for all frames (5.3).
const MASK: [u8; 4] = [0x5a, 0xc3, 0x96, 0x3c];

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// An open socket. It holds memory only while a frame is half read or half written.
pub(crate) struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// Frames to be sent.
    unsent: Vec<u8>,
}

impl Socket {
    /// Opens a socket by an access token, from a source address if one is given.
    pub(crate) async fn open(
        address: SocketAddr,
        source: Option<IpAddr>,
        path: &str,
        token: &str,
    ) -> Result<Self> {
        Self::open_with(address, source, path, &format!("Authorization: Bearer {token}\r\n")).await
    }

    /// The same with whatever else stands in the request's head; each line of it ends with CR LF.
    pub(crate) async fn open_with(
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
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Self { stream, partial: Vec::new(), unsent: Vec::new() };
        loop {
            socket.read(Vec::extend_from_slice).await?;
            if let Some(head) = head_of(&socket.partial)? {
                ensure!(
                    head.status == 101,
                    "no WebSocket: status {}: {}",
                    head.status,
                    String::from_utf8_lossy(&socket.partial[head.bytes..])
                );
                socket.partial = socket.partial.split_off(head.bytes);
                return Ok(socket);
            }
        }
    }

    /// Adds a text message to those that the next [`Socket::flush`] sends.
    pub(crate) fn queue(&mut self, text: &[u8]) {
        encode(TEXT, text, &mut self.unsent);
    }

    /// Sends what is queued. Safe to drop while it waits: the rest is sent by the next one.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        while !self.unsent.is_empty() {
            let written = self.stream.write(&self.unsent).await?;
            ensure!(written > 0, "the server takes no more");
            self.unsent.drain(..written);
        }
        Ok(())
    }

    /// Waits until something came, and hands over the text messages that are whole. Pings are answered. A close is
    /// an error. Safe to drop while it waits.
    pub(crate) async fn receive(&mut self, mut text: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut answers = Vec::new();
        // Some may have come with the head of the answer, and nothing else may come.
        if !self.partial.is_empty() {
            let used = decode(&self.partial, &mut answers, &mut text)?;
            if used > 0 {
                self.partial.drain(..used);
                return self.answer(&answers).await;
            }
        }
        let answers_in = &mut answers;
        self.read(move |partial, bytes| {
            if partial.is_empty() {
                let used = decode(bytes, answers_in, &mut text)?;
                partial.extend_from_slice(&bytes[used..]);
            } else {
                partial.extend_from_slice(bytes);
                let used = decode(partial, answers_in, &mut text)?;
                partial.drain(..used);
            }
            if partial.is_empty() {
                *partial = Vec::new();
            }
            anyhow::Ok(())
        })
        .await??;
        self.answer(&answers).await
    }

    /// Sends answers to pings.
    async fn answer(&mut self, answers: &[u8]) -> Result<()> {
        if !answers.is_empty() {
            self.unsent.extend_from_slice(answers);
            self.flush().await?;
        }
        Ok(())
    }

    /// Waits until something came, and hands it over with what was left before. One system call where that is all.
    async fn read<T>(&mut self, take: impl FnOnce(&mut Vec<u8>, &[u8]) -> T) -> Result<T> {
        let Self { stream, partial, .. } = self;
        let mut take = Some(take);
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(fault)) => Poll::Ready(Err(fault.into())),
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                        Poll::Ready(Err(anyhow::anyhow!("the server ended the connection")))
                    }
                    Poll::Ready(Ok(())) => match take.take() {
                        Some(take) => Poll::Ready(Ok(take(partial, buffer.filled()))),
                        None => Poll::Pending,
                    },
                }
            })
        })
        .await
    }
}

/// Appends a whole, masked frame.
fn encode(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | u8::try_from(length).unwrap_or(0)),
        length @ 126..=0xffff => {
            out.push(0xfe);
            out.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            out.push(0xff);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Hands over the whole frames at the beginning of these bytes; how many bytes they are.
fn decode(bytes: &[u8], answers: &mut Vec<u8>, text: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<usize> {
    let mut used = 0;
    while let Some((head, payload)) = frame(&bytes[used..]) {
        used += payload.end;
        let payload = &bytes[used - (payload.end - payload.start)..used];
        match head {
            head if head == 0x80 | TEXT => text(payload)?,
            head if head == 0x80 | PING => encode(PONG, payload, answers),
            head if head == 0x80 | PONG => {}
            head if head == 0x80 | CLOSE => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                bail!("the server closed the socket with {code}");
            }
            head => bail!("a frame of a kind that this client does not know ({head:#x})"),
        }
    }
    Ok(used)
}

/// The first byte and the place of the payload of the frame that these bytes begin with, if it is whole.
fn frame(bytes: &[u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let (start, length): (usize, usize) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
        length => (2, usize::from(length)),
    };
    let end = start.checked_add(length)?;
    (bytes.len() >= end).then_some((bytes[0], start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server would have sent.
    fn unmasked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..=125 => frame.push(u8::try_from(length).unwrap()),
            length => {
                frame.push(126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn frames_come_out_whole_and_in_order_wherever_they_are_cut() {
        let mut sent = unmasked(TEXT, b"one");
        sent.extend(unmasked(PING, b"are you there"));
        sent.extend(unmasked(TEXT, &[b'x'; 300]));
        for cut in 0..=sent.len() {
            let (mut heard, mut answers) = (Vec::new(), Vec::new());
            let mut text = |payload: &[u8]| {
                heard.push(payload.to_vec());
                Ok(())
            };
            let used = decode(&sent[..cut], &mut answers, &mut text).unwrap();
            let rest = decode(&sent[used..], &mut answers, &mut text).unwrap();
            assert_eq!(used + rest, sent.len());
            assert_eq!(heard, [b"one".to_vec(), vec![b'x'; 300]]);
            let mut pong = Vec::new();
            encode(PONG, b"are you there", &mut pong);
            assert_eq!(answers, pong);
        }
    }

    #[test]
    fn what_is_sent_is_masked() {
        let mut frame = Vec::new();
        encode(TEXT, b"hello", &mut frame);
        assert_eq!(frame[..6], [0x81, 0x85, MASK[0], MASK[1], MASK[2], MASK[3]]);
        let plain: Vec<u8> =
            frame[6..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(plain, b"hello");
    }

    #[test]
    fn a_close_is_told_with_its_code() {
        let close = unmasked(CLOSE, &4008u16.to_be_bytes());
        let told = decode(&close, &mut Vec::new(), &mut |_| Ok(())).unwrap_err();
        assert!(told.to_string().contains("4008"), "{told}");
    }
}
