//! Messages: one at a time within SQLite's grouped commits ([`post`]), many a statement on PostgreSQL ([`batch`]).

mod batch;
mod post;

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    MessageId, Result,
    messages::{MediaFile, Message, Messages, NewMessage},
};

pub(crate) use batch::Batcher;

use crate::{
    Engine, SqlStore,
    engine::{Row, Tx, vals},
};

/// The columns of a message `m` and its author `w`: [`message`] reads them in this order.
macro_rules! message_columns {
    () => {
        "m.id, m.uuid, m.conversation, m.position, m.author, w.username, m.text, m.created_at"
    };
}
pub(crate) use message_columns;

#[async_trait]
impl Messages for SqlStore {
    async fn add_message(&self, new: NewMessage) -> Result<Message> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(move |tx| post::post(tx, &new)).await,
            Engine::Postgres { batcher, .. } => batcher.add(new).await,
        }
    }
}

/// The message of the next columns of the row, without its media.
pub(crate) fn message(row: &mut Row) -> Result<Message> {
    Ok(Message {
        id: row.take()?,
        uuid: row.take()?,
        conversation: row.take()?,
        position: row.take()?,
        author: row.take()?,
        author_name: row.take()?,
        text: row.take()?,
        created_at: row.take()?,
        media: Vec::new(),
    })
}

/// The message that `new` has become.
fn stored(new: &NewMessage, id: MessageId, position: i64, author_name: &str) -> Message {
    Message {
        id,
        uuid: new.uuid,
        conversation: new.conversation,
        position,
        author: new.author,
        author_name: author_name.to_owned(),
        text: new.text.clone(),
        created_at: new.created_at,
        media: new.media.clone(),
    }
}

/// The messages with their media, by one query.
pub(crate) fn media_of(tx: &mut Tx<'_>, mut messages: Vec<Message>) -> Result<Vec<Message>> {
    const MEDIA: &str = "SELECT message, uuid, file_key, label, size, uploaded_at FROM media
        WHERE message IN LIST($1) ORDER BY message, ordinal";
    if messages.is_empty() {
        return Ok(messages);
    }
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    let mut media: HashMap<MessageId, Vec<MediaFile>> = HashMap::new();
    for mut row in tx.query(MEDIA, vals![ids.as_slice()])? {
        media.entry(row.take()?).or_default().push(MediaFile {
            uuid: row.take()?,
            key: row.take()?,
            label: row.take()?,
            size: row.take()?,
            uploaded_at: row.take()?,
        });
    }
    for message in &mut messages {
        message.media = media.remove(&message.id).unwrap_or_default();
    }
    Ok(messages)
}
