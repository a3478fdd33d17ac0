//! One packet of Engine.IO (engine.io-protocol, "Packet encoding").

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Protocol;

/// What a client may send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Packet {
    /// The client leaves.
    Close,
    /// A sign of life that is due in revision 3, or the probe of a transport. What it holds comes back.
    Ping(String),
    /// The answer to a ping of ours.
    Pong,
    /// A text message: a packet of Socket.IO.
    Message(String),
    /// A binary message, of so many bytes: an attachment. Nobody here has a use for its content.
    Binary(usize),
    /// The client goes on with the transport on which this came.
    Upgrade,
    /// Nothing.
    Noop,
}

/// It is no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Invalid;

impl Packet {
    /// Reads a text packet.
    pub(crate) fn of_text(mut text: String, protocol: Protocol) -> Result<Self, Invalid> {
        let kind = text.bytes().next().ok_or(Invalid)?;
        if kind == b'b' {
            return Self::of_base64(&text[1..], protocol);
        }
        Ok(match kind {
            b'1' => Self::Close,
            b'2' => Self::Ping(text.split_off(1)),
            b'3' => Self::Pong,
            b'4' => {
                text.remove(0);
                Self::Message(text)
            }
            b'5' => Self::Upgrade,
            // An `open` of the client's means nothing, as in the reference.
            b'0' | b'6' => Self::Noop,
            _ => return Err(Invalid),
        })
    }

    /// Binary as text: `b` and base64; in revision 3 with the packet's type between.
    fn of_base64(rest: &str, protocol: Protocol) -> Result<Self, Invalid> {
        let encoded = match protocol {
            Protocol::V3 => rest.strip_prefix('4').ok_or(Invalid)?,
            Protocol::V4 => rest,
        };
        BASE64_STANDARD.decode(encoded).map(|bytes| Self::Binary(bytes.len())).map_err(|_| Invalid)
    }

    /// Reads a binary packet: the bare message, in revision 3 behind its type.
    pub(crate) fn of_binary(bytes: &[u8], protocol: Protocol) -> Result<Self, Invalid> {
        match (protocol, bytes) {
            (Protocol::V4, _) => Ok(Self::Binary(bytes.len())),
            (Protocol::V3, [4, message @ ..]) => Ok(Self::Binary(message.len())),
            (Protocol::V3, _) => Err(Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Packet, Invalid> {
        Packet::of_text(text.to_owned(), Protocol::V4)
    }

    #[test]
    fn types_are_told_by_their_digit() {
        assert_eq!(read("1"), Ok(Packet::Close));
        assert_eq!(read("2probe"), Ok(Packet::Ping("probe".into())));
        assert_eq!(read("3"), Ok(Packet::Pong));
        assert_eq!(read("42[\"é\"]"), Ok(Packet::Message("2[\"é\"]".into())));
        assert_eq!(read("5"), Ok(Packet::Upgrade));
        for bad in ["", "7", "a", "é", "-", " 4"] {
            assert_eq!(read(bad), Err(Invalid), "{bad}");
        }
    }

    #[test]
    fn binary_comes_as_base64_or_bare() {
        assert_eq!(read("bAQID"), Ok(Packet::Binary(3)));
        assert_eq!(read("b!"), Err(Invalid));
        assert_eq!(Packet::of_text("b4AQID".into(), Protocol::V3), Ok(Packet::Binary(3)));
        assert_eq!(Packet::of_text("bAQID".into(), Protocol::V3), Err(Invalid));
        assert_eq!(Packet::of_binary(&[4, 1, 2], Protocol::V3), Ok(Packet::Binary(2)));
        assert_eq!(Packet::of_binary(&[1, 2], Protocol::V3), Err(Invalid));
        assert_eq!(Packet::of_binary(&[1, 2], Protocol::V4), Ok(Packet::Binary(2)));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            for protocol in [Protocol::V3, Protocol::V4] {
                let _ = Packet::of_text(text.clone(), protocol);
                let _ = Packet::of_binary(text.as_bytes(), protocol);
            }
        }
    }
}
