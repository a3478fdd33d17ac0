//! What one request of polling carries: packets, joined.
//!
//! Revision 4 puts the record separator between them. Revision 3 writes the length of each in UTF-16 code units and a
//! colon before it; or, when a client has binary to send, a binary form with lengths in bytes.

use bytes::Bytes;

use super::{Invalid, Packet, Protocol};

/// Between the packets of revision 4.
const SEPARATOR: char = '\x1e';

/// Between length and packet in the binary form of revision 3.
const END_OF_LENGTH: u8 = 0xFF;

/// Digits of a length at most; more stand for more than any payload holds.
const MAX_DIGITS: usize = 9;

/// Joins text packets.
pub(crate) fn encode<'p>(packets: impl IntoIterator<Item = &'p Bytes>, protocol: Protocol) -> Vec<u8> {
    let mut payload = Vec::new();
    for packet in packets {
        match protocol {
            Protocol::V4 if payload.is_empty() => {}
            Protocol::V4 => payload.push(SEPARATOR as u8),
            Protocol::V3 => {
                // All that is sent is text.
                let length = std::str::from_utf8(packet).map_or(packet.len(), utf16_length);
                payload.extend_from_slice(format!("{length}:").as_bytes());
            }
        }
        payload.extend_from_slice(packet);
    }
    payload
}

/// Takes a payload apart, up to the first thing in it that is no packet.
///
/// `is_binary`: the client named it `application/octet-stream`, which only revision 3 knows.
pub(crate) fn decode(payload: Vec<u8>, protocol: Protocol, is_binary: bool) -> Vec<Result<Packet, Invalid>> {
    let mut packets = Vec::new();
    let fault = match (protocol, is_binary) {
        (Protocol::V3, true) => decode_binary(&payload, &mut packets),
        (Protocol::V4, true) => Err(Invalid),
        (_, false) => match String::from_utf8(payload) {
            Ok(text) if protocol == Protocol::V3 => decode_lengths(&text, &mut packets),
            Ok(text) => decode_separated(&text, &mut packets),
            Err(_) => Err(Invalid),
        },
    };
    let mut packets: Vec<_> = packets.into_iter().map(Ok).collect();
    packets.extend(fault.err().map(Err));
    packets
}

fn decode_separated(text: &str, packets: &mut Vec<Packet>) -> Result<(), Invalid> {
    for part in text.split(SEPARATOR) {
        packets.push(Packet::of_text(part.to_owned(), Protocol::V4)?);
    }
    Ok(())
}

fn decode_lengths(text: &str, packets: &mut Vec<Packet>) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid);
    }
    let mut rest = text;
    while !rest.is_empty() {
        let (length, after) = rest.split_once(':').ok_or(Invalid)?;
        if length.is_empty() || length.len() > MAX_DIGITS || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid);
        }
        let end = utf16_boundary(after, length.parse().map_err(|_| Invalid)?).ok_or(Invalid)?;
        let (packet, after) = after.split_at(end);
        if !packet.is_empty() {
            packets.push(Packet::of_text(packet.to_owned(), Protocol::V3)?);
        }
        rest = after;
    }
    Ok(())
}

fn decode_binary(mut rest: &[u8], packets: &mut Vec<Packet>) -> Result<(), Invalid> {
    if rest.is_empty() {
        return Err(Invalid);
    }
    while let [kind, after @ ..] = rest {
        let digits = after.iter().take(MAX_DIGITS + 1).position(|byte| *byte == END_OF_LENGTH);
        let digits = digits.filter(|count| *count > 0).ok_or(Invalid)?;
        let length = after[..digits].iter().try_fold(0, |length: usize, digit| {
            (*digit < 10).then(|| length * 10 + usize::from(*digit)).ok_or(Invalid)
        })?;
        let (packet, after) = after[digits + 1..].split_at_checked(length).ok_or(Invalid)?;
        packets.push(match kind {
            0 => {
                let text = String::from_utf8(packet.to_vec()).map_err(|_| Invalid)?;
                Packet::of_text(text, Protocol::V3)?
            }
            1 => Packet::of_binary(packet, Protocol::V3)?,
            _ => return Err(Invalid),
        });
        rest = after;
    }
    Ok(())
}

fn utf16_length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Where the first `units` UTF-16 code units of `text` end, in bytes; `None` beyond its end or within a character.
fn utf16_boundary(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    let mut end = 0;
    for letter in text.chars() {
        if left == 0 {
            break;
        }
        left = left.checked_sub(letter.len_utf16())?;
        end += letter.len_utf8();
    }
    (left == 0).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> Packet {
        Packet::Message(text.into())
    }

    fn encoded(packets: &[&'static str], protocol: Protocol) -> String {
        let packets: Vec<_> = packets.iter().map(|packet| Bytes::from_static(packet.as_bytes())).collect();
        String::from_utf8(encode(&packets, protocol)).unwrap()
    }

    #[test]
    fn payloads_are_as_the_protocol_documents_show_them() {
        assert_eq!(encoded(&["4hello", "2", "4world"], Protocol::V4), "4hello\x1e2\x1e4world");
        assert_eq!(encoded(&["4hello", "4€", "4🙂"], Protocol::V3), "6:4hello2:4€3:4🙂");
        let got = decode(b"4hello\x1e2\x1ebAQID".to_vec(), Protocol::V4, false);
        assert_eq!(got, [Ok(message("hello")), Ok(Packet::Ping(String::new())), Ok(Packet::Binary(3))]);
        let got = decode("6:4hello2:4€3:4🙂0:".into(), Protocol::V3, false);
        assert_eq!(got, [Ok(message("hello")), Ok(message("€")), Ok(message("🙂"))]);
    }

    #[test]
    fn the_binary_form_mixes_texts_and_bytes() {
        let payload = [&[0, 4, 255][..], "4€".as_bytes(), &[1, 1, 0, 255, 4], &[9; 9]].concat();
        assert_eq!(decode(payload, Protocol::V3, true), [Ok(message("€")), Ok(Packet::Binary(9))]);
        assert_eq!(decode(vec![1, 2], Protocol::V4, true), [Err(Invalid)]);
    }

    #[test]
    fn what_comes_before_a_fault_counts() {
        assert_eq!(decode(b"4a\x1ex\x1e4b".to_vec(), Protocol::V4, false), [Ok(message("a")), Err(Invalid)]);
        for bad in ["2:4a9:4b", "2:4ax:4b", "2:4a:", "2:4a3:4🙂4", "2:4a2", "2:4a99999999999999999999:4"] {
            let got = decode(bad.into(), Protocol::V3, false);
            if bad == "2:4a3:4🙂4" {
                assert_eq!(got.last(), Some(&Err(Invalid)));
            } else {
                assert_eq!(got, [Ok(message("a")), Err(Invalid)], "{bad}");
            }
        }
        for protocol in [Protocol::V3, Protocol::V4] {
            assert_eq!(decode(Vec::new(), protocol, false), [Err(Invalid)]);
            assert_eq!(decode(vec![b'4', 0xFF], protocol, false), [Err(Invalid)]);
        }
        for bad in [&[0][..], &[0, 255], &[0, 1], &[0, 11, 255, 1], &[2, 1, 255, 4], &[0, 1, 255, 0xFF]] {
            assert_eq!(decode(bad.to_vec(), Protocol::V3, true), [Err(Invalid)], "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(texts in proptest::collection::vec("[^\x1e]{0,40}", 1..10)) {
            for protocol in [Protocol::V3, Protocol::V4] {
                let packets: Vec<_> = texts.iter().map(|text| Bytes::from(format!("4{text}"))).collect();
                let expected: Vec<_> = texts.iter().map(|text| Ok(message(text))).collect();
                prop_assert_eq!(decode(encode(&packets, protocol), protocol, false), expected);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), binary: bool) {
            for protocol in [Protocol::V3, Protocol::V4] {
                let _ = decode(bytes.clone(), protocol, binary);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9]{1,3}:[0-9b]\\PC{0,20}") {
            let _ = decode(text.into_bytes(), Protocol::V3, false);
        }
    }
}
