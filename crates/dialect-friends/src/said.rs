//! What a client's frame says.

use domain::{RelationId, messages::Draft};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{fault, media};

/// A frame, understood.
#[derive(Debug)]
pub(crate) enum Said {
    /// A message to a friend.
    Message(RelationId, Draft),
    /// That a message was seen.
    Seen(RelationId, Uuid),
}

impl Said {
    /// Reads a frame, or tells what is wrong with it.
    pub(crate) fn of(frame: &str) -> Result<Self, &'static str> {
        let Ok(Value::Object(frame)) = serde_json::from_str(frame) else {
            return Err("Invalid JSON format");
        };
        match frame.get("type").and_then(Value::as_str) {
            Some("friendship" | "friendship_message") => message(&frame),
            Some("friendship_notification_seen") => seen(&frame),
            Some(_) => Err("This \"type\" is not known."),
            None => Err("\"type\" must be a text."),
        }
    }
}

fn message(frame: &Map<String, Value>) -> Result<Said, &'static str> {
    let channel = RelationId(uuid(frame, &["channel"]).ok_or(fault::NO_FRIENDSHIP)?);
    let text = match given(frame, &["payload", "content"]) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err("\"payload\" must be a text."),
    };
    let client_id = match given(frame, &["client_id"]) {
        None => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err("\"client_id\" must be a text."),
    };
    let files = media::files(frame.get("media"))?;
    Ok(Said::Message(channel, Draft { text, files, via: Some(channel), client_id, ..Draft::default() }))
}

fn seen(frame: &Map<String, Value>) -> Result<Said, &'static str> {
    let channel = uuid(frame, &["channel"]).ok_or(fault::NO_SUCH_MESSAGE)?;
    let message = uuid(frame, &["message", "message_id"]).ok_or(fault::NO_SUCH_MESSAGE)?;
    Ok(Said::Seen(RelationId(channel), message))
}

/// The first of these names that holds a value; null and `""` are the same as none (common.md, HTTP).
fn given<'f>(frame: &'f Map<String, Value>, names: &[&str]) -> Option<&'f Value> {
    names.iter().find_map(|name| frame.get(*name).filter(|value| !value.is_null() && **value != ""))
}

fn uuid(frame: &Map<String, Value>, names: &[&str]) -> Option<Uuid> {
    given(frame, names).and_then(crate::body::uuid_of)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHANNEL: &str = "72c6e582-ded6-5248-a853-07e9784c509e";
    const MESSAGE: &str = "2f1b6f0e-5a53-4b7c-9d6d-0f8f2b6a1c3d";

    fn said(frame: &Value) -> Result<Said, &'static str> {
        Said::of(&frame.to_string())
    }

    #[test]
    fn the_documents_example_is_a_message() {
        let frame = json!({
            "type": "friendship",
            "channel": CHANNEL,
            "payload": "Hello, how are you?",
            "media": [{ "filename": "aGk=" }],
        });
        let Ok(Said::Message(channel, draft)) = said(&frame) else { panic!("{frame}") };
        assert_eq!(channel.0.to_string(), CHANNEL);
        assert_eq!(
            (draft.text.as_str(), draft.files.len(), draft.via),
            ("Hello, how are you?", 1, Some(channel))
        );
        assert_eq!(draft.client_id, None);
    }

    #[test]
    fn type_and_fields_have_other_names_too() {
        let frame = json!({
            "type": "friendship_message", "channel": CHANNEL, "content": "hi", "payload": null, "client_id": "c1",
        });
        let Ok(Said::Message(_, draft)) = said(&frame) else { panic!("{frame}") };
        assert_eq!((draft.text.as_str(), draft.client_id.as_deref()), ("hi", Some("c1")));
        let frame = json!({ "type": "friendship", "channel": CHANNEL, "payload": "", "content": "hi", "client_id": "" });
        let Ok(Said::Message(_, draft)) = said(&frame) else { panic!("{frame}") };
        assert_eq!((draft.text.as_str(), draft.client_id), ("hi", None));
        for name in ["message", "message_id"] {
            let frame = json!({ "type": "friendship_notification_seen", "channel": CHANNEL, name: MESSAGE });
            let Ok(Said::Seen(channel, message)) = said(&frame) else { panic!("{frame}") };
            assert_eq!((channel.0.to_string().as_str(), message.to_string().as_str()), (CHANNEL, MESSAGE));
        }
    }

    #[test]
    fn what_is_no_json_object_is_told_so() {
        for bad in ["", "hello", "[]", "null", "\"x\"", "{\"type\":", "{\"type\":\"\\ud800\"}", "NaN"] {
            assert_eq!(Said::of(bad).unwrap_err(), "Invalid JSON format", "{bad}");
        }
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(Said::of(&deep).unwrap_err(), "Invalid JSON format");
    }

    #[test]
    fn every_other_fault_has_its_text() {
        for (frame, text) in [
            (json!({}), "\"type\" must be a text."),
            (json!({ "type": 1 }), "\"type\" must be a text."),
            (json!({ "type": "websocket.disconnect" }), "This \"type\" is not known."),
            (json!({ "type": "friendship", "payload": "x" }), "Friendship not found."),
            (json!({ "type": "friendship", "channel": 7, "payload": "x" }), "Friendship not found."),
            (json!({ "type": "friendship", "channel": "7", "payload": "x" }), "Friendship not found."),
            (
                json!({ "type": "friendship", "channel": CHANNEL, "payload": 5 }),
                "\"payload\" must be a text.",
            ),
            (
                json!({ "type": "friendship", "channel": CHANNEL, "payload": "x", "client_id": 5 }),
                "\"client_id\" must be a text.",
            ),
            (
                json!({ "type": "friendship_notification_seen", "channel": CHANNEL, "message": 5 }),
                "this message id is not exist or channel",
            ),
            (
                json!({ "type": "friendship_notification_seen", "message": MESSAGE }),
                "this message id is not exist or channel",
            ),
        ] {
            assert_eq!(said(&frame).unwrap_err(), text, "{frame}");
        }
    }
}
