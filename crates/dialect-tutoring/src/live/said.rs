//! The speaking half: what a client says, done and answered.

use std::sync::Arc;

use domain::{App, Caller, ConversationId, messages::Draft, rooms};
use futures_util::future::BoxFuture;
use kit::{body::Content, fields::Fields};
use serde::Serialize;
use serde_json::Value;
use socketio::{Answer, Arguments, Event, Live, Said};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::{NAMESPACE, ear::message_frame, error, presence::Present};
use crate::{
    fault,
    wire::{Message, Room, RoomClosed, RoomIds, RoomJoined, Seen},
};

pub(super) const TOO_MANY: &str = "Too many messages. Please slow down.";

/// Speaks for one socket.
pub(super) struct Tutor {
    deeds: Deeds,
    /// Read while something is done that a close on the same socket, said later, must not overtake.
    before_close: Arc<RwLock<()>>,
}

/// What can be done for the socket's caller.
#[derive(Clone)]
struct Deeds {
    app: App,
    caller: Caller,
    /// The start of absolute URLs.
    base: Arc<str>,
    present: Arc<Present>,
}

/// What a client wants.
#[derive(PartialEq, Debug)]
enum Wish {
    Join(ConversationId),
    Close(ConversationId),
    Say(ConversationId, Words),
    See(ConversationId),
    Announce(ConversationId),
    Rooms,
}

/// The words of a message.
#[derive(PartialEq, Debug)]
struct Words {
    text: String,
    image: String,
    client_id: Option<String>,
}

impl Tutor {
    pub(super) fn new(app: App, caller: Caller, base: Arc<str>, present: Present) -> Self {
        let deeds = Deeds { app, caller, base, present: Arc::new(present) };
        Self { deeds, before_close: Arc::default() }
    }

    fn guard(&self) -> Option<OwnedRwLockReadGuard<()>> {
        Arc::clone(&self.before_close).try_read_owned().ok()
    }
}

impl Live for Tutor {
    fn said(&mut self, event: Event) -> Said {
        let wish = match Wish::of(event) {
            Ok(Some(wish)) => wish,
            Ok(None) => return Said::Answer(Answer::unknown_event()),
            Err(problem) => return Said::Answer(error(&problem)),
        };
        let deeds = self.deeds.clone();
        match wish {
            Wish::Close(room) => {
                let before = Arc::clone(&self.before_close);
                Said::Alone(Box::pin(async move {
                    drop(before.write().await);
                    deeds.close(room).await
                }))
            }
            // What is said next may need it.
            Wish::Join(room) => Said::Alone(Box::pin(async move { deeds.join(room).await })),
            other => {
                let guard = self.guard();
                Said::Later(Box::pin(async move {
                    let answer = deeds.fulfil(other).await;
                    drop(guard);
                    answer
                }))
            }
        }
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        error(TOO_MANY)
    }
}

impl Deeds {
    fn fulfil(&self, wish: Wish) -> BoxFuture<'_, Answer> {
        match wish {
            Wish::Join(room) => Box::pin(self.join(room)),
            Wish::Close(room) => Box::pin(self.close(room)),
            Wish::Say(room, words) => Box::pin(self.say(room, words)),
            Wish::See(room) => Box::pin(self.see(room)),
            Wish::Announce(room) => Box::pin(self.announce(room)),
            Wish::Rooms => Box::pin(self.rooms()),
        }
    }

    async fn join(&self, room: ConversationId) -> Answer {
        match rooms::join(&self.app, &self.caller, room).await {
            Ok(joined) => {
                if !joined.repeated {
                    self.present.met(joined.room.student, joined.teacher.id);
                }
                acked(&RoomJoined::of(&joined.room, joined.teacher, &self.base))
            }
            Err(fault) => error(&fault::joining(fault)),
        }
    }

    async fn close(&self, room: ConversationId) -> Answer {
        answered(rooms::close(&self.app, &self.caller, room).await, |room| acked(&RoomClosed::from(&room)))
    }

    /// A repeat under the same client id is shown to this socket alone: the others have it.
    async fn say(&self, room: ConversationId, words: Words) -> Answer {
        let Words { text, image, client_id } = words;
        let draft = Draft { text, image, client_id, ..Draft::default() };
        let stored = match rooms::say(&self.app, &self.caller, room, draft).await {
            Ok(stored) => stored,
            Err(fault) => return error(&fault::spoken(fault)),
        };
        if !stored.repeated {
            return acked(&Message::told(&stored.posted, false));
        }
        answered(rooms::is_seen(&self.app, &stored.posted.message).await, |seen| {
            let message = Message::told(&stored.posted, seen);
            Answer { events: vec![message_frame(&message)], ..acked(&message) }
        })
    }

    async fn see(&self, room: ConversationId) -> Answer {
        answered(rooms::see(&self.app, &self.caller, room).await, |room| {
            let user = room.opposite(self.caller.account).map(|account| account.0);
            acked(&Seen { room: room.id.0, user })
        })
    }

    async fn announce(&self, room: ConversationId) -> Answer {
        match rooms::announce(&self.app, &self.caller, room).await {
            Ok(announced) => acked(&Room::of(announced, &self.base)),
            Err(fault) => error(&fault::announcing(fault)),
        }
    }

    async fn rooms(&self) -> Answer {
        answered(rooms::open(&self.app, &self.caller).await, |ids| {
            let rooms = ids.into_iter().map(|id| id.0).collect();
            match serde_json::to_value(RoomIds { rooms }) {
                Ok(payload) => Answer::event(NAMESPACE, "rooms", payload),
                Err(_) => Answer::nothing(),
            }
        })
    }
}

/// An ack alone: what happened is told to all who are in the room, the caller among them.
fn acked(payload: &impl Serialize) -> Answer {
    serde_json::to_value(payload).map_or_else(|_| Answer::nothing(), Answer::acked)
}

fn answered<T>(done: domain::Result<T>, answer: impl FnOnce(T) -> Answer) -> Answer {
    match done {
        Ok(done) => answer(done),
        Err(fault) => error(&fault::spoken(fault)),
    }
}

impl Wish {
    /// What an event wants: `None` when nobody knows such an event, an error with what is wrong with its data.
    fn of(event: Event) -> Result<Option<Self>, String> {
        let wish = match event.name.as_str() {
            "join_room" => Self::Join(room_of(event)?),
            "close_room" => Self::Close(room_of(event)?),
            "seen" => Self::See(room_of(event)?),
            "new_room" => Self::Announce(room_of(event)?),
            "message" => {
                let (room, words) = message_of(event)?;
                Self::Say(room, words)
            }
            "rooms" => Self::Rooms,
            _ => return Ok(None),
        };
        Ok(Some(wish))
    }
}

/// The first argument.
fn data(event: Event) -> Content {
    let first = match event.arguments {
        Arguments::Values(values) => values.into_iter().next(),
        Arguments::Unusable => None,
    };
    Content::of_json(first.unwrap_or(Value::Null))
}

fn room_of(event: Event) -> Result<ConversationId, String> {
    let content = data(event);
    let mut fields = Fields::of(&content).empty_is_missing();
    let room = fields.integer("room").read();
    done(&mut fields)?;
    Ok(ConversationId(room))
}

fn message_of(event: Event) -> Result<(ConversationId, Words), String> {
    let content = data(event);
    let mut fields = Fields::of(&content).empty_is_missing();
    let room = fields.integer("room").read();
    let text = fields.text("text").verbatim().may_be_blank().optional().unwrap_or_default();
    let image = fields.text("image").verbatim().may_be_blank().optional().unwrap_or_default();
    let client_id = fields.text("client_id").verbatim().optional();
    done(&mut fields)?;
    Ok((ConversationId(room), Words { text, image, client_id }))
}

fn done(fields: &mut Fields<'_>) -> Result<(), String> {
    fields.done().map_err(|reply| fault::first_text(&reply))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wish(name: &str, data: Value) -> Result<Option<Wish>, String> {
        Wish::of(Event { name: name.into(), arguments: Arguments::Values(vec![data]), wants_ack: false })
    }

    #[test]
    fn a_room_is_a_number_or_its_digits() {
        for room in [json!(8), json!("8")] {
            assert_eq!(wish("seen", json!({ "room": room })), Ok(Some(Wish::See(ConversationId(8)))));
        }
        for (room, told) in [
            (json!(null), "room: This field is required."),
            (json!(""), "room: This field is required."),
            (json!("x"), "room: A valid integer is required."),
            (json!(true), "room: A valid integer is required."),
            (json!([8]), "room: A valid integer is required."),
            (json!(8.5), "room: A valid integer is required."),
            (json!("99999999999999999999"), "room: A valid integer is required."),
        ] {
            assert_eq!(wish("join_room", json!({ "room": room })), Err(told.into()), "{room}");
        }
    }

    #[test]
    fn data_has_to_be_an_object() {
        for (data, python) in
            [(json!([8]), "list"), (json!(8), "int"), (json!(null), "NoneType"), (json!("8"), "str")]
        {
            let told = format!("Invalid data. Expected a dictionary, but got {python}.");
            assert_eq!(wish("close_room", data), Err(told));
        }
        let unusable = Event { name: "message".into(), arguments: Arguments::Unusable, wants_ack: true };
        assert!(Wish::of(unusable).is_err());
        let bare = Event { name: "rooms".into(), arguments: Arguments::Values(Vec::new()), wants_ack: false };
        assert_eq!(Wish::of(bare), Ok(Some(Wish::Rooms)));
    }

    #[test]
    fn a_text_may_be_a_number_and_only_known_keys_count() {
        let said = json!({ "room": 8, "text": 7, "image": null, "user": 5, "seen": true, "id": 3, "timestamp": "x" });
        let words = Words { text: "7".into(), image: String::new(), client_id: None };
        assert_eq!(wish("message", said), Ok(Some(Wish::Say(ConversationId(8), words))));
        let told = wish("message", json!({ "room": 8, "text": ["x"] }));
        assert_eq!(told, Err("text: Not a valid string.".into()));
        let told = wish("message", json!({ "room": 8, "text": "x", "image": {} }));
        assert_eq!(told, Err("image: Not a valid string.".into()));
    }

    #[test]
    fn an_unknown_event_is_no_wish() {
        assert_eq!(wish("ping", json!({})), Ok(None));
    }
}
