//! The WebSocket of a conversation, `/ws/chat/<int>/`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use domain::{
    App, Caller, ConversationId, Error, Event, Refusal, Topic, conversations,
    messages::{self, Draft, File},
    sessions,
};
use kit::{
    context::Context,
    credentials::SocketAuth,
    path_id::PathId,
    reply::Reply,
    websocket::{Handshake, Limits, Live, Said},
};
use realtime::{Ear, Frame, Heard, Note, Shape};
use serde_json::{Map, Value, json};

use crate::{DIALECT, fault, wire::Message};

/// Base64 as clients write it: with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Opens the socket of a conversation, for one of its two people. All refusals come before the upgrade.
pub(crate) async fn open(
    State(context): State<Context>,
    SocketAuth(caller): SocketAuth,
    PathId(id): PathId,
    handshake: Result<Handshake, Reply>,
) -> Result<Response, Reply> {
    let app = &context.app;
    let id = ConversationId(id);
    conversations::open(app, &caller, id).await.map_err(fault::conversing)?;
    let handshake = handshake?;
    let ears = context.listen(&caller, Topic::Conversation(id), Arc::new(Listener::new()));
    // Asked once more, now that its end would be heard.
    if !sessions::is_live(app, &caller).await? {
        return Err(Error::Unauthenticated(Refusal::Invalid).into());
    }
    let limits = Limits {
        max_message: context.socket_limits.max_file_frame,
        rate: context.socket_limits.rate,
        expires_at: None,
    };
    let chat = Chat { app: context.app.clone(), caller, conversation: id };
    Ok(context.sockets.open(handshake, chat, ears, limits))
}

/// The speaking half.
struct Chat {
    app: App,
    caller: Caller,
    conversation: ConversationId,
}

impl Live for Chat {
    fn said(&mut self, text: String) -> Said {
        let draft = match draft(&text) {
            Ok(draft) => draft,
            Err(problem) => return Said::Answer(vec![error_frame(problem).into()]),
        };
        let (app, caller, conversation) = (self.app.clone(), self.caller, self.conversation);
        // A file takes its time to be kept: what is said after it must not come before it.
        let has_files = !draft.files.is_empty();
        let posted = async move {
            match messages::post(&app, &caller, conversation, draft).await {
                // The sender's receipt is the echo.
                Ok(_) => Vec::new(),
                Err(error) => vec![error_frame(&fault::frame_text(error)).into()],
            }
        };
        if has_files { Said::Alone(Box::pin(posted)) } else { Said::Later(Box::pin(posted)) }
    }

    fn throttled(&self) -> Option<Bytes> {
        Some(error_frame("Too many messages. Please slow down."))
    }

    fn wrote(&mut self, notes: &[Arc<Note>]) {
        let account = self.caller.account;
        messages::received(&self.app, notes.iter().filter_map(|note| note.received_by(account)));
    }
}

fn error_frame(text: &str) -> Bytes {
    json!({ "error": text }).to_string().into()
}

/// What a frame says, or what is wrong with it.
fn draft(frame: &str) -> Result<Draft, &'static str> {
    let Ok(Value::Object(frame)) = serde_json::from_str(frame) else {
        return Err("Invalid JSON format");
    };
    let text = match frame.get("message") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err("\"message\" must be a text."),
    };
    let files = match frame.get("attachment") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(attachment)) => vec![file(attachment)?],
        Some(_) => return Err("\"attachment\" must be an object with \"data\" and \"format\"."),
    };
    Ok(Draft { text, files, ..Draft::default() })
}

fn file(attachment: &Map<String, Value>) -> Result<File, &'static str> {
    const NO_DATA: &str = "\"data\" of the attachment must be base64.";
    let data = attachment.get("data").and_then(Value::as_str).ok_or(NO_DATA)?;
    let data = match data.strip_prefix("data:") {
        Some(uri) => uri.split_once(',').ok_or(NO_DATA)?.1,
        None => data,
    };
    let bytes = BASE64.decode(data.trim()).map_err(|_| NO_DATA)?;
    let format = attachment.get("format").and_then(Value::as_str).unwrap_or_default();
    Ok(File { label: format.to_owned(), bytes: bytes.into() })
}

/// The listening half.
struct Listener {
    base: Arc<str>,
}

impl Listener {
    fn new() -> Self {
        // Frames of this dialect hold paths, never absolute URLs.
        Self { base: Arc::default() }
    }
}

impl Ear for Listener {
    fn shape(&self, _: &Event) -> Shape {
        Shape { dialect: DIALECT, base: Arc::clone(&self.base), variant: 0 }
    }

    fn heard(&self, event: &Event) -> Heard {
        let Event::MessagePosted(posted) = event else { return Heard::Nothing };
        let message = &posted.message;
        let note = message.receipt.map(|_| Note::of(posted));
        match serde_json::to_vec(&Message::from(message.clone())) {
            Ok(bytes) => Heard::Frame(Frame { bytes: bytes.into(), note }),
            Err(_) => Heard::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(frame: &str) -> Result<String, &'static str> {
        draft(frame).map(|draft| draft.text)
    }

    #[test]
    fn a_frame_is_an_object_with_a_text() {
        assert_eq!(text_of(r#"{"message":"holii","type":"evil"}"#), Ok("holii".into()));
        for bad in ["", "holii", "[]", "null", "\"x\"", "{\"message\":", "{\"message\":\"\\ud800\"}"] {
            assert_eq!(text_of(bad), Err("Invalid JSON format"), "{bad}");
        }
        for bad in [r#"{"message":5}"#, r#"{"message":["x"]}"#] {
            assert!(text_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attachment_is_base64_with_or_without_padding_and_prefix() {
        for data in ["aGk=", "aGk", "data:image/png;base64,aGk=", " aGk=\n"] {
            let frame = json!({ "message": "", "attachment": { "data": data, "format": "png" } });
            let draft = draft(&frame.to_string()).unwrap();
            assert_eq!(draft.files[0].bytes, "hi", "{data}");
            assert_eq!(draft.files[0].label, "png");
        }
        for bad in [
            json!("x"),
            json!({}),
            json!({ "data": 5 }),
            json!({ "data": "a!" }),
            json!({ "data": "data:x" }),
        ] {
            assert!(draft(&json!({ "message": "x", "attachment": bad }).to_string()).is_err());
        }
    }
}
