//! One transaction for many messages. Each step is one statement, whatever their number.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use anyhow::anyhow;
use deadpool_postgres::{Object, Transaction};
use domain::{ConversationId, Error, MessageId, Noun, Posted, Result, Time, messages::NewMessage};

use super::{
    repeats,
    rights::{Firsts, Verdict, judge, lock, rights},
};
use crate::{
    engine::{self, Row, Turn, Turns, Val, vals},
    messages::place::Slot,
};

/// What came of a message.
pub(super) enum Outcome {
    /// It stands in its conversation.
    Posted(Arc<Posted>),
    /// It is a repeat of that one.
    Repeat(MessageId),
}

/// Why a batch was not stored.
pub(super) enum Failure {
    /// The database's reason.
    Database(tokio_postgres::Error),
    /// Another process has stored one of the messages meanwhile: there is a repeat among them.
    Overtaken,
    /// Another one.
    Other(Error),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(cause)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Stores what may be stored; for each message what came of it, in the order given, and the turn to publish that.
pub(super) async fn try_store(
    client: &mut Object,
    news: &[NewMessage],
    turns: &Turns,
) -> Result<(Vec<Result<Outcome>>, Turn), Failure> {
    let transaction = client.transaction().await?;
    let mut places = lock(&transaction, news).await?;
    let rights = rights(&transaction, news, &mut places).await?;
    let mut firsts = Firsts::new();
    let verdicts: Vec<Result<Verdict<'_>>> = news
        .iter()
        .enumerate()
        .map(|(index, new)| judge(index, new, &mut places, &rights, &mut firsts))
        .collect();
    let accepted: Vec<(&NewMessage, Slot)> = news
        .iter()
        .zip(&verdicts)
        .filter_map(|(new, verdict)| match verdict {
            Ok(Verdict::Accepted(slot, _)) => Some((new, *slot)),
            _ => None,
        })
        .collect();
    let ids = add(&transaction, &accepted).await?;
    let stored: Vec<(&NewMessage, MessageId)> = accepted
        .iter()
        .filter_map(|(new, slot)| ids.get(&(new.conversation, slot.position)).map(|id| (*new, *id)))
        .collect();
    tokio::try_join!(
        count(&transaction, &accepted, &ids),
        add_media(&transaction, &stored),
        repeats::remember(&transaction, &stored),
    )?;
    let turn = turns.take();
    transaction.commit().await?;
    let id_at = |conversation, position| {
        ids.get(&(conversation, position)).copied().ok_or_else(|| anyhow!("a new message has no id"))
    };
    let outcome = |(new, verdict): (&NewMessage, Result<Verdict<'_>>)| match verdict? {
        Verdict::Repeat(first) => Ok(Outcome::Repeat(first)),
        Verdict::RepeatHere(conversation, position) => Ok(Outcome::Repeat(id_at(conversation, position)?)),
        Verdict::Accepted(slot, author) => {
            let id = id_at(new.conversation, slot.position)?;
            let place = places.get(&new.conversation).ok_or(Error::NotFound(Noun::Conversation))?;
            Ok(Outcome::Posted(Arc::new(place.posted(new, slot, id, author.clone()))))
        }
    };
    Ok((news.iter().zip(verdicts).map(outcome).collect(), turn))
}

/// Adds the messages in the order given, which is the order of their ids; the ids by conversation and position.
async fn add(
    transaction: &Transaction<'_>,
    accepted: &[(&NewMessage, Slot)],
) -> Result<HashMap<(ConversationId, i64), MessageId>, Failure> {
    // An array holds no NULL here: 0 stands for "no receiver", the empty text for "no image".
    const ADD: &str = "
        INSERT INTO message (uuid, conversation, position, author, text, created_at, receiver, image)
        SELECT u.uuid, u.conversation, u.position, u.author, u.text, u.created_at, NULLIF(u.receiver, 0),
            NULLIF(u.image, '')
        FROM UNNEST($1::UUID[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[],
            $8::TEXT[])
            WITH ORDINALITY AS u (uuid, conversation, position, author, text, created_at, receiver, image, ordinal)
        ORDER BY u.ordinal
        RETURNING conversation, position, id";
    if accepted.is_empty() {
        return Ok(HashMap::new());
    }
    let values = vals![
        accepted.iter().map(|(new, _)| new.uuid).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.conversation.0).collect::<Vec<_>>(),
        accepted.iter().map(|(_, slot)| slot.position).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.author.0).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.text.clone()).collect::<Vec<_>>(),
        accepted.iter().map(|(_, slot)| slot.created_at.0).collect::<Vec<_>>(),
        accepted
            .iter()
            .map(|(_, slot)| slot.receiver.map_or(0, |(account, _)| account.0))
            .collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.image.clone()).collect::<Vec<_>>(),
    ];
    let place = |mut row: Row| Ok(((row.take()?, row.take()?), row.take()?));
    Ok(query(transaction, ADD, values).await?.into_iter().map(place).collect::<Result<_>>()?)
}

/// Notes each conversation's newest message.
async fn count(
    transaction: &Transaction<'_>,
    accepted: &[(&NewMessage, Slot)],
    ids: &HashMap<(ConversationId, i64), MessageId>,
) -> Result<(), Failure> {
    const COUNT: &str = "
        UPDATE conversation SET message_count = u.message_count, last_message = u.last_message, last_at = u.last_at
        FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
            AS u (id, message_count, last_message, last_at)
        WHERE conversation.id = u.id";
    // Positions ascend within a conversation, so that the last one stays.
    let newest: HashMap<ConversationId, (i64, Time)> =
        accepted.iter().map(|(new, slot)| (new.conversation, (slot.position, slot.created_at))).collect();
    let mut columns: [Vec<i64>; 4] = Default::default();
    for (conversation, (position, at)) in newest {
        let id = ids.get(&(conversation, position)).map_or(0, |id| id.0);
        for (column, value) in columns.iter_mut().zip([conversation.0, position, id, at.0]) {
            column.push(value);
        }
    }
    if !columns[0].is_empty() {
        query(transaction, COUNT, &columns.map(Val::from)).await?;
    }
    Ok(())
}

/// Keeps what is to be known of the messages' files.
async fn add_media(
    transaction: &Transaction<'_>,
    stored: &[(&NewMessage, MessageId)],
) -> Result<(), Failure> {
    const ADD: &str = "
        INSERT INTO media (uuid, file_key, label, size, uploaded_at, message, ordinal)
        SELECT * FROM UNNEST($1::UUID[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[])";
    let files: Vec<_> = stored
        .iter()
        .flat_map(|(new, id)| new.media.iter().zip(0i64..).map(move |(file, ordinal)| (file, id.0, ordinal)))
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let values = vals![
        files.iter().map(|(file, ..)| file.uuid).collect::<Vec<_>>(),
        files.iter().map(|(file, ..)| file.key.clone()).collect::<Vec<_>>(),
        files.iter().map(|(file, ..)| file.label.clone()).collect::<Vec<_>>(),
        files.iter().map(|(file, ..)| file.size).collect::<Vec<_>>(),
        files.iter().map(|(file, ..)| file.uploaded_at.0).collect::<Vec<_>>(),
        files.iter().map(|(_, message, _)| *message).collect::<Vec<_>>(),
        files.iter().map(|(.., ordinal)| *ordinal).collect::<Vec<_>>(),
    ];
    query(transaction, ADD, values).await?;
    Ok(())
}

/// Each number once.
pub(super) fn numbers(all: impl Iterator<Item = i64>) -> Vec<i64> {
    let distinct: HashSet<i64> = all.collect();
    distinct.into_iter().collect()
}

/// The rows of a statement.
pub(super) async fn query(
    transaction: &Transaction<'_>,
    sql: &'static str,
    values: &[Val],
) -> Result<Vec<Row>, Failure> {
    let statement = transaction.prepare_cached(sql).await?;
    let rows = transaction.query(&statement, &engine::parameters(values)).await?;
    rows.iter().map(|row| engine::row(row).map_err(|fault| Failure::Other(fault.into()))).collect()
}
