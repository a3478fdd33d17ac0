//! Messages: one at a time within SQLite's grouped commits ([`post`]), many a statement on PostgreSQL ([`batch`]).

mod batch;
mod place;
mod post;
mod posted;
mod receipts;
mod repeats;

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    AccountId, MessageId, Posted, RelationId, Result, Time,
    messages::{MediaFile, Message, Messages, NewMessage, Receipt, Stored},
};
use uuid::Uuid;

pub(crate) use batch::Batcher;

use crate::{
    Engine, SqlStore,
    engine::{Row, Tx, vals},
};

/// The columns of a message `m` and its author (`w`, or the one named): [`message`] reads them in this order.
macro_rules! message_columns {
    () => {
        message_columns!("w")
    };
    ($author:literal) => {
        concat!(
            "m.id, m.uuid, m.conversation, m.position, m.author, ",
            $author,
            ".uuid, ",
            $author,
            ".username, m.text, m.image, m.created_at, m.receiver, (SELECT v.uuid FROM account v WHERE v.id = m.receiver), \
            m.received_at, m.seen_at"
        )
    };
}
pub(crate) use message_columns;

#[async_trait]
impl Messages for SqlStore {
    async fn add_message(&self, new: NewMessage) -> Result<Stored> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(move |tx| post::post(tx, &new)).await,
            Engine::Postgres { batcher, .. } => batcher.add(new).await,
        }
    }

    async fn mark_received(&self, ids: Vec<MessageId>, now: Time) -> Result<Vec<MessageId>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        self.write(move |tx| receipts::mark_received(tx, &ids, now)).await
    }

    async fn mark_seen(
        &self,
        message: Uuid,
        receiver: AccountId,
        via: Option<RelationId>,
        now: Time,
    ) -> Result<()> {
        self.write(move |tx| receipts::mark_seen(tx, message, receiver, via, now)).await
    }

    async fn message_of(&self, account: AccountId, message: Uuid) -> Result<Option<MessageId>> {
        self.read(move |tx| posted::message_of(tx, account, message)).await
    }

    async fn messages_after(
        &self,
        account: AccountId,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<Posted>> {
        self.snapshot(move |tx| posted::messages_after(tx, account, after, limit)).await
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
        author_uuid: row.take()?,
        author_name: row.take()?,
        text: row.take()?,
        image: row.take::<Option<String>>()?.unwrap_or_default(),
        created_at: row.take()?,
        media: Vec::new(),
        receipt: receipt(row)?,
    })
}

/// The receipt of the next columns of the row; there is none where nobody is the receiver.
fn receipt(row: &mut Row) -> Result<Option<Receipt>> {
    let receiver: (Option<AccountId>, Option<Uuid>) = (row.take()?, row.take()?);
    let (received_at, seen_at) = (row.take()?, row.take()?);
    let receipt = |(receiver, receiver_uuid)| Receipt { receiver, receiver_uuid, received_at, seen_at };
    Ok(receiver.0.zip(receiver.1).map(receipt))
}

/// The messages with their media, by one query.
pub(crate) fn media_of(tx: &mut Tx<'_>, mut messages: Vec<Message>) -> Result<Vec<Message>> {
    add_media_to(tx, messages.iter_mut())?;
    Ok(messages)
}

/// Gives these messages their media, by one query.
fn add_media_to<'m>(tx: &mut Tx<'_>, messages: impl Iterator<Item = &'m mut Message>) -> Result<()> {
    const MEDIA: &str = "SELECT message, uuid, file_key, label, size, uploaded_at FROM media
        WHERE message IN LIST($1) ORDER BY message, ordinal";
    let mut messages: HashMap<MessageId, &mut Message> =
        messages.map(|message| (message.id, message)).collect();
    if messages.is_empty() {
        return Ok(());
    }
    let ids: Vec<MessageId> = messages.keys().copied().collect();
    for mut row in tx.query(MEDIA, vals![ids.as_slice()])? {
        let file_of = messages.get_mut(&row.take()?);
        let file = MediaFile {
            uuid: row.take()?,
            key: row.take()?,
            label: row.take()?,
            size: row.take()?,
            uploaded_at: row.take()?,
        };
        if let Some(message) = file_of {
            message.media.push(file);
        }
    }
    Ok(())
}
