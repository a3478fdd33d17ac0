//! A Socket.IO client over a WebSocket, cheap enough to have ten thousand of them.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};

use super::packet::{self, Packet};
use crate::websocket::Socket;

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// Takes part in the namespace `/`.
pub(super) struct Client {
    socket: Socket,
}

impl Client {
    /// Connects, from a source address if one is given, and waits until the namespace has let it in.
    pub(super) async fn open(address: SocketAddr, source: Option<IpAddr>, token: &str) -> Result<Self> {
        let mut socket = Socket::open_with(address, source, PATH, "").await?;
        let (mut asked, mut is_in) = (false, false);
        while !is_in {
            let mut is_open = false;
            socket
                .receive(|text| {
                    match packet::read(text)? {
                        Packet::Open(_) => is_open = true,
                        Packet::Connected => is_in = true,
                        // Who is online may be told at once.
                        Packet::Event(_) if is_in => {}
                        early => bail!("{early:?} came before the namespace had let the client in"),
                    }
                    Ok(())
                })
                .await?;
            if is_open && !asked {
                asked = true;
                socket.queue(packet::connect(token).as_bytes());
                socket.flush().await?;
            }
        }
        Ok(Self { socket })
    }

    /// Adds a packet to those that the next [`Client::flush`] sends.
    pub(super) fn queue(&mut self, packet: &str) {
        self.socket.queue(packet.as_bytes());
    }

    /// Sends what is queued. Safe to drop while it waits.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.socket.flush().await
    }

    /// Waits until something came, and hands over the events and acks. Pings are answered. Safe to drop while it
    /// waits.
    pub(super) async fn receive(&mut self, mut take: impl FnMut(Packet<'_>) -> Result<()>) -> Result<()> {
        let mut is_pinged = false;
        self.socket
            .receive(|text| match packet::read(text)? {
                Packet::Ping => {
                    is_pinged = true;
                    Ok(())
                }
                packet => take(packet),
            })
            .await?;
        if is_pinged {
            self.socket.queue(b"3");
            self.socket.flush().await?;
        }
        Ok(())
    }

    /// Answers pings, for ever. That somebody is online may be told; anything else is an error.
    pub(super) async fn rest(mut self) -> Result<()> {
        loop {
            self.receive(|packet| match packet {
                Packet::Event(event) if packet::heard(event)?.is_none() => Ok(()),
                other => bail!("nobody spoke: {other:?}"),
            })
            .await?;
        }
    }
}
