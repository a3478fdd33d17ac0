//! A message on SQLite: three statements within a grouped commit.

use std::sync::Arc;

use anyhow::anyhow;
use domain::{
    Error, Event, MessageId, Noun, Result,
    messages::{NewMessage, Stored},
};
use serde_json::json;

use super::{
    place::{Bond, Place, RoomState, bond_columns, place_columns, room_state_columns},
    posted::posted_of,
    repeats::{first_of, remember},
};
use crate::{
    accounts::{person, person_columns},
    engine::{Tx, vals},
};

/// Stores a message and tells it; a repeat is neither stored nor told.
pub(super) fn post(tx: &mut Tx<'_>, new: &NewMessage) -> Result<Stored> {
    // The row is there when the conversation is; what is about the author is NULL for strangers.
    const PLACE: &str = concat!(
        "SELECT ",
        place_columns!(),
        ", ",
        bond_columns!(),
        ", ",
        room_state_columns!(),
        ", a.id, ",
        person_columns!(),
        " FROM conversation c LEFT JOIN relation r ON r.low = c.low AND r.high = c.high
        LEFT JOIN room o ON o.id = c.id
        LEFT JOIN member me ON me.conversation = c.id AND me.account = $2
        LEFT JOIN account a ON a.id = me.account AND a.deleted_at IS NULL
        LEFT JOIN photo p ON p.id = a.avatar_photo WHERE c.id = $1"
    );
    const ADD: &str = "
        INSERT INTO message (uuid, conversation, position, author, text, created_at, receiver, image)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // RETURNING would build a table for its one row.
    const ADDED: &str = "SELECT last_insert_rowid()";
    const COUNT: &str =
        "UPDATE conversation SET message_count = $2, last_message = $3, last_at = $4 WHERE id = $1";
    if let Some(first) = first_of(tx, new)? {
        let posted = posted_of(tx, &[first])?.pop().ok_or_else(|| anyhow!("the first message is gone"))?;
        return Ok(Stored { posted: Arc::new(posted), repeated: true });
    }
    let found = tx.first(PLACE, vals![new.conversation, new.author])?;
    let mut row = found.ok_or(Error::NotFound(Noun::Conversation))?;
    let mut place = Place::read(&mut row)?;
    place.bond = Bond::read(&mut row)?;
    place.room = RoomState::read(&mut row)?;
    if row.take::<Option<i64>>()?.is_none() {
        return Err(Error::Forbidden(Noun::Conversation));
    }
    place.check(new)?;
    let author = person(&mut row)?;
    let slot = place.take_slot(new);
    let (position, created_at) = (slot.position, slot.created_at);
    let receiver = slot.receiver.map(|(account, _)| account);
    let image = Some(&new.image).filter(|image| !image.is_empty());
    let values =
        vals![new.uuid, new.conversation, position, new.author, &new.text, created_at, receiver, image];
    tx.exec(ADD, values)?;
    let added: Vec<MessageId> = tx.column(ADDED, &[])?;
    let id = *added.first().ok_or_else(|| anyhow!("a new message has no id"))?;
    tx.exec(COUNT, vals![new.conversation, position, id, created_at])?;
    add_media(tx, id, new)?;
    remember(tx, new, id)?;
    let posted = Arc::new(place.posted(new, slot, id, author));
    tx.tell(Event::MessagePosted(Arc::clone(&posted)));
    Ok(Stored { posted, repeated: false })
}

/// Keeps what is to be known of the message's files, by one statement.
fn add_media(tx: &mut Tx<'_>, message: MessageId, new: &NewMessage) -> Result<()> {
    const ADD: &str = "
        INSERT INTO media (uuid, file_key, label, size, uploaded_at, message, ordinal)
        SELECT unhex(value ->> 'uuid'), value ->> 'key', value ->> 'label', value ->> 'size', value ->> 'uploaded_at', $1,
            key
        FROM json_each($2)";
    if new.media.is_empty() {
        return Ok(());
    }
    let files: Vec<_> = new
        .media
        .iter()
        .map(|file| {
            json!({
                "uuid": file.uuid.simple().to_string(),
                "key": file.key,
                "label": file.label,
                "size": file.size,
                "uploaded_at": file.uploaded_at.0,
            })
        })
        .collect();
    tx.exec(ADD, vals![message, serde_json::Value::from(files).to_string()])?;
    Ok(())
}
