//! Packets of Socket.IO (socket.io-protocol 5, and 4 for Engine.IO 3), each inside a message packet of Engine.IO.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Serialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use crate::{
    Protocol,
    lenient::{First, lenient},
    namespace::{Arguments, Event},
};

/// Attachments of one packet at most, as the reference has it.
const MAX_ATTACHMENTS: usize = 10;

/// Names that clients and servers use among themselves: no event has them.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// What a client has sent.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Packet {
    /// The namespace: `/` and what follows.
    pub(crate) namespace: String,
    /// What stands behind `?` in the namespace's place (protocol 4).
    pub(crate) query: String,
    pub(crate) content: Content,
    /// So many binary messages follow.
    pub(crate) attachments: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Content {
    Connect(Map<String, Value>),
    Disconnect,
    /// An event, and the number that its ack has to bear.
    Event(Event, Option<u64>),
    /// The answer to an ack that nobody here asks for.
    Ack,
}

/// It is no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Invalid;

impl Packet {
    /// Reads what stands behind the type of Engine.IO's message packet.
    pub(crate) fn read(text: &str, protocol: Protocol) -> Result<Self, Invalid> {
        let kind = *text.as_bytes().first().ok_or(Invalid)?;
        let mut rest = text.get(1..).ok_or(Invalid)?;
        let mut attachments = 0;
        if let b'5' | b'6' = kind {
            let (count, after) = rest.split_once('-').ok_or(Invalid)?;
            attachments = digits(count).and_then(|count| usize::try_from(count).ok()).ok_or(Invalid)?;
            if !(1..=MAX_ATTACHMENTS).contains(&attachments) {
                return Err(Invalid);
            }
            rest = after;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let mut query = "";
        if protocol == Protocol::V3 {
            (namespace, query) = namespace.split_once('?').unwrap_or((namespace, ""));
        }
        let after_id = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let id = &rest[..rest.len() - after_id.len()];
        let id = if id.is_empty() { None } else { Some(digits(id).ok_or(Invalid)?) };
        let content = content(kind, id, after_id, attachments, protocol)?;
        Ok(Self { namespace: namespace.to_owned(), query: query.to_owned(), content, attachments })
    }
}

fn content(
    kind: u8,
    id: Option<u64>,
    payload: &str,
    attachments: usize,
    protocol: Protocol,
) -> Result<Content, Invalid> {
    Ok(match kind {
        b'0' => Content::Connect(match serde_json::from_str(payload) {
            Ok(Value::Object(auth)) => auth,
            // Protocol 4 has no payload here; whatever an old client puts there is not looked at.
            Ok(_) if protocol == Protocol::V3 => Map::new(),
            _ if payload.is_empty() => Map::new(),
            Ok(_) => return Err(Invalid),
            Err(_) => unreadable_auth(payload)?,
        }),
        b'1' if payload.is_empty() => Content::Disconnect,
        b'2' | b'5' => Content::Event(event(payload, attachments > 0, id.is_some())?, id),
        b'3' | b'6' => {
            serde_json::from_str::<Vec<IgnoredAny>>(payload).map_err(|_| Invalid)?;
            Content::Ack
        }
        _ => return Err(Invalid),
    })
}

fn event(payload: &str, has_attachments: bool, wants_ack: bool) -> Result<Event, Invalid> {
    let usable = if has_attachments { None } else { serde_json::from_str::<Vec<Value>>(payload).ok() };
    let (name, arguments) = match usable {
        Some(mut values) if !values.is_empty() => (name_of(values.remove(0))?, Arguments::Values(values)),
        Some(_) => return Err(Invalid),
        None => (name_of(lenient::<First>(payload).ok_or(Invalid)?.0)?, Arguments::Unusable),
    };
    Ok(Event { name, arguments, wants_ack })
}

/// An auth payload that cannot be read: its keys, with values that let nobody in.
#[expect(clippy::zero_sized_map_values, reason = "an object is read, and its values are passed over")]
fn unreadable_auth(payload: &str) -> Result<Map<String, Value>, Invalid> {
    let values = lenient::<BTreeMap<String, IgnoredAny>>(payload).ok_or(Invalid)?;
    Ok(values.into_keys().map(|key| (key, Value::Array(Vec::new()))).collect())
}

fn name_of(name: Value) -> Result<String, Invalid> {
    match name {
        Value::String(name) if !RESERVED.contains(&name.as_str()) => Ok(name),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Invalid),
    }
}

/// Digits alone, as a number of 64 bits.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The frame of an event with one argument. It is the same in both protocols, so that one encoding serves all.
///
/// `name` is none of the names that Socket.IO reserves (`connect`, `disconnect`, `connect_error` and their like).
pub fn event_frame(namespace: &str, name: &str, argument: &impl Serialize) -> Bytes {
    debug_assert!(!RESERVED.contains(&name), "{name} is a reserved name");
    let mut frame = head('2', namespace);
    write_json(&mut frame, &(name, argument));
    frame.into()
}

/// The frame of an ack with one argument.
pub(crate) fn ack_frame(namespace: &str, id: u64, argument: &Value) -> Bytes {
    let mut frame = head('3', namespace);
    frame.extend_from_slice(id.to_string().as_bytes());
    write_json(&mut frame, &[argument]);
    frame.into()
}

/// The answer to a CONNECT that is granted; `id` names the socket in protocol 5.
pub(crate) fn connect_frame(namespace: &str, protocol: Protocol, id: &str) -> Bytes {
    let mut frame = head('0', namespace);
    if protocol == Protocol::V4 {
        write_json(&mut frame, &json!({ "sid": id }));
    }
    frame.into()
}

/// The answer to a CONNECT that is refused: an object in protocol 5, the bare text in protocol 4.
pub(crate) fn connect_error_frame(namespace: &str, protocol: Protocol, message: &str) -> Bytes {
    let mut frame = head('4', namespace);
    match protocol {
        Protocol::V4 => write_json(&mut frame, &json!({ "message": message })),
        Protocol::V3 => write_json(&mut frame, &message),
    }
    frame.into()
}

/// The end of a socket in a namespace.
pub(crate) fn disconnect_frame(namespace: &str) -> Bytes {
    head('1', namespace).into()
}

fn head(kind: char, namespace: &str) -> Vec<u8> {
    let mut frame = format!("4{kind}");
    if namespace != "/" {
        frame.push_str(namespace);
        frame.push(',');
    }
    frame.into_bytes()
}

fn write_json(frame: &mut Vec<u8>, value: &impl Serialize) {
    if let Err(fault) = serde_json::to_writer(frame, value) {
        // Only a map with other keys than strings can do that.
        tracing::error!(%fault, "a payload cannot be written as JSON");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Packet, Invalid> {
        Packet::read(text, Protocol::V4)
    }

    fn parsed(text: &str) -> (String, Content) {
        let packet = read(text).unwrap();
        (packet.namespace, packet.content)
    }

    fn said(name: &str, arguments: &[Value], id: Option<u64>) -> Content {
        let arguments = Arguments::Values(arguments.to_vec());
        Content::Event(Event { name: name.into(), arguments, wants_ack: id.is_some() }, id)
    }

    fn unusable(name: &str) -> Content {
        Content::Event(Event { name: name.into(), arguments: Arguments::Unusable, wants_ack: false }, None)
    }

    #[test]
    fn packets_are_read_as_the_protocol_document_shows_them() {
        assert_eq!(parsed("0"), ("/".into(), Content::Connect(Map::new())));
        let auth = Map::from_iter([("token".to_owned(), json!("123"))]);
        assert_eq!(parsed(r#"0/admin,{"token":"123"}"#), ("/admin".into(), Content::Connect(auth)));
        assert_eq!(parsed("0/admin"), ("/admin".into(), Content::Connect(Map::new())));
        assert_eq!(parsed("1/admin,"), ("/admin".into(), Content::Disconnect));
        assert_eq!(parsed(r#"2["hello",1]"#), ("/".into(), said("hello", &[json!(1)], None)));
        assert_eq!(parsed(r#"2/admin,456["x",{}]"#), ("/admin".into(), said("x", &[json!({})], Some(456))));
        assert_eq!(parsed("2[5]"), ("/".into(), said("5", &[], None)));
        assert_eq!(parsed("3/admin,456[]"), ("/admin".into(), Content::Ack));
    }

    #[test]
    fn old_clients_put_a_query_behind_the_namespace() {
        let packet = Packet::read("0/widget?token=a%2Cb", Protocol::V3).unwrap();
        assert_eq!((packet.namespace.as_str(), packet.query.as_str()), ("/widget", "token=a%2Cb"));
        let packet = Packet::read("0/widget?token=ab,", Protocol::V3).unwrap();
        assert_eq!((packet.namespace.as_str(), packet.query.as_str()), ("/widget", "token=ab"));
        assert_eq!(read("0/widget?token=a").unwrap().namespace, "/widget?token=a");
    }

    #[test]
    fn attachments_make_the_arguments_unusable() {
        let text = r#"51-["x",{"_placeholder":true,"num":0}]"#;
        let packet = read(text).unwrap();
        assert_eq!((packet.attachments, packet.content), (1, unusable("x")));
        for bad in ["5[\"x\"]", "50-[\"x\"]", "511-[\"x\"]", "5-[\"x\"]", "5a-[\"x\"]", "5+1-[\"x\"]"] {
            assert_eq!(read(bad), Err(Invalid), "{bad}");
        }
    }

    #[test]
    fn json_that_is_beyond_reading_is_unusable_and_not_invalid() {
        let deep = format!(r#"2["x",{}{}]"#, "[".repeat(100_000), "]".repeat(100_000));
        for text in [r#"2["x","\ud800"]"#, r#"2["x",1e999]"#, &deep] {
            assert_eq!(parsed(text).1, unusable("x"), "{}", &text[..10]);
        }
        assert_eq!(parsed(r#"2["x","\u0000"]"#).1, said("x", &[json!("\0")], None));
        assert_eq!(parsed(r#"2["x",NaN]"#).1, unusable("x"));
        assert_eq!(parsed(r#"2["x","NaN"]"#).1, said("x", &[json!("NaN")], None));
        assert_eq!(read("2[NaN]"), Err(Invalid));
    }

    #[test]
    fn an_auth_payload_beyond_reading_lets_nobody_in() {
        for text in [r#"0{"token":"\ud800"}"#, r#"0{"token":1e999}"#, r#"0{"token":NaN}"#] {
            let auth = Map::from_iter([("token".to_owned(), json!([]))]);
            assert_eq!(parsed(text).1, Content::Connect(auth), "{text}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bad in [
            "",
            "7",
            "abc",
            "2",
            "2{}",
            "2[]",
            "2[null]",
            "2[{}]",
            "2[\"x\"",
            "2[\"x\"]]",
            "2abc[\"x\"]",
            "2[\"connect\"]",
            "2[\"disconnect\"]",
            "2[\"newListener\"]",
            "299999999999999999999[\"x\"]",
            "1{}",
            "1[]",
            "0[]",
            "0null",
            "0{",
            "3",
            "3{}",
            "4{}",
            "é",
            "2/a",
            "2NaN",
        ] {
            assert_eq!(read(bad), Err(Invalid), "{bad}");
        }
    }

    #[test]
    fn frames_are_written_as_the_protocol_documents_show_them() {
        assert_eq!(event_frame("/", "hello", &1), "42[\"hello\",1]");
        assert_eq!(event_frame("/admin", "x", &json!({ "a": "é" })), "42/admin,[\"x\",{\"a\":\"é\"}]");
        assert_eq!(ack_frame("/admin", 456, &json!("ok")), "43/admin,456[\"ok\"]");
        assert_eq!(connect_frame("/", Protocol::V4, "abc"), "40{\"sid\":\"abc\"}");
        assert_eq!(connect_frame("/admin", Protocol::V4, "abc"), "40/admin,{\"sid\":\"abc\"}");
        assert_eq!(connect_frame("/", Protocol::V3, "abc"), "40");
        assert_eq!(connect_frame("/admin", Protocol::V3, "abc"), "40/admin,");
        assert_eq!(connect_error_frame("/a", Protocol::V4, "no"), "44/a,{\"message\":\"no\"}");
        assert_eq!(connect_error_frame("/a", Protocol::V3, "no"), "44/a,\"no\"");
        assert_eq!(disconnect_frame("/"), "41");
        assert_eq!(disconnect_frame("/admin"), "41/admin,");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            name in "x[a-z\"\\\\é🙂]{0,10}", text in "\\PC*", namespace in "/[a-z]{0,5}", id: u64,
        ) {
            let frame = event_frame(&namespace, &name, &text);
            let read = Packet::read(std::str::from_utf8(&frame[1..]).unwrap(), Protocol::V4).unwrap();
            prop_assert_eq!(read.namespace, namespace.clone());
            prop_assert_eq!(read.content, said(&name, &[json!(text)], None));
            let frame = ack_frame(&namespace, id, &json!(text));
            let read = Packet::read(std::str::from_utf8(&frame[1..]).unwrap(), Protocol::V4).unwrap();
            prop_assert_eq!(read.content, Content::Ack);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9]?[0-9]{0,3}-?(/[a-z?]{0,5},?)?\\PC{0,30}") {
            let _ = Packet::read(&text, Protocol::V4);
            let _ = Packet::read(&text, Protocol::V3);
        }
    }
}
