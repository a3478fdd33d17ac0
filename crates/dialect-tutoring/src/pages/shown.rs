//! Rooms and messages as the home page shows them. The script does the same: see `assets/tutoring.js`.

use domain::{
    AccountId, ConversationId,
    accounts::Person,
    messages::Message,
    rooms::{RoomWithPeople, Status},
};
use kit::times::wire_time;

/// Characters of a room's text that its entry in the list shows.
const TITLE: usize = 120;

/// A room in the list.
pub(super) struct Item {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) state: String,
    pub(super) is_shown: bool,
}

/// A message.
pub(super) struct Entry {
    pub(super) author: String,
    pub(super) is_mine: bool,
    pub(super) text: String,
    pub(super) picture: Option<Picture>,
    /// As the wire has it.
    pub(super) timestamp: String,
    /// To the minute.
    pub(super) time: String,
    /// Whether it is one's own, and the other side has seen it.
    pub(super) is_seen: bool,
}

/// A picture: one of this server is shown, another's is linked to, so that nobody's address is told there.
pub(super) struct Picture {
    pub(super) url: String,
    pub(super) is_own: bool,
}

impl Item {
    pub(super) fn of(room: &RoomWithPeople, me: AccountId, shown: Option<ConversationId>) -> Self {
        let title = title_of(room).chars().take(TITLE).collect();
        Self { id: room.room.id.0, title, state: state_of(room, me), is_shown: shown == Some(room.room.id) }
    }
}

impl Entry {
    pub(super) fn of(message: Message, room: &RoomWithPeople, me: AccountId, seen: bool, base: &str) -> Self {
        let people = [Some(&room.student), room.teacher.as_ref()];
        let author = people.into_iter().flatten().find(|person| person.id == message.author);
        let timestamp = wire_time(message.created_at);
        Self {
            author: author.map_or_else(String::new, name_of),
            is_mine: message.author == me,
            picture: Picture::of(&message.image, base),
            time: timestamp.get(..16).unwrap_or_default().replace('T', " "),
            timestamp,
            is_seen: seen && message.author == me,
            text: message.text,
        }
    }
}

impl Picture {
    /// The picture of that address, where there is one. `base`: the start of this server's own addresses.
    pub(super) fn of(url: &str, base: &str) -> Option<Self> {
        let is_own = url.strip_prefix(base).is_some_and(|rest| rest.starts_with("/media/"));
        (!url.is_empty()).then(|| Self { url: url.to_owned(), is_own })
    }
}

/// What a room is about.
pub(super) fn title_of(room: &RoomWithPeople) -> String {
    let text = room.room.text.trim();
    if text.is_empty() { format!("Room {}", room.room.id.0) } else { text.to_owned() }
}

/// How far it is, and who is there besides oneself.
pub(super) fn state_of(room: &RoomWithPeople, me: AccountId) -> String {
    let status = room.room.status.as_str();
    let other = if room.student.id == me { room.teacher.as_ref() } else { Some(&room.student) };
    match other {
        Some(person) => format!("{status} · {}", name_of(person)),
        None if room.room.status == Status::Active => format!("{status} · waiting for a teacher"),
        None => status.to_owned(),
    }
}

fn name_of(person: &Person) -> String {
    let name = format!("{} {}", person.first_name, person.last_name);
    let name = name.trim();
    if name.is_empty() { format!("#{}", person.id) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_this_server_alone_are_shown() {
        let is_own = |url| Picture::of(url, "http://a").map(|picture| picture.is_own);
        assert_eq!(is_own("http://a/media/x.png"), Some(true));
        for foreign in ["http://a.example/media/x.png", "http://ab/media/x.png", "http://a/logout/"] {
            assert_eq!(is_own(foreign), Some(false), "{foreign}");
        }
        assert_eq!(is_own(""), None);
    }
}
