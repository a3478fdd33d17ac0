//! Messages: one at a time within SQLite's grouped commits ([`post`]), many a statement on PostgreSQL ([`batch`]).

mod batch;
mod place;
mod post;
mod posted;
mod receipts;
mod repeats;

use std::{collections::HashMap, sync::Arc};

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
            m.received_at, m.seen_at, EXISTS (SELECT 1 FROM media f WHERE f.message = m.id)"
        )
    };
}

/// The same columns for many messages at once, of [`message_tables`]: what a join finds, a subquery would have to be
/// opened for, message by message.
macro_rules! listed_message_columns {
    () => {
        "m.id, m.uuid, m.conversation, m.position, m.author, w.uuid, w.username, m.text, m.image, m.created_at, \
        m.receiver, v.uuid, m.received_at, m.seen_at, f.id IS NOT NULL"
    };
}

/// A message `m` with its author `w`, its receiver `v` and its first file `f`; files count from 0.
macro_rules! message_tables {
    () => {
        "message m JOIN account w ON w.id = m.author LEFT JOIN account v ON v.id = m.receiver \
        LEFT JOIN media f ON f.message = m.id AND f.ordinal = 0"
    };
}
pub(crate) use {listed_message_columns, message_columns, message_tables};

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

    async fn mark_delivered(&self, mut posted: Vec<Arc<Posted>>, now: Time) -> Result<()> {
        posted.sort_unstable_by_key(|posted| posted.message.id);
        posted.dedup_by_key(|posted| posted.message.id);
        if posted.is_empty() {
            return Ok(());
        }
        self.write(move |tx| receipts::mark_delivered(tx, &posted, now)).await
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

/// `WITH RECURSIVE narrowed (…)`: of each conversation of the seed (its id, 0, its number of messages) how many of its
/// messages come before the id `$2`: the largest `low`. Ids ascend along the positions, so a million take twenty looks.
macro_rules! narrowed {
    ($seed:literal) => {
        concat!(
            "WITH RECURSIVE narrowed (conversation, low, high) AS (",
            $seed,
            " UNION ALL
            SELECT narrowed.conversation, CASE WHEN k.id < $2 THEN k.position ELSE narrowed.low END,
                CASE WHEN k.id < $2 THEN narrowed.high ELSE k.position - 1 END
            FROM narrowed JOIN message k ON k.conversation = narrowed.conversation
                AND k.position = (narrowed.low + narrowed.high + 1) / 2
            WHERE narrowed.low < narrowed.high
        ) "
        )
    };
}
pub(crate) use narrowed;

/// The message of the next columns of the row; its media are still to be read when it is noted in `with_media`.
pub(crate) fn message(row: &mut Row, with_media: &mut Vec<MessageId>) -> Result<Message> {
    let message = Message {
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
    };
    if row.take()? {
        with_media.push(message.id);
    }
    Ok(message)
}

/// The messages of these rows, with their media: by one more query when there are any.
///
/// That query may see a later state than the one of the rows: media come with their message and never change.
pub(crate) fn messages(tx: &mut Tx<'_>, mut rows: Vec<Row>) -> Result<Vec<Message>> {
    let mut with_media = Vec::new();
    let messages = rows.iter_mut().map(|row| message(row, &mut with_media)).collect::<Result<Vec<_>>>()?;
    media_of(tx, messages, &with_media)
}

/// The receipt of the next columns of the row; there is none where nobody is the receiver.
fn receipt(row: &mut Row) -> Result<Option<Receipt>> {
    let receiver: (Option<AccountId>, Option<Uuid>) = (row.take()?, row.take()?);
    let (received_at, seen_at) = (row.take()?, row.take()?);
    let receipt = |(receiver, receiver_uuid)| Receipt { receiver, receiver_uuid, received_at, seen_at };
    Ok(receiver.0.zip(receiver.1).map(receipt))
}

/// The messages with their media; `with_media` are those that have any.
pub(crate) fn media_of(
    tx: &mut Tx<'_>,
    mut messages: Vec<Message>,
    with_media: &[MessageId],
) -> Result<Vec<Message>> {
    add_media_to(tx, messages.iter_mut(), with_media)?;
    Ok(messages)
}

/// Gives these messages their media, by one query; none when there are no media.
fn add_media_to<'m>(
    tx: &mut Tx<'_>,
    messages: impl Iterator<Item = &'m mut Message>,
    with_media: &[MessageId],
) -> Result<()> {
    const MEDIA: &str = "SELECT message, uuid, file_key, label, size, uploaded_at FROM media
        WHERE message IN LIST($1) ORDER BY message, ordinal";
    if with_media.is_empty() {
        return Ok(());
    }
    let mut messages: HashMap<MessageId, &mut Message> =
        messages.map(|message| (message.id, message)).collect();
    for mut row in tx.query(MEDIA, vals![with_media])? {
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
