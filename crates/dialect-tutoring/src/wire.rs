//! The shapes of document 003.

use domain::{
    accounts::{self, Avatar},
    messages,
    rooms::{self, RoomWithPeople},
    sessions::Tokens,
};
use kit::times::wire_time;
use serde::Serialize;
use utoipa::ToSchema;

/// The picture of those who have none.
const DEFAULT_IMAGE: &str = "avatars/default.png";

/// The address of a file, for those who know the server by this start of absolute URLs.
pub(crate) fn media_url(base: &str, key: &str) -> String {
    format!("{base}/media/{key}")
}

fn image_url(base: &str, avatar: &Avatar) -> String {
    media_url(base, avatar.photo.as_deref().unwrap_or(DEFAULT_IMAGE))
}

/// What a sign-in gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pair {
    /// The access token.
    access: String,
    /// The refresh token.
    refresh: String,
}

impl From<Tokens> for Pair {
    fn from(tokens: Tokens) -> Self {
        Self { access: tokens.access, refresh: tokens.refresh }
    }
}

/// A person.
#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    id: i64,
    first_name: String,
    last_name: String,
    email: String,
    /// An absolute URL.
    image: String,
}

impl Person {
    fn of(person: accounts::Person, base: &str) -> Self {
        Self {
            id: person.id.0,
            image: image_url(base, &person.avatar),
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
        }
    }
}

/// A room.
#[derive(Serialize, ToSchema)]
pub(crate) struct Room {
    id: i64,
    student: Person,
    /// Null until one has joined.
    teacher: Option<Person>,
    /// `active`, `engaged` or `closed`.
    status: &'static str,
    timestamp: String,
    text: String,
    /// `""` or a URL.
    image: String,
}

impl Room {
    pub(crate) fn of(with_people: RoomWithPeople, base: &str) -> Self {
        let RoomWithPeople { room, student, teacher } = with_people;
        Self {
            id: room.id.0,
            student: Person::of(student, base),
            teacher: teacher.map(|teacher| Person::of(teacher, base)),
            status: room.status.as_str(),
            timestamp: wire_time(room.created_at),
            text: room.text,
            image: room.image,
        }
    }
}

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    id: i64,
    text: String,
    /// `""` or a URL.
    image: String,
    /// Whether the other side has seen it.
    seen: bool,
    timestamp: String,
    /// The room.
    room: i64,
    /// The author.
    user: i64,
    /// The client's own id of it: in events alone, when one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

impl Message {
    pub(crate) fn of(message: messages::Message, seen: bool) -> Self {
        Self {
            id: message.id.0,
            text: message.text,
            image: message.image,
            seen,
            timestamp: wire_time(message.created_at),
            room: message.conversation.0,
            user: message.author.0,
            client_id: None,
        }
    }

    /// The same with what only an event tells.
    pub(crate) fn told(posted: &domain::Posted, seen: bool) -> Self {
        Self { client_id: posted.client_id.clone(), ..Self::of(posted.message.clone(), seen) }
    }
}

/// A teacher, to those in the room. Its keys are exact.
#[derive(Serialize)]
struct Teacher {
    id: i64,
    first_name: String,
    last_name: String,
    image: String,
}

/// What `room_joined` tells. Its keys are exact.
#[derive(Serialize)]
pub(crate) struct RoomJoined {
    room: i64,
    teacher: Teacher,
    status: &'static str,
}

impl RoomJoined {
    pub(crate) fn of(room: &rooms::Room, teacher: accounts::Person, base: &str) -> Self {
        let teacher = Teacher {
            id: teacher.id.0,
            image: image_url(base, &teacher.avatar),
            first_name: teacher.first_name,
            last_name: teacher.last_name,
        };
        Self { room: room.id.0, teacher, status: rooms::Status::Engaged.as_str() }
    }
}

/// What `room_closed` tells. Its keys are exact.
#[derive(Serialize)]
pub(crate) struct RoomClosed {
    status: &'static str,
    room: i64,
}

impl From<&rooms::Room> for RoomClosed {
    fn from(room: &rooms::Room) -> Self {
        Self { status: room.status.as_str(), room: room.id.0 }
    }
}

/// What `seen` tells. Its keys are exact.
#[derive(Serialize)]
pub(crate) struct Seen {
    pub(crate) room: i64,
    /// Whose messages are seen; null where there is nobody yet, which only an ack can tell.
    pub(crate) user: Option<i64>,
}

/// What `online` and `offline` tell. Its keys are exact.
#[derive(Serialize)]
pub(crate) struct Presence {
    pub(crate) user: i64,
}

/// What `rooms` tells. Its keys are exact.
#[derive(Serialize)]
pub(crate) struct RoomIds {
    pub(crate) rooms: Vec<i64>,
}

/// What an upload gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Uploaded {
    /// An absolute URL.
    pub(crate) image: String,
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, ConversationId, Time, accounts::Role};
    use serde_json::json;

    use super::*;

    fn person(id: i64, photo: Option<&str>) -> accounts::Person {
        accounts::Person {
            id: AccountId(id),
            uuid: uuid::Uuid::nil(),
            username: "tess".into(),
            email: "tess@example.org".into(),
            first_name: "Tess".into(),
            last_name: "Ito".into(),
            role: Role::Teacher,
            two_factor: false,
            avatar: Avatar { photo: photo.map(str::to_owned), text: None },
        }
    }

    fn room(teacher: Option<i64>) -> rooms::Room {
        rooms::Room {
            id: ConversationId(8),
            student: AccountId(2),
            teacher: teacher.map(AccountId),
            status: rooms::Status::Active,
            created_at: Time(1_629_963_762_087_078),
            text: "hello".into(),
            image: String::new(),
            is_announced: false,
            student_saw: 0,
            teacher_saw: 0,
        }
    }

    #[test]
    fn a_room_has_the_documents_keys_in_their_order() {
        let shown = RoomWithPeople { room: room(None), student: person(2, None), teacher: None };
        let expected = json!({
            "id": 8,
            "student": {
                "id": 2, "first_name": "Tess", "last_name": "Ito", "email": "tess@example.org",
                "image": "http://a:1/media/avatars/default.png",
            },
            "teacher": null,
            "status": "active",
            "timestamp": "2021-08-26T07:42:42.087078Z",
            "text": "hello",
            "image": "",
        });
        let written = serde_json::to_string(&Room::of(shown, "http://a:1")).unwrap();
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn the_teacher_who_joins_is_shown_without_an_address() {
        let joined = RoomJoined::of(&room(Some(3)), person(3, Some("avatars/x.png")), "http://a");
        let expected = json!({
            "room": 8,
            "teacher": { "id": 3, "first_name": "Tess", "last_name": "Ito", "image": "http://a/media/avatars/x.png" },
            "status": "engaged",
        });
        assert_eq!(serde_json::to_string(&joined).unwrap(), expected.to_string());
    }
}
