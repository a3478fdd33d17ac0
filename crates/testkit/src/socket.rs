//! A WebSocket client for tests.

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::http::{self, PATIENCE, Reply, Request};

/// Any value does: it protects from nothing here (RFC 6455 section 10.3 is about browsers).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pings: u32,
}

/// What a socket hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// The other side closed, with this code (1005: with none; 1006: without a close frame).
    Closed(u16),
}

impl Socket {
    /// Opens a socket at `target` with these headers, or hands out the answer that refused it.
    pub async fn open(
        host: SocketAddr,
        target: impl Into<Vec<u8>>,
        headers: Vec<(String, Vec<u8>)>,
    ) -> Result<Result<Self, Reply>> {
        let mut request = Request::new("GET", target);
        request.headers = headers;
        let request = request
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", KEY);
        let (reply, stream) = http::upgrade(host, &request).await?;
        let Some((stream, received)) = stream else {
            return Ok(Err(reply));
        };
        if reply.header("sec-websocket-accept") != Some(derive_accept_key(KEY.as_bytes())) {
            bail!("the handshake was accepted with a wrong key: {reply:?}");
        }
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let stream = WebSocketStream::from_partially_read(stream, received, Role::Client, Some(config)).await;
        Ok(Ok(Self { stream, pings: 0 }))
    }

    /// Sends a text frame.
    pub async fn send_text(&mut self, text: String) -> Result<()> {
        self.send(Message::text(text)).await
    }

    /// Sends a binary frame.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.send(Message::binary(bytes)).await
    }

    async fn send(&mut self, message: Message) -> Result<()> {
        let sent = tokio::time::timeout(PATIENCE, self.stream.send(message)).await;
        match sent.map_err(|_| anyhow!("the server takes nothing more"))? {
            // The server may close before it took all; what it said before that can still be heard.
            Err(tokio_tungstenite::tungstenite::Error::Io(_)) => Ok(()),
            done => done.context("sending"),
        }
    }

    /// What comes next, pings and pongs left out.
    pub async fn hear(&mut self) -> Result<Sound> {
        loop {
            match self.next().await? {
                Message::Text(text) => return Ok(Sound::Text(text.to_string())),
                Message::Binary(bytes) => return Ok(Sound::Binary(bytes.to_vec())),
                Message::Close(frame) => {
                    return Ok(Sound::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Sends a ping and hears until its pong: `None` when nothing came before it.
    /// Servers answer pings in order with what they have queued for the socket, so what was queued before is heard.
    pub async fn hear_before_pong(&mut self) -> Result<Option<Sound>> {
        self.pings += 1;
        let payload = format!("fence {}", self.pings);
        self.send(Message::Ping(payload.clone().into())).await?;
        loop {
            match self.next().await? {
                Message::Pong(answer) if answer == payload.as_bytes() => return Ok(None),
                Message::Text(text) => return Ok(Some(Sound::Text(text.to_string()))),
                Message::Binary(bytes) => return Ok(Some(Sound::Binary(bytes.to_vec()))),
                Message::Close(frame) => {
                    return Ok(Some(Sound::Closed(frame.map_or(1005, |frame| frame.code.into()))));
                }
                _ => {}
            }
        }
    }

    /// Says goodbye, and waits until the server agreed.
    pub async fn leave(mut self) -> Result<()> {
        let _ = self.stream.close(None).await;
        while !matches!(self.hear().await?, Sound::Closed(_)) {}
        Ok(())
    }

    async fn next(&mut self) -> Result<Message> {
        let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
        match next.map_err(|_| anyhow!("nothing was heard within {PATIENCE:?}"))? {
            Some(Ok(message)) => Ok(message),
            // The connection ended without a close frame: RFC 6455 section 7.1.5 calls that 1006.
            Some(Err(_)) | None => {
                Ok(Message::Close(Some(tokio_tungstenite::tungstenite::protocol::CloseFrame {
                    code: 1006.into(),
                    reason: "".into(),
                })))
            }
        }
    }
}
