//! One transaction for many messages. Each step is one statement, whatever their number.

use std::collections::{HashMap, HashSet};

use anyhow::anyhow;
use deadpool_postgres::{Object, Transaction};
use domain::{
    AccountId, ConversationId, Error, MessageId, Noun, Posted, Result, Time, accounts::Person,
    conversations::Kind, messages::NewMessage,
};

use super::repeats;
use crate::{
    accounts::{person, person_columns, person_tables},
    engine::{self, Row, Val, vals},
    messages::place::{Bond, Place, RoomState, Slot, bond_columns, place_columns, room_state_columns},
};

/// What came of a message.
pub(super) enum Outcome {
    /// It stands in its conversation.
    Posted(Box<Posted>),
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

/// What decides whether an author may write.
struct Rights {
    members: HashSet<(ConversationId, AccountId)>,
    /// Those who are not deleted.
    authors: HashMap<AccountId, Person>,
    /// The first messages of those that are repeats, by their place in the batch.
    repeats: HashMap<usize, MessageId>,
}

/// What is to become of a message.
enum Verdict<'r> {
    Accepted(Slot, &'r Person),
    Repeat(MessageId),
}

/// Stores what may be stored; for each message what came of it, in the order given.
pub(super) async fn try_store(
    client: &mut Object,
    news: &[NewMessage],
) -> Result<Vec<Result<Outcome>>, Failure> {
    let transaction = client.transaction().await?;
    let mut places = lock(&transaction, news).await?;
    let rights = rights(&transaction, news, &mut places).await?;
    let verdicts: Vec<Result<Verdict<'_>>> =
        news.iter().enumerate().map(|(index, new)| judge(index, new, &mut places, &rights)).collect();
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
    transaction.commit().await?;
    let outcome = |(new, verdict): (&NewMessage, Result<Verdict<'_>>)| match verdict? {
        Verdict::Repeat(first) => Ok(Outcome::Repeat(first)),
        Verdict::Accepted(slot, author) => {
            let id = ids.get(&(new.conversation, slot.position)).copied();
            let id = id.ok_or_else(|| anyhow!("a new message has no id"))?;
            let place = places.get(&new.conversation).ok_or(Error::NotFound(Noun::Conversation))?;
            Ok(Outcome::Posted(Box::new(place.posted(new, slot, id, author.clone()))))
        }
    };
    Ok(news.iter().zip(verdicts).map(outcome).collect())
}

/// Locks the conversations in the order of their ids, and reads them.
async fn lock(
    transaction: &Transaction<'_>,
    news: &[NewMessage],
) -> Result<HashMap<ConversationId, Place>, Failure> {
    const LOCK: &str = concat!(
        "SELECT c.id, ",
        place_columns!(),
        " FROM conversation c WHERE c.id = ANY($1) ORDER BY c.id FOR UPDATE"
    );
    let mut places = HashMap::new();
    for mut row in query(transaction, LOCK, vals![numbers(news.iter().map(|new| new.conversation.0))]).await?
    {
        places.insert(row.take()?, Place::read(&mut row)?);
    }
    Ok(places)
}

/// Reads who may write where, and gives the places their relations: as they are now that the places are locked.
async fn rights(
    transaction: &Transaction<'_>,
    news: &[NewMessage],
    places: &mut HashMap<ConversationId, Place>,
) -> Result<Rights, Failure> {
    const MEMBERS: &str = "SELECT m.conversation, m.account FROM member m
        JOIN (SELECT DISTINCT * FROM UNNEST($1::BIGINT[], $2::BIGINT[])) AS u (conversation, account)
        ON m.conversation = u.conversation AND m.account = u.account";
    const BONDS: &str = concat!(
        "SELECT c.id, ",
        bond_columns!(),
        " FROM conversation c JOIN relation r ON r.low = c.low AND r.high = c.high WHERE c.id = ANY($1)"
    );
    // Held, so that nobody closes a room between this and the message.
    const ROOMS: &str = concat!(
        "SELECT o.id, ",
        room_state_columns!(),
        " FROM room o WHERE o.id = ANY($1) ORDER BY o.id FOR SHARE"
    );
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
    let present = vals![numbers(places.keys().map(|id| id.0))];
    let rooms = places.iter().filter(|(_, place)| place.kind == Kind::Room).map(|(id, _)| id.0);
    let rooms = vals![rooms.collect::<Vec<_>>()];
    let people = vals![numbers(news.iter().map(|new| new.author.0))];
    let held = async {
        if rooms[0] == Val::Ints(Vec::new()) {
            Ok(Vec::new())
        } else {
            query(transaction, ROOMS, rooms).await
        }
    };
    let (members, bonds, held, people, repeats) = tokio::try_join!(
        query(transaction, MEMBERS, pairs),
        query(transaction, BONDS, present),
        held,
        query(transaction, AUTHORS, people),
        repeats::known(transaction, news),
    )?;
    for mut row in bonds {
        let place = places.get_mut(&row.take()?);
        if let Some(place) = place {
            place.bond = Bond::read(&mut row)?;
        }
    }
    for mut row in held {
        let place = places.get_mut(&row.take()?);
        if let Some(place) = place {
            place.room = RoomState::read(&mut row)?;
        }
    }
    let member = |mut row: Row| Ok((row.take()?, row.take()?));
    let author = |mut row: Row| person(&mut row).map(|person| (person.id, person));
    Ok(Rights {
        members: members.into_iter().map(member).collect::<Result<_>>()?,
        authors: people.into_iter().map(author).collect::<Result<_>>()?,
        repeats,
    })
}

/// Where the message goes, or why it is refused.
fn judge<'r>(
    index: usize,
    new: &NewMessage,
    places: &mut HashMap<ConversationId, Place>,
    rights: &'r Rights,
) -> Result<Verdict<'r>> {
    if let Some(first) = rights.repeats.get(&index) {
        return Ok(Verdict::Repeat(*first));
    }
    let place = places.get_mut(&new.conversation).ok_or(Error::NotFound(Noun::Conversation))?;
    let author = rights.authors.get(&new.author);
    let author = author.filter(|author| rights.members.contains(&(new.conversation, author.id)));
    let author = author.ok_or(Error::Forbidden(Noun::Conversation))?;
    place.check(new)?;
    Ok(Verdict::Accepted(place.take_slot(new), author))
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
