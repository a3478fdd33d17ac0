//! Rooms: where a student asks and one teacher answers. A room is `active`, then `engaged`, then `closed`, and never goes
//! back; one that nobody joins is closed from `active`. It is a conversation of kind [`Kind::Room`] with its members.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccountId, App, Caller, ConversationId, Error, Field, Noun, Problem, Result, Rule, Time,
    accounts::{self, Person, Role},
    conversations::{self, Kind},
    media,
    messages::{self, Draft, Message, Stored, image_problem},
};

/// How far a room is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// The student waits for a teacher.
    Active,
    /// A teacher is there.
    Engaged,
    /// Nobody writes any more.
    Closed,
}

impl Status {
    /// The word for it in the database and on the wire of `tutoring`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Engaged => "engaged",
            Self::Closed => "closed",
        }
    }

    /// The status of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Active, Self::Engaged, Self::Closed].into_iter().find(|status| status.as_str() == word)
    }
}

/// A room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// Its id: that of its conversation.
    pub id: ConversationId,
    /// Who has opened it.
    pub student: AccountId,
    /// Who has joined it.
    pub teacher: Option<AccountId>,
    /// How far it is.
    pub status: Status,
    /// When it was opened.
    pub created_at: Time,
    /// What the student asks, or `""`.
    pub text: String,
    /// The address of a picture, or `""`.
    pub image: String,
    /// Whether the teachers were asked to come.
    pub is_announced: bool,
    /// The position up to which the student has seen the teacher's messages; 0 at first.
    pub student_saw: i64,
    /// The position up to which the teacher has seen the student's messages; 0 at first.
    pub teacher_saw: i64,
}

/// A room with its people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomWithPeople {
    /// The room.
    pub room: Room,
    /// Who has opened it.
    pub student: Person,
    /// Who has joined it.
    pub teacher: Option<Person>,
}

impl Room {
    /// The accounts in the room.
    pub fn members(&self) -> impl Iterator<Item = AccountId> + use<> {
        [Some(self.student), self.teacher].into_iter().flatten()
    }

    /// Whether the account is in the room.
    pub fn has(&self, account: AccountId) -> bool {
        self.members().any(|member| member == account)
    }

    /// The other one in the room, if there is one.
    pub fn opposite(&self, account: AccountId) -> Option<AccountId> {
        if account == self.student { self.teacher } else { Some(self.student) }
    }

    /// Whether the other side has seen a message of the room.
    pub fn is_seen(&self, message: &Message) -> bool {
        let seen_to = if message.author == self.student { self.teacher_saw } else { self.student_saw };
        message.position <= seen_to
    }
}

/// A room to be opened.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// The other id of its conversation.
    pub uuid: Uuid,
    /// Who opens it.
    pub student: AccountId,
    /// What the student asks, or `""`.
    pub text: String,
    /// The address of a picture, or `""`.
    pub image: String,
    /// When.
    pub created_at: Time,
}

/// Which rooms a list holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Those that a student has opened.
    Student(AccountId),
    /// Those that a teacher has joined, and all active ones.
    Teacher(AccountId),
    /// All.
    All,
}

/// A part of a list of rooms, newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Only rooms opened before this one.
    pub before: Option<ConversationId>,
    /// At most so many.
    pub limit: usize,
}

/// What came of [`Rooms::join_room`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The room as it is now.
    pub room: Room,
    /// The teacher.
    pub teacher: Person,
    /// Whether the teacher was in it before: then nobody was told again.
    pub repeated: bool,
}

/// What the core asks of the store about rooms.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Opens a room. `NotFound(Account)` when the student is deleted.
    async fn add_room(&self, new: NewRoom) -> Result<Room>;

    /// The room of that id.
    async fn room(&self, id: ConversationId) -> Result<Option<Room>>;

    /// Rooms, newest first.
    async fn rooms(&self, whose: Whose, part: Part) -> Result<Vec<Room>>;

    /// The rooms of the account that are not closed, by id.
    async fn open_rooms_of(&self, account: AccountId) -> Result<Vec<ConversationId>>;

    /// The pairs (student, teacher) of the open rooms in which any of these accounts is; each pair once.
    async fn pairs_in_open_rooms(&self, accounts: Vec<AccountId>) -> Result<Vec<(AccountId, AccountId)>>;

    /// Makes an active room the teacher's, and publishes it; of several teachers at once, of one's only. The same teacher
    /// again changes nothing. `NotFound(Room)`, `Conflict(ClosedRoom)`, `Conflict(Room)` when it is another's,
    /// `Forbidden(Room)` when the account is no teacher's, or deleted, or has opened the room itself.
    async fn join_room(&self, id: ConversationId, teacher: AccountId) -> Result<Joined>;

    /// Closes a room, and publishes it. `NotFound(Room)`, `Conflict(ClosedRoom)`, `Forbidden(Room)` when `by` is neither
    /// its teacher nor, while it is active, its student.
    async fn close_room(&self, id: ConversationId, by: AccountId) -> Result<Room>;

    /// Asks the teachers to come to a room, once. `NotFound(Room)`, `Conflict(ClosedRoom)`, `Conflict(Room)` when a teacher
    /// is there, or they were asked before, `Forbidden(Room)` when `by` is not its student.
    async fn announce_room(&self, id: ConversationId, by: AccountId) -> Result<RoomWithPeople>;

    /// Notes that `by` has seen what the other side has written so far, and publishes it if anything changed.
    /// `NotFound(Room)`, `Conflict(ClosedRoom)`, `Forbidden(Room)` when `by` is not in it.
    async fn see_room(&self, id: ConversationId, by: AccountId) -> Result<Room>;
}

/// Longest side of a picture that was uploaded, in pixels.
const PICTURE_SIDE: u32 = 2_048;

/// Someone who may open rooms.
#[derive(Clone, Debug)]
pub struct Student(Person);

/// The caller as a student. `Forbidden(Room)` for others.
pub async fn student(app: &App, caller: &Caller) -> Result<Student> {
    let person = accounts::person(app, caller.account).await?;
    if person.role == Role::Student { Ok(Student(person)) } else { Err(Error::Forbidden(Noun::Room)) }
}

/// Opens a room. `Invalid` names each rule that is broken.
pub async fn create(
    app: &App,
    Student(student): Student,
    text: String,
    image: String,
) -> Result<RoomWithPeople> {
    let mut problems = Vec::new();
    if text.chars().nth(app.settings.max_text).is_some() {
        problems.push(Problem::new(Field::Text, Rule::TooLong(app.settings.max_text)));
    }
    if text.contains('\0') {
        problems.push(Problem::new(Field::Text, Rule::Charset));
    }
    problems.extend(image_problem(&image).map(|rule| Problem::new(Field::Image, rule)));
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let (uuid, created_at) = (app.ids.uuid(), app.clock.now());
    let new = NewRoom { uuid, student: student.id, text, image, created_at };
    Ok(RoomWithPeople { room: app.store.add_room(new).await?, student, teacher: None })
}

/// The rooms that the caller may know of, newest first: a student's own; a teacher's own and every active one; all for
/// staff.
pub async fn list(app: &App, caller: &Caller, part: Part) -> Result<Vec<RoomWithPeople>> {
    let whose = match accounts::person(app, caller.account).await?.role {
        Role::Student => Whose::Student(caller.account),
        Role::Teacher => Whose::Teacher(caller.account),
        Role::Staff => Whose::All,
    };
    let rooms = app.store.rooms(whose, part).await?;
    let mut ids: Vec<_> = rooms.iter().flat_map(Room::members).collect();
    ids.sort_unstable();
    ids.dedup();
    let people = app.store.people(ids).await?;
    let people: HashMap<AccountId, Person> = people.into_iter().map(|person| (person.id, person)).collect();
    let person = |id: AccountId| people.get(&id).cloned().ok_or(Error::NotFound(Noun::Account));
    rooms
        .into_iter()
        .map(|room| {
            Ok(RoomWithPeople {
                student: person(room.student)?,
                teacher: room.teacher.map(person).transpose()?,
                room,
            })
        })
        .collect()
}

/// A page of a room's messages, newest first, and the room, which knows what was seen. For those in the room, and staff.
/// `NotFound(Room)`, `Forbidden(Room)`.
pub async fn history(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    page: conversations::Page,
) -> Result<(Room, Vec<Message>)> {
    let room = app.store.room(id).await?.ok_or(Error::NotFound(Noun::Room))?;
    if !room.has(caller.account) && accounts::person(app, caller.account).await?.role != Role::Staff {
        return Err(Error::Forbidden(Noun::Room));
    }
    let messages = app.store.messages_in(id, page).await?;
    Ok((room, messages))
}

/// The caller's rooms that are not closed, by id.
pub async fn open(app: &App, caller: &Caller) -> Result<Vec<ConversationId>> {
    app.store.open_rooms_of(caller.account).await
}

/// The caller, a teacher, joins an active room. Errors as for [`Rooms::join_room`].
pub async fn join(app: &App, caller: &Caller, id: ConversationId) -> Result<Joined> {
    app.store.join_room(id, caller.account).await
}

/// Closes a room. Errors as for [`Rooms::close_room`].
pub async fn close(app: &App, caller: &Caller, id: ConversationId) -> Result<Room> {
    app.store.close_room(id, caller.account).await
}

/// Asks the teachers to come to the caller's room. Errors as for [`Rooms::announce_room`].
pub async fn announce(app: &App, caller: &Caller, id: ConversationId) -> Result<RoomWithPeople> {
    app.store.announce_room(id, caller.account).await
}

/// The caller has seen what the other side has written. Errors as for [`Rooms::see_room`].
pub async fn see(app: &App, caller: &Caller, id: ConversationId) -> Result<Room> {
    app.store.see_room(id, caller.account).await
}

/// Stores a message in a room, and tells all who are in it. `NotFound(Conversation)` when there is no such room; else as
/// for [`messages::post`].
pub async fn say(app: &App, caller: &Caller, id: ConversationId, draft: Draft) -> Result<Stored> {
    messages::post(app, caller, id, Draft { kind: Some(Kind::Room), ..draft }).await
}

/// Whether the other side has seen a message of a room.
pub async fn is_seen(app: &App, message: &Message) -> Result<bool> {
    let room = app.store.room(message.conversation).await?.ok_or(Error::NotFound(Noun::Room))?;
    Ok(room.is_seen(message))
}

/// Keeps a picture for rooms and messages, made anew and without metadata; its key. `Invalid` when it is no image.
pub async fn keep_picture(app: &App, bytes: bytes::Bytes) -> Result<String> {
    media::keep_picture(app, bytes, PICTURE_SIDE).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_a_student_is_the_teacher_who_may_not_be_there_yet() {
        let mut room = Room {
            id: ConversationId(1),
            student: AccountId(2),
            teacher: None,
            status: Status::Active,
            created_at: Time(0),
            text: String::new(),
            image: String::new(),
            is_announced: false,
            student_saw: 0,
            teacher_saw: 0,
        };
        assert_eq!(room.opposite(AccountId(2)), None);
        assert!(!room.has(AccountId(3)));
        room.teacher = Some(AccountId(3));
        assert_eq!(room.opposite(AccountId(2)), Some(AccountId(3)));
        assert_eq!(room.opposite(AccountId(3)), Some(AccountId(2)));
        assert_eq!(room.members().collect::<Vec<_>>(), [AccountId(2), AccountId(3)]);
    }

    #[test]
    fn every_status_is_found_by_its_word() {
        for status in [Status::Active, Status::Engaged, Status::Closed] {
            assert_eq!(Status::named(status.as_str()), Some(status));
        }
        assert_eq!(Status::named("open"), None);
    }
}
