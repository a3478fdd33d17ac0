//! One transaction for many messages. Each step is one statement, whatever their number.

use std::collections::{HashMap, HashSet};

use anyhow::anyhow;
use deadpool_postgres::{Object, Transaction};
use domain::{
    AccountId, ConversationId, Error, MessageId, Noun, Posted, Result, Time,
    accounts::Person,
    conversations::Kind,
    messages::{Message, NewMessage},
};

use crate::{
    accounts::{person, person_columns, person_tables},
    engine::{self, Row, Val, vals},
    messages::stored,
};

/// Why a batch was not stored.
pub(super) enum Failure {
    /// The database's reason.
    Database(tokio_postgres::Error),
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

/// A locked conversation.
struct Place {
    kind: String,
    message_count: i64,
    pair: [Option<AccountId>; 2],
}

/// What decides whether an author may write.
struct Rights {
    members: HashSet<(ConversationId, AccountId)>,
    rejected: HashSet<ConversationId>,
    /// Those who are not deleted.
    authors: HashMap<AccountId, Person>,
}

/// Stores what may be stored; for each message what came of it, in the order given.
pub(super) async fn try_store(
    client: &mut Object,
    news: &[NewMessage],
) -> Result<Vec<Result<Posted>>, Failure> {
    let transaction = client.transaction().await?;
    let mut places = lock(&transaction, news).await?;
    let rights = rights(&transaction, news, &places).await?;
    let verdicts: Vec<Result<(i64, &Person)>> =
        news.iter().map(|new| judge(new, &mut places, &rights)).collect();
    let accepted: Vec<(&NewMessage, i64)> = news
        .iter()
        .zip(&verdicts)
        .filter_map(|(new, verdict)| verdict.as_ref().ok().map(|(position, _)| (new, *position)))
        .collect();
    let ids = add(&transaction, &accepted).await?;
    tokio::try_join!(count(&transaction, &accepted, &ids), add_media(&transaction, &accepted, &ids))?;
    transaction.commit().await?;
    let posted = |(new, verdict): (&NewMessage, Result<(i64, &Person)>)| {
        let (position, author) = verdict?;
        let id = ids.get(&(new.conversation, position)).copied();
        let id = id.ok_or_else(|| anyhow!("a new message has no id"))?;
        Ok(posted(stored(new, id, position, &author.username), author, &places))
    };
    Ok(news.iter().zip(verdicts).map(posted).collect())
}

/// Locks the conversations in the order of their ids, and reads them.
async fn lock(
    transaction: &Transaction<'_>,
    news: &[NewMessage],
) -> Result<HashMap<ConversationId, Place>, Failure> {
    const LOCK: &str = "SELECT id, kind, message_count, initiator, receiver FROM conversation
        WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let mut places = HashMap::new();
    for mut row in query(transaction, LOCK, vals![numbers(news.iter().map(|new| new.conversation.0))]).await?
    {
        let id = row.take()?;
        let place = Place { kind: row.take()?, message_count: row.take()?, pair: [row.take()?, row.take()?] };
        places.insert(id, place);
    }
    Ok(places)
}

/// Reads who may write where.
async fn rights(
    transaction: &Transaction<'_>,
    news: &[NewMessage],
    places: &HashMap<ConversationId, Place>,
) -> Result<Rights, Failure> {
    const MEMBERS: &str = "SELECT m.conversation, m.account FROM member m
        JOIN (SELECT DISTINCT * FROM UNNEST($1::BIGINT[], $2::BIGINT[])) AS u (conversation, account)
        ON m.conversation = u.conversation AND m.account = u.account";
    const REJECTED: &str =
        "SELECT c.id FROM conversation c JOIN relation r ON r.low = c.low AND r.high = c.high
        WHERE c.id = ANY($1) AND (r.status_from = 'rejected' OR r.status_to = 'rejected')";
    const AUTHORS: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id = ANY($1) AND a.deleted_at IS NULL"
    );
    let conversations: Vec<i64> = news.iter().map(|new| new.conversation.0).collect();
    let authors: Vec<i64> = news.iter().map(|new| new.author.0).collect();
    let pairs = vals![conversations, authors];
    let places = vals![numbers(places.keys().map(|id| id.0))];
    let people = vals![numbers(news.iter().map(|new| new.author.0))];
    let (members, rejected, people) = tokio::try_join!(
        query(transaction, MEMBERS, pairs),
        query(transaction, REJECTED, places),
        query(transaction, AUTHORS, people),
    )?;
    let member = |mut row: Row| Ok((row.take()?, row.take()?));
    let author = |mut row: Row| person(&mut row).map(|person| (person.id, person));
    Ok(Rights {
        members: members.into_iter().map(member).collect::<Result<_>>()?,
        rejected: rejected.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?,
        authors: people.into_iter().map(author).collect::<Result<_>>()?,
    })
}

/// The message's position and author, or why it is refused.
fn judge<'r>(
    new: &NewMessage,
    places: &mut HashMap<ConversationId, Place>,
    rights: &'r Rights,
) -> Result<(i64, &'r Person)> {
    let place = places.get_mut(&new.conversation).ok_or(Error::NotFound(Noun::Conversation))?;
    let author = rights.authors.get(&new.author);
    let author = author.filter(|author| rights.members.contains(&(new.conversation, author.id)));
    let author = author.ok_or(Error::Forbidden(Noun::Conversation))?;
    if rights.rejected.contains(&new.conversation) {
        return Err(Error::Forbidden(Noun::RejectedRelation));
    }
    place.message_count += 1;
    Ok((place.message_count, author))
}

/// Adds the messages in the order given, which is the order of their ids; the ids by conversation and position.
async fn add(
    transaction: &Transaction<'_>,
    accepted: &[(&NewMessage, i64)],
) -> Result<HashMap<(ConversationId, i64), MessageId>, Failure> {
    const ADD: &str = "
        INSERT INTO message (uuid, conversation, position, author, text, created_at)
        SELECT u.uuid, u.conversation, u.position, u.author, u.text, u.created_at
        FROM UNNEST($1::UUID[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[])
            WITH ORDINALITY AS u (uuid, conversation, position, author, text, created_at, ordinal)
        ORDER BY u.ordinal
        RETURNING conversation, position, id";
    if accepted.is_empty() {
        return Ok(HashMap::new());
    }
    let values = vals![
        accepted.iter().map(|(new, _)| new.uuid).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.conversation.0).collect::<Vec<_>>(),
        accepted.iter().map(|(_, position)| *position).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.author.0).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.text.clone()).collect::<Vec<_>>(),
        accepted.iter().map(|(new, _)| new.created_at.0).collect::<Vec<_>>(),
    ];
    let place = |mut row: Row| Ok(((row.take()?, row.take()?), row.take()?));
    Ok(query(transaction, ADD, values).await?.into_iter().map(place).collect::<Result<_>>()?)
}

/// Notes each conversation's newest message.
async fn count(
    transaction: &Transaction<'_>,
    accepted: &[(&NewMessage, i64)],
    ids: &HashMap<(ConversationId, i64), MessageId>,
) -> Result<(), Failure> {
    const COUNT: &str = "
        UPDATE conversation SET message_count = u.message_count, last_message = u.last_message, last_at = u.last_at
        FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
            AS u (id, message_count, last_message, last_at)
        WHERE conversation.id = u.id";
    // Positions ascend within a conversation, so that the last one stays.
    let newest: HashMap<ConversationId, (i64, Time)> =
        accepted.iter().map(|(new, position)| (new.conversation, (*position, new.created_at))).collect();
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
    accepted: &[(&NewMessage, i64)],
    ids: &HashMap<(ConversationId, i64), MessageId>,
) -> Result<(), Failure> {
    const ADD: &str = "
        INSERT INTO media (uuid, file_key, label, size, uploaded_at, message, ordinal)
        SELECT * FROM UNNEST($1::UUID[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[])";
    let files: Vec<_> = accepted
        .iter()
        .filter_map(|(new, position)| ids.get(&(new.conversation, *position)).map(|id| (new, id.0)))
        .flat_map(|(new, id)| new.media.iter().zip(0i64..).map(move |(file, ordinal)| (file, id, ordinal)))
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

fn posted(message: Message, author: &Person, places: &HashMap<ConversationId, Place>) -> Posted {
    let direct = places.get(&message.conversation).filter(|place| place.kind == Kind::Direct.as_str());
    let direct_pair = direct.map(|place| place.pair.iter().flatten().copied().collect()).unwrap_or_default();
    Posted { message, author: author.clone(), direct_pair }
}

/// Each number once.
fn numbers(all: impl Iterator<Item = i64>) -> Vec<i64> {
    let distinct: HashSet<i64> = all.collect();
    distinct.into_iter().collect()
}

async fn query(
    transaction: &Transaction<'_>,
    sql: &'static str,
    values: &[Val],
) -> Result<Vec<Row>, Failure> {
    let statement = transaction.prepare_cached(sql).await?;
    let rows = transaction.query(&statement, &engine::parameters(values)).await?;
    rows.iter().map(|row| engine::row(row).map_err(|fault| Failure::Other(fault.into()))).collect()
}
