//! The client program: enters by a door, says texts and hears them. The same for all contenders.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail, ensure};

use super::{
    door::{Door, MARK, Say, Step, Wire, text},
    events::EventStream,
};
use crate::{
    http::{Connection, post_with},
    websocket::Socket,
};

/// A message that was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Heard {
    pub(crate) sender: usize,
    /// The sender's number.
    pub(crate) number: u64,
}

/// A client that has entered.
pub(crate) struct Client {
    pub(crate) ears: Ears,
    pub(crate) mouth: Mouth,
}

/// Where it hears.
pub(crate) enum Ears {
    WebSocket(Socket),
    SocketIo(Socket),
    Events(EventStream),
}

/// How it says something.
pub(crate) enum Mouth {
    /// On the socket by which it hears: what stands before and behind a text.
    Frame(String, String),
    /// By requests.
    Post(Box<Poster>),
}

/// A kept connection for what is said, opened when something is: most clients only listen.
pub(crate) struct Poster {
    address: SocketAddr,
    source: Option<IpAddr>,
    connection: Option<Connection>,
    path: String,
    headers: String,
    before: String,
    after: String,
    status: u16,
}

impl Client {
    /// Enters, from a source address if one is given, and waits until everything that is said will be heard.
    pub(crate) async fn enter(address: SocketAddr, source: Option<IpAddr>, door: Door) -> Result<Self> {
        let mut ears = Ears::open(address, source, &door).await?;
        ears.greet(address, source, &door.greeting).await.context("the greeting")?;
        let mouth = match door.say {
            Say::Frame { before, after } => Mouth::Frame(before, after),
            Say::Post { path, headers, before, after, status } => {
                let connection = None;
                Mouth::Post(Box::new(Poster {
                    address,
                    source,
                    connection,
                    path,
                    headers,
                    before,
                    after,
                    status,
                }))
            }
        };
        Ok(Self { ears, mouth })
    }
}

impl Poster {
    /// Says a text, and waits until that is acknowledged.
    pub(crate) async fn say(&mut self, sender: usize, number: u64) -> Result<()> {
        let body = format!("{}{}{}", self.before, text(sender, number), self.after);
        let request = post_with(&self.path, &self.headers, &body);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Connection::open_from(self.address, self.source).await?),
        };
        let (status, answer) = connection.ask(&request).await?;
        ensure!(status == self.status, "status {status}: {}", String::from_utf8_lossy(answer));
        Ok(())
    }
}

impl Ears {
    async fn open(address: SocketAddr, source: Option<IpAddr>, door: &Door) -> Result<Self> {
        let Door { wire, path, headers, .. } = door;
        if *wire == Wire::EventStream {
            return Ok(Self::Events(EventStream::open(address, source, path, headers).await?));
        }
        let socket = Socket::open_with(address, source, path, headers).await?;
        if *wire == Wire::WebSocket {
            return Ok(Self::WebSocket(socket));
        }
        let mut ears = Self::SocketIo(socket);
        ears.await_frame(|frame| frame.starts_with('0').then_some(()))
            .await
            .context("Engine.IO's open packet")?;
        Ok(ears)
    }

    async fn greet(&mut self, address: SocketAddr, source: Option<IpAddr>, steps: &[Step]) -> Result<()> {
        let mut taken = String::new();
        for step in steps {
            match step {
                Step::Send(frame) => {
                    self.queue(frame.replace("{}", &taken).as_bytes())?;
                    self.flush().await?;
                }
                Step::Await(part) => {
                    let found = self.await_frame(|frame| frame.contains(part.as_str()).then_some(())).await;
                    found.with_context(|| format!("waiting for {part}"))?;
                }
                Step::Take(before) => {
                    let found = self.await_frame(|frame| {
                        let (_, rest) = frame.split_once(before.as_str())?;
                        Some(rest.split_once('"')?.0.to_owned())
                    });
                    taken = found.await.with_context(|| format!("waiting for {before}"))?;
                }
                Step::Post { path, headers, body, status } => {
                    let request = post_with(path, headers, &body.replace("{}", &taken));
                    // PocketBase takes a stream's subscriptions from the address that opened it alone.
                    let mut connection = Connection::open_from(address, source).await?;
                    let (found, answer) = connection.ask(&request).await?;
                    ensure!(found == *status, "status {found}: {}", String::from_utf8_lossy(answer));
                }
            }
        }
        Ok(())
    }

    /// Waits for a frame of which `take` makes something.
    async fn await_frame<T>(&mut self, take: impl Fn(&str) -> Option<T>) -> Result<T> {
        let mut found = None;
        while found.is_none() {
            let heard = |frame: &[u8]| {
                if found.is_none() {
                    found = take(&String::from_utf8_lossy(frame));
                }
                Ok(())
            };
            self.frames(heard).await?;
        }
        found.context("nothing found")
    }

    /// Adds a frame to those that the next [`Ears::flush`] sends.
    fn queue(&mut self, frame: &[u8]) -> Result<()> {
        match self {
            Self::WebSocket(socket) | Self::SocketIo(socket) => socket.queue(frame),
            Self::Events(_) => bail!("nothing can be said on a stream of events"),
        }
        Ok(())
    }

    /// Adds a text to what the next [`Ears::flush`] sends.
    pub(crate) fn say(&mut self, around: (&str, &str), sender: usize, number: u64) -> Result<()> {
        self.queue(format!("{}{}{}", around.0, text(sender, number), around.1).as_bytes())
    }

    /// Sends what is queued. Safe to drop while it waits.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        match self {
            Self::WebSocket(socket) | Self::SocketIo(socket) => socket.flush().await,
            Self::Events(_) => Ok(()),
        }
    }

    /// Waits until something came, and hands over the messages in it. Safe to drop while it waits.
    pub(crate) async fn hear(&mut self, mut message: impl FnMut(Heard) -> Result<()>) -> Result<()> {
        self.frames(|frame| heard(frame)?.map_or(Ok(()), &mut message)).await
    }

    async fn frames(&mut self, mut frame: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            Self::WebSocket(socket) => socket.receive(frame).await,
            Self::Events(stream) => stream.receive(frame).await,
            Self::SocketIo(socket) => {
                let mut pinged = false;
                let received = socket.receive(|packet| match packet {
                    b"2" => {
                        pinged = true;
                        Ok(())
                    }
                    packet => frame(packet),
                });
                received.await?;
                if pinged {
                    socket.queue(b"3");
                    socket.flush().await?;
                }
                Ok(())
            }
        }
    }
}

/// The text of ours in a frame, if there is one. Not by a parser: this client shall cost less than any server.
fn heard(frame: &[u8]) -> Result<Option<Heard>> {
    let Some(at) = memchr::memchr(MARK, frame) else { return Ok(None) };
    let read = || {
        let (sender, rest) = leading(&frame[at + 1..])?;
        let (number, rest) = leading(rest.strip_prefix(b":")?)?;
        rest.starts_with(b":").then_some(Heard { sender: usize::try_from(sender).ok()?, number })
    };
    let message =
        read().with_context(|| format!("not a text of ours: {}", String::from_utf8_lossy(frame)))?;
    Ok(Some(message))
}

/// The number that these bytes begin with, and the rest.
fn leading(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(digits);
    let number = |sum: Option<u64>, digit: &u8| sum?.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    (!digits.is_empty()).then(|| digits.iter().fold(Some(0), number))?.map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_any_frame() {
        let expected = Some(Heard { sender: 3, number: 42 });
        for frame in [
            format!(r#"{{"id":17,"text":"{}"}}"#, text(3, 42)),
            format!(r#"42["said",{{"text":"{}","by":"x"}}]"#, text(3, 42)),
            text(3, 42),
        ] {
            assert_eq!(heard(frame.as_bytes()).unwrap(), expected);
        }
        assert_eq!(heard(br#"{"online":["ana"]}"#).unwrap(), None);
        assert!(heard(b"~x:1:").is_err());
        assert!(heard(b"~1:99999999999999999999:").is_err());
    }
}
