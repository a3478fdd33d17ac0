//! Who may write where, and what is to become of each message of a batch.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use domain::{
    AccountId, ConversationId, Error, MessageId, Noun, Result, accounts::Person, conversations::Kind,
    messages::NewMessage,
};

use super::{
    repeats,
    transaction::{Failure, numbers, query},
};
use crate::{
    accounts::{person, person_columns, person_tables},
    engine::{Row, vals},
    messages::place::{Bond, Place, RoomState, Slot, bond_columns, place_columns, room_state_columns},
};

/// What decides whether an author may write.
pub(super) struct Rights {
    members: HashSet<(ConversationId, AccountId)>,
    /// Those who are not deleted.
    authors: HashMap<AccountId, Person>,
    /// The first messages of those that are repeats, by their place in the batch.
    repeats: HashMap<usize, MessageId>,
}

/// What is to become of a message.
pub(super) enum Verdict<'r> {
    Accepted(Slot, &'r Person),
    /// It was stored before.
    Repeat(MessageId),
    /// It is in this batch already, at that position.
    RepeatHere(ConversationId, i64),
}

/// Where the messages of this batch go that have a client's own id, by author and that.
pub(super) type Firsts<'n> = HashMap<(AccountId, &'n str), (ConversationId, i64)>;

/// Locks the conversations in the order of their ids, and reads them.
pub(super) async fn lock(
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
pub(super) async fn rights(
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
    let rooms: Vec<i64> =
        places.iter().filter(|(_, place)| place.kind == Kind::Room).map(|(id, _)| id.0).collect();
    let people = vals![numbers(news.iter().map(|new| new.author.0))];
    let held = async {
        if rooms.is_empty() { Ok(Vec::new()) } else { query(transaction, ROOMS, vals![rooms]).await }
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

/// Where the message goes, or why it is refused. A refused message is nobody's first.
pub(super) fn judge<'r, 'n>(
    index: usize,
    new: &'n NewMessage,
    places: &mut HashMap<ConversationId, Place>,
    rights: &'r Rights,
    firsts: &mut Firsts<'n>,
) -> Result<Verdict<'r>> {
    if let Some(first) = rights.repeats.get(&index) {
        return Ok(Verdict::Repeat(*first));
    }
    let own_id = new.client_id.as_deref().map(|client_id| (new.author, client_id));
    if let Some((conversation, position)) = own_id.and_then(|own_id| firsts.get(&own_id)) {
        return Ok(Verdict::RepeatHere(*conversation, *position));
    }
    let place = places.get_mut(&new.conversation).ok_or(Error::NotFound(Noun::Conversation))?;
    let author = rights.authors.get(&new.author);
    let author = author.filter(|author| rights.members.contains(&(new.conversation, author.id)));
    let author = author.ok_or(Error::Forbidden(Noun::Conversation))?;
    place.check(new)?;
    let slot = place.take_slot(new);
    firsts.extend(own_id.map(|own_id| (own_id, (new.conversation, slot.position))));
    Ok(Verdict::Accepted(slot, author))
}
