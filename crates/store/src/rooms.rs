//! Rooms of students and teachers.
//!
//! No row is locked before it is changed: on PostgreSQL a transaction that another one overtakes is repeated, and then
//! sees what the other one did. Whoever adds a message holds the room as it is until the message stands.

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, ConversationId, Error, Event, Noun, Result,
    accounts::{Person, Role},
    conversations::Kind,
    rooms::{Joined, NewRoom, Part, Room, RoomWithPeople, Rooms, Status, Whose},
};

use crate::{
    SqlStore,
    accounts::{living, people},
    engine::{Row, Tx, vals},
};

/// The columns of a room: [`room`] reads them in this order.
macro_rules! room_columns {
    () => {
        "id, student, teacher, status, created_at, text, image, is_announced, student_saw, teacher_saw"
    };
}

#[async_trait]
impl Rooms for SqlStore {
    async fn add_room(&self, new: NewRoom) -> Result<Room> {
        self.write(move |tx| add_room(tx, &new)).await
    }

    async fn room(&self, id: ConversationId) -> Result<Option<Room>> {
        self.read(move |tx| room_of(tx, id)).await
    }

    async fn rooms(&self, whose: Whose, part: Part) -> Result<Vec<Room>> {
        self.read(move |tx| rooms(tx, whose, part)).await
    }

    async fn open_rooms_of(&self, account: AccountId) -> Result<Vec<ConversationId>> {
        const OPEN: &str = "SELECT id FROM room WHERE student = $1 AND status <> 'closed'
            UNION SELECT id FROM room WHERE teacher = $1 AND status <> 'closed' ORDER BY id";
        self.read(move |tx| tx.column(OPEN, vals![account])).await
    }

    async fn pairs_in_open_rooms(&self, accounts: Vec<AccountId>) -> Result<Vec<(AccountId, AccountId)>> {
        const PAIRS: &str = "
            SELECT student, teacher FROM room
            WHERE student IN LIST($1) AND status <> 'closed' AND teacher IS NOT NULL
            UNION SELECT student, teacher FROM room WHERE teacher IN LIST($1) AND status <> 'closed'";
        self.read(move |tx| {
            let pair = |mut row: Row| Ok((row.take()?, row.take()?));
            tx.query(PAIRS, vals![accounts.as_slice()])?.into_iter().map(pair).collect()
        })
        .await
    }

    async fn join_room(&self, id: ConversationId, teacher: AccountId) -> Result<Joined> {
        self.write(move |tx| join_room(tx, id, teacher)).await
    }

    async fn close_room(&self, id: ConversationId, by: AccountId) -> Result<Room> {
        self.write(move |tx| close_room(tx, id, by)).await
    }

    async fn announce_room(&self, id: ConversationId, by: AccountId) -> Result<RoomWithPeople> {
        self.write(move |tx| announce_room(tx, id, by)).await
    }

    async fn see_room(&self, id: ConversationId, by: AccountId) -> Result<Room> {
        self.write(move |tx| see_room(tx, id, by)).await
    }
}

/// The room of the next columns of the row.
fn room(row: &mut Row) -> Result<Room> {
    Ok(Room {
        id: row.take()?,
        student: row.take()?,
        teacher: row.take()?,
        status: status(&row.take::<String>()?)?,
        created_at: row.take()?,
        text: row.take()?,
        image: row.take()?,
        is_announced: row.take()?,
        student_saw: row.take()?,
        teacher_saw: row.take()?,
    })
}

/// The status of that word.
pub(crate) fn status(word: &str) -> Result<Status> {
    Ok(Status::named(word).ok_or_else(|| anyhow!("a room has the status {word:?}"))?)
}

fn room_of(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Room>> {
    const OF: &str = concat!("SELECT ", room_columns!(), " FROM room WHERE id = $1");
    tx.first(OF, vals![id])?.as_mut().map(room).transpose()
}

/// The room, which nobody has closed. `NotFound(Room)`, `Conflict(ClosedRoom)`.
fn open_room(tx: &mut Tx<'_>, id: ConversationId) -> Result<Room> {
    let room = room_of(tx, id)?.ok_or(Error::NotFound(Noun::Room))?;
    if room.status == Status::Closed { Err(Error::Conflict(Noun::ClosedRoom)) } else { Ok(room) }
}

fn rooms(tx: &mut Tx<'_>, whose: Whose, part: Part) -> Result<Vec<Room>> {
    const OF_STUDENT: &str = concat!(
        "SELECT ",
        room_columns!(),
        " FROM room WHERE student = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    );
    // No more than `limit` of either kind can be among the first `limit` of both.
    const OF_TEACHER: &str = concat!(
        "SELECT ",
        room_columns!(),
        " FROM room WHERE id IN (
            SELECT id FROM (
                SELECT id FROM room WHERE teacher = $1 AND id < $2 ORDER BY id DESC LIMIT $3
            ) AS found UNION SELECT id FROM (
                SELECT id FROM room WHERE status = 'active' AND id < $2 ORDER BY id DESC LIMIT $3
            ) AS found
        ) ORDER BY id DESC LIMIT $3"
    );
    const ALL: &str =
        concat!("SELECT ", room_columns!(), " FROM room WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let before = part.before.unwrap_or(ConversationId(i64::MAX));
    let mut rows = match whose {
        Whose::Student(student) => tx.query(OF_STUDENT, vals![student, before, part.limit])?,
        Whose::Teacher(teacher) => tx.query(OF_TEACHER, vals![teacher, before, part.limit])?,
        Whose::All => tx.query(ALL, vals![before, part.limit])?,
    };
    rows.iter_mut().map(room).collect()
}

fn add_room(tx: &mut Tx<'_>, new: &NewRoom) -> Result<Room> {
    const CONVERSATION: &str = "INSERT INTO conversation (uuid, kind, message_count, last_at, created_at)
        VALUES ($1, $2, 0, $3, $3) RETURNING id";
    const ADD: &str = "
        INSERT INTO room (id, student, status, created_at, text, image, is_announced, student_saw, teacher_saw)
        VALUES ($1, $2, 'active', $3, $4, $5, FALSE, 0, 0)";
    if living(tx, &[new.student])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    let ids = tx.column(CONVERSATION, vals![new.uuid, Kind::Room.as_str(), new.created_at])?;
    let id: ConversationId = *ids.first().ok_or_else(|| anyhow!("a new room has no id"))?;
    tx.exec(ADD, vals![id, new.student, new.created_at, &new.text, &new.image])?;
    add_member(tx, id, new.student)?;
    Ok(room_of(tx, id)?.ok_or_else(|| anyhow!("a new room is not there"))?)
}

fn add_member(tx: &mut Tx<'_>, id: ConversationId, account: AccountId) -> Result<()> {
    const ADD: &str = "INSERT INTO member (conversation, account) VALUES ($1, $2)";
    tx.exec(ADD, vals![id, account])?;
    Ok(())
}

fn join_room(tx: &mut Tx<'_>, id: ConversationId, account: AccountId) -> Result<Joined> {
    const JOIN: &str = "UPDATE room SET teacher = $2, status = 'engaged' WHERE id = $1 AND status = 'active'";
    // A deleted account is no teacher's, and stays alive once it is found so.
    let is_alive = living(tx, &[account])? == 1;
    let teacher = person(tx, account)?.filter(|person| is_alive && person.role == Role::Teacher);
    let teacher = teacher.ok_or(Error::Forbidden(Noun::Room))?;
    let room = open_room(tx, id)?;
    // A student who has become a teacher is in it already, as the other side.
    if room.student == account {
        return Err(Error::Forbidden(Noun::Room));
    }
    match room.teacher {
        Some(present) if present == account => return Ok(Joined { room, teacher, repeated: true }),
        Some(_) => return Err(Error::Conflict(Noun::Room)),
        None => {}
    }
    // The conversation before the room, in which order those who add messages hold them.
    add_member(tx, id, account)?;
    if tx.exec(JOIN, vals![id, account])? == 0 {
        return Err(Error::Conflict(Noun::Room));
    }
    let room = Room { teacher: Some(account), status: Status::Engaged, ..room };
    tx.tell(Event::RoomJoined { room: room.clone(), teacher: teacher.clone() });
    Ok(Joined { room, teacher, repeated: false })
}

fn close_room(tx: &mut Tx<'_>, id: ConversationId, by: AccountId) -> Result<Room> {
    let room = open_room(tx, id)?;
    let may = room.teacher == Some(by) || (room.status == Status::Active && room.student == by);
    if may { close(tx, room) } else { Err(Error::Forbidden(Noun::Room)) }
}

/// Closes a room, and tells it.
fn close(tx: &mut Tx<'_>, room: Room) -> Result<Room> {
    const CLOSE: &str = "UPDATE room SET status = 'closed' WHERE id = $1";
    tx.exec(CLOSE, vals![room.id])?;
    let room = Room { status: Status::Closed, ..room };
    tx.tell(Event::RoomClosed(room.clone()));
    Ok(room)
}

/// Closes the open rooms of an account that goes, and tells it.
pub(crate) fn close_rooms_of(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    const OPEN: &str = concat!(
        "SELECT ",
        room_columns!(),
        " FROM room WHERE id IN (
            SELECT id FROM room WHERE student = $1 AND status <> 'closed'
            UNION SELECT id FROM room WHERE teacher = $1 AND status <> 'closed'
        ) ORDER BY id"
    );
    for mut row in tx.query(OPEN, vals![account])? {
        let room = room(&mut row)?;
        close(tx, room)?;
    }
    Ok(())
}

fn announce_room(tx: &mut Tx<'_>, id: ConversationId, by: AccountId) -> Result<RoomWithPeople> {
    const ANNOUNCE: &str = "UPDATE room SET is_announced = TRUE WHERE id = $1";
    let room = open_room(tx, id)?;
    if room.student != by {
        return Err(Error::Forbidden(Noun::Room));
    }
    if room.status != Status::Active || room.is_announced {
        return Err(Error::Conflict(Noun::Room));
    }
    tx.exec(ANNOUNCE, vals![id])?;
    let student = person(tx, by)?.ok_or_else(|| anyhow!("the student of a room is not there"))?;
    let announced = RoomWithPeople { room: Room { is_announced: true, ..room }, student, teacher: None };
    tx.tell(Event::RoomAnnounced(announced.clone()));
    Ok(announced)
}

fn see_room(tx: &mut Tx<'_>, id: ConversationId, by: AccountId) -> Result<Room> {
    const NEWEST: &str =
        "SELECT position FROM message WHERE conversation = $1 AND position > $2 AND author = $3
        ORDER BY position DESC LIMIT 1";
    const STUDENT_SAW: &str = "UPDATE room SET student_saw = $2 WHERE id = $1";
    const TEACHER_SAW: &str = "UPDATE room SET teacher_saw = $2 WHERE id = $1";
    let mut room = open_room(tx, id)?;
    if !room.has(by) {
        return Err(Error::Forbidden(Noun::Room));
    }
    let Some(author) = room.opposite(by) else { return Ok(room) };
    let (saw, set) = if by == room.student {
        (&mut room.student_saw, STUDENT_SAW)
    } else {
        (&mut room.teacher_saw, TEACHER_SAW)
    };
    if let Some(newest) = tx.column::<i64>(NEWEST, vals![id, *saw, author])?.pop() {
        *saw = newest;
        tx.exec(set, vals![id, newest])?;
        tx.tell(Event::RoomSeen { room: room.clone(), author });
    }
    Ok(room)
}

fn person(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Person>> {
    Ok(people(tx, &[account])?.pop())
}
