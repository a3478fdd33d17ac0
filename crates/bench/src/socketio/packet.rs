//! Packets of Socket.IO 5 on Engine.IO 4, as text, and numbered messages in them.

use std::str::from_utf8;

use anyhow::{Context, Result, bail};
use serde_json::json;

/// What fills a message up to the length of a usual one.
const FILLING: &str = "the tide comes in, the lantern goes out, and nobody minds";

/// What a server sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packet<'p> {
    /// Engine.IO is open: its handshake.
    Open(&'p [u8]),
    /// A sign of life is asked for.
    Ping,
    /// The other end takes part in the namespace `/`.
    Connected,
    /// An event: its name and arguments, as a JSON array.
    Event(&'p [u8]),
    /// The answer to the event of this number, as a JSON array.
    Ack(u64, &'p [u8]),
}

/// Reads a packet. A refusal and the end of the session are errors.
pub(super) fn read(packet: &[u8]) -> Result<Packet<'_>> {
    match packet {
        [b'0', handshake @ ..] => Ok(Packet::Open(handshake)),
        [b'2'] => Ok(Packet::Ping),
        [b'4', b'0', ..] => Ok(Packet::Connected),
        [b'4', b'2', event @ ..] => Ok(Packet::Event(event)),
        [b'4', b'3', ack @ ..] => {
            let (number, payload) = leading(ack).context("an ack without its number")?;
            Ok(Packet::Ack(number, payload))
        }
        other => bail!("not what was asked for: {}", String::from_utf8_lossy(other)),
    }
}

/// The packet that asks to take part in the namespace `/`.
pub(super) fn connect(token: &str) -> String {
    format!("40{}", json!({ "access_token": token }))
}

/// The packet of an event that asks for an ack of this number.
pub(super) fn event(ack: u64, name: &str, argument: &str) -> String {
    format!(r#"42{ack}["{name}",{argument}]"#)
}

/// The packet of the numbered message `number` to a room; no ack is asked for.
pub(super) fn said(room: i64, number: u64) -> String {
    format!(r#"42["message",{}]"#, message(room, number))
}

/// The argument of the event `message`.
pub(super) fn message(room: i64, number: u64) -> String {
    format!(r#"{{"room":{room},"text":"{number}:{FILLING}"}}"#)
}

/// The number in an event `message`; nothing for events that tell who is online. Not by a JSON parser: this client
/// shall cost less than the server.
pub(super) fn heard(event: &[u8]) -> Result<Option<u64>> {
    if event.starts_with(br#"["online","#) || event.starts_with(br#"["offline","#) {
        return Ok(None);
    }
    let number = event.starts_with(br#"["message","#).then(|| number(event)).flatten();
    number.map(Some).with_context(|| format!("not a message: {}", String::from_utf8_lossy(event)))
}

fn number(event: &[u8]) -> Option<u64> {
    let key = br#""text":""#;
    let at = event.windows(key.len()).position(|window| window == key)?;
    let (number, rest) = leading(&event[at + key.len()..])?;
    rest.starts_with(b":").then_some(number)
}

/// The number that these bytes begin with, and the rest.
fn leading(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    Some((from_utf8(&bytes[..end]).ok()?.parse().ok()?, &bytes[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        assert_eq!(read(br#"0{"sid":"a"}"#).unwrap(), Packet::Open(br#"{"sid":"a"}"#));
        assert_eq!(read(b"2").unwrap(), Packet::Ping);
        assert_eq!(read(br#"40{"sid":"b"}"#).unwrap(), Packet::Connected);
        assert_eq!(read(br#"42["online",{"user":7}]"#).unwrap(), Packet::Event(br#"["online",{"user":7}]"#));
        assert_eq!(read(br#"4317[{"id":9}]"#).unwrap(), Packet::Ack(17, br#"[{"id":9}]"#));
        for refused in [&br#"44{"message":"no"}"#[..], b"41", b"1", b"", b"43[]"] {
            assert!(read(refused).is_err());
        }
    }

    #[test]
    fn the_number_of_a_message_is_found_and_presence_passed_over() {
        let event = br#"["message",{"id":3,"text":"42:the tide","image":"","room":8}]"#;
        assert_eq!(heard(event).unwrap(), Some(42));
        assert_eq!(heard(br#"["online",{"user":7}]"#).unwrap(), None);
        assert!(heard(br#"["error",{"message":"Too many messages."}]"#).is_err());
        let own = said(8, 42);
        let Packet::Event(own) = read(own.as_bytes()).unwrap() else { panic!("{own} is no event") };
        assert_eq!(heard(own).unwrap(), Some(42));
    }
}
