//! A Socket.IO client over long-polling: one connection to ask on, one to speak on.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::packet::{self, Packet};
use crate::http::Connection;

const PATH: &str = "/socket.io/?EIO=4&transport=polling";

/// Stands between the packets of an answer.
const BETWEEN: u8 = 0x1e;

/// Takes part in the namespace `/`.
pub(super) struct Poller {
    ears: Connection,
    mouth: Connection,
    /// Asks for what there is.
    poll: Vec<u8>,
    sid: String,
}

impl Poller {
    /// Connects, and waits until the namespace has let it in.
    pub(super) async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let mut ears = Connection::open(address).await?;
        let opened = ears.ask(&get(PATH)).await?;
        ensure!(opened.0 == 200, "no session: status {}", opened.0);
        let Packet::Open(handshake) = packet::read(opened.1)? else { bail!("no handshake") };
        let handshake: Value = serde_json::from_slice(handshake)?;
        let sid = handshake["sid"].as_str().context("no session id")?.to_owned();
        let poll = get(&format!("{PATH}&sid={sid}"));
        let mut poller = Self { ears, mouth: Connection::open(address).await?, poll, sid };
        poller.say(&packet::connect(token)).await?;
        let mut is_in = false;
        while !is_in {
            poller
                .hear(|packet| {
                    is_in |= packet == Packet::Connected;
                    Ok(())
                })
                .await?;
        }
        Ok(poller)
    }

    /// Emits an event and waits for its ack, polling meanwhile as a client does that is always listening.
    pub(super) async fn round_trip(&mut self, ack: u64, name: &str, argument: &str) -> Result<()> {
        let event = packet::event(ack, name, argument);
        let mut is_acked = false;
        let mut said = Some(event);
        while !is_acked {
            let request = said.take().map(|event| post(&self.sid, &event));
            let speaking = async {
                match request {
                    Some(request) => spoken(&mut self.mouth, &request).await,
                    None => Ok(()),
                }
            };
            let hearing = listened(&mut self.ears, &self.poll, |packet| {
                match packet {
                    Packet::Ack(number, _) => {
                        ensure!(number == ack && !is_acked, "the ack {number} came where {ack} was due");
                        is_acked = true;
                    }
                    Packet::Event(_) | Packet::Ping => {}
                    other => bail!("{other:?} came where an ack was due"),
                }
                Ok(())
            });
            let (heard, spoke) = tokio::join!(hearing, speaking);
            spoke?;
            if heard? {
                self.say("3").await?;
            }
        }
        Ok(())
    }

    async fn say(&mut self, packet: &str) -> Result<()> {
        let request = post(&self.sid, packet);
        spoken(&mut self.mouth, &request).await
    }

    async fn hear(&mut self, take: impl FnMut(Packet<'_>) -> Result<()>) -> Result<()> {
        if listened(&mut self.ears, &self.poll, take).await? {
            self.say("3").await?;
        }
        Ok(())
    }
}

async fn spoken(mouth: &mut Connection, request: &[u8]) -> Result<()> {
    let (status, body) = mouth.ask(request).await?;
    ensure!(status == 200 && body == b"ok", "status {status}: {}", String::from_utf8_lossy(body));
    Ok(())
}

/// One poll; whether a ping was among the packets.
async fn listened(
    ears: &mut Connection,
    poll: &[u8],
    mut take: impl FnMut(Packet<'_>) -> Result<()>,
) -> Result<bool> {
    let (status, body) = ears.ask(poll).await?;
    ensure!(status == 200, "status {status}: {}", String::from_utf8_lossy(body));
    let mut is_pinged = false;
    for text in body.split(|byte| *byte == BETWEEN) {
        let packet = packet::read(text)?;
        is_pinged |= packet == Packet::Ping;
        take(packet)?;
    }
    Ok(is_pinged)
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

fn post(sid: &str, packet: &str) -> Vec<u8> {
    format!(
        "POST {PATH}&sid={sid} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain;charset=UTF-8\r\n\
         Content-Length: {}\r\n\r\n{packet}",
        packet.len()
    )
    .into_bytes()
}
