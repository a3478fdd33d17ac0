//! A message on SQLite: three statements within a grouped commit.

use anyhow::anyhow;
use domain::{
    AccountId, Error, Event, MessageId, Noun, Posted, Result,
    conversations::Kind,
    messages::{Message, NewMessage},
    relations::Status,
};
use serde_json::json;

use super::stored;
use crate::{
    accounts::{person, person_columns},
    engine::{Tx, vals},
};

/// Stores a message and tells it.
pub(super) fn post(tx: &mut Tx<'_>, new: &NewMessage) -> Result<Message> {
    // The row is there when the conversation is; what is about the author is NULL for strangers.
    const PLACE: &str = concat!(
        "SELECT c.kind, c.message_count, c.initiator, c.receiver, r.status_from, r.status_to, a.id, ",
        person_columns!(),
        " FROM conversation c LEFT JOIN relation r ON r.low = c.low AND r.high = c.high
        LEFT JOIN member me ON me.conversation = c.id AND me.account = $2
        LEFT JOIN account a ON a.id = me.account AND a.deleted_at IS NULL
        LEFT JOIN photo p ON p.id = a.avatar_photo WHERE c.id = $1"
    );
    const ADD: &str = "INSERT INTO message (uuid, conversation, position, author, text, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    const COUNT: &str =
        "UPDATE conversation SET message_count = $2, last_message = $3, last_at = $4 WHERE id = $1";
    let place = tx.first(PLACE, vals![new.conversation, new.author])?;
    let mut row = place.ok_or(Error::NotFound(Noun::Conversation))?;
    let kind: String = row.take()?;
    let position = row.take::<i64>()? + 1;
    let pair: [Option<AccountId>; 2] = [row.take()?, row.take()?];
    let statuses: [Option<String>; 2] = [row.take()?, row.take()?];
    if row.take::<Option<i64>>()?.is_none() {
        return Err(Error::Forbidden(Noun::Conversation));
    }
    if statuses.iter().flatten().any(|status| status == Status::Rejected.as_str()) {
        return Err(Error::Forbidden(Noun::RejectedRelation));
    }
    let author = person(&mut row)?;
    let values = vals![new.uuid, new.conversation, position, new.author, &new.text, new.created_at];
    let added: Vec<MessageId> = tx.column(ADD, values)?;
    let id = *added.first().ok_or_else(|| anyhow!("a new message has no id"))?;
    tx.exec(COUNT, vals![new.conversation, position, id, new.created_at])?;
    add_media(tx, id, new)?;
    let message = stored(new, id, position, &author.username);
    let direct_pair =
        if kind == Kind::Direct.as_str() { pair.into_iter().flatten().collect() } else { Vec::new() };
    tx.tell(Event::MessagePosted(Posted { message: message.clone(), author, direct_pair }));
    Ok(message)
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
