//! Numbered messages, so that a lost, doubled or misplaced one is seen.

use std::str::from_utf8;

use anyhow::{Context, Result};

/// What fills a message up to the length of a usual one.
const FILLING: &str = "the tide comes in, the lantern goes out, and nobody minds";

/// The path of a conversation's socket.
pub(super) fn path(conversation: i64) -> String {
    format!("/ws/chat/{conversation}/")
}

/// The frame that says the message `number` of a sender.
pub(super) fn said(sender: usize, number: u64) -> String {
    format!(r#"{{"message":"{sender}:{number}:{FILLING}"}}"#)
}

/// A message as a socket heard it, or as the history tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    /// The server's number.
    pub(super) id: u64,
    pub(super) sender: usize,
    /// The sender's number.
    pub(super) number: u64,
}

/// Reads the frame of a message. Not by a JSON parser: this client shall cost less than the server.
pub(super) fn heard(frame: &[u8]) -> Result<Heard> {
    read(frame).with_context(|| format!("not a message: {}", String::from_utf8_lossy(frame)))
}

fn read(frame: &[u8]) -> Option<Heard> {
    let (id, _) = leading(after(frame, b"\"id\":")?)?;
    let (sender, rest) = leading(after(frame, b"\"text\":\"")?)?;
    let (number, _) = leading(rest.strip_prefix(b":")?)?;
    Some(Heard { id, sender: usize::try_from(sender).ok()?, number })
}

/// The same from a text alone.
pub(super) fn of_text(id: u64, text: &str) -> Option<Heard> {
    let mut parts = text.split(':');
    Some(Heard { id, sender: parts.next()?.parse().ok()?, number: parts.next()?.parse().ok()? })
}

fn after<'f>(frame: &'f [u8], key: &[u8]) -> Option<&'f [u8]> {
    let at = frame.windows(key.len()).position(|window| window == key)?;
    Some(&frame[at + key.len()..])
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
    fn a_message_is_read_wherever_its_keys_stand() {
        let frame = br#"{"id":17,"text":"3:42:the tide","attachment":null,"realSender":"ana","sender":9}"#;
        let expected = Heard { id: 17, sender: 3, number: 42 };
        assert_eq!(heard(frame).unwrap(), expected);
        assert_eq!(heard(br#"{"text":"3:42:x","sender":9,"id":17}"#).unwrap(), expected);
        assert_eq!(of_text(17, "3:42:the tide"), Some(expected));
        assert!(heard(br#"{"error":"Too many messages."}"#).unwrap_err().to_string().contains("Too many"));
    }
}
