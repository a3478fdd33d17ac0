//! The listening half: what has happened, as frames.

use std::sync::Arc;

use bytes::Bytes;
use domain::Event;
use realtime::{Ear, Heard, Shape};
use serde::Serialize;
use socketio::event_frame;

use super::NAMESPACE;
use crate::{
    DIALECT,
    wire::{Message, Room, RoomClosed, RoomJoined, Seen},
};

/// Hears for one socket.
pub(super) struct Listener {
    /// The start of absolute URLs.
    base: Arc<str>,
    /// For frames that hold none.
    no_base: Arc<str>,
}

impl Listener {
    pub(super) fn new(base: Arc<str>) -> Self {
        Self { base, no_base: Arc::default() }
    }
}

impl Ear for Listener {
    fn shape(&self, event: &Event) -> Shape {
        let base = match event {
            Event::RoomJoined { .. } | Event::RoomAnnounced(_) => &self.base,
            _ => &self.no_base,
        };
        Shape { dialect: DIALECT, base: Arc::clone(base), variant: 0 }
    }

    fn heard(&self, event: &Event) -> Heard {
        Heard::Frame(match event {
            Event::MessagePosted(posted) => message_frame(&Message::told(posted, false)).into(),
            Event::RoomJoined { room, teacher } => {
                frame("room_joined", &RoomJoined::of(room, teacher.clone(), &self.base)).into()
            }
            Event::RoomClosed(room) => frame("room_closed", &RoomClosed::from(room)).into(),
            Event::RoomSeen { room, author } => {
                frame("seen", &Seen { room: room.id.0, user: Some(author.0) }).into()
            }
            Event::RoomAnnounced(announced) => {
                frame("new_room", &Room::of(announced.clone(), &self.base)).into()
            }
            _ => return Heard::Nothing,
        })
    }
}

/// The event `message`.
pub(super) fn message_frame(message: &Message) -> Bytes {
    frame("message", message)
}

/// An event.
pub(super) fn frame(name: &str, payload: &impl Serialize) -> Bytes {
    event_frame(NAMESPACE, name, payload)
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, ConversationId, Time, rooms};

    use super::*;

    fn room() -> rooms::Room {
        rooms::Room {
            id: ConversationId(8),
            student: AccountId(2),
            teacher: Some(AccountId(3)),
            status: rooms::Status::Closed,
            created_at: Time(0),
            text: String::new(),
            image: String::new(),
            is_announced: true,
            student_saw: 0,
            teacher_saw: 0,
        }
    }

    #[test]
    fn payloads_have_exactly_the_documents_keys() {
        let heard = |event: &Event| match Listener::new("http://a".into()).heard(event) {
            Heard::Frame(frame) => String::from_utf8(frame.bytes.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(heard(&Event::RoomClosed(room())), r#"42["room_closed",{"status":"closed","room":8}]"#);
        let seen = Event::RoomSeen { room: room(), author: AccountId(3) };
        assert_eq!(heard(&seen), r#"42["seen",{"room":8,"user":3}]"#);
    }

    #[test]
    fn sockets_of_different_hosts_share_what_holds_no_url() {
        let (one, other) = (Listener::new("http://a".into()), Listener::new("http://b".into()));
        let closed = Event::RoomClosed(room());
        assert_eq!(one.shape(&closed), other.shape(&closed));
    }
}
