//! Relations of pairs of accounts.

use std::collections::HashMap;

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, ConversationId, Error, Event, Noun, RelationId, Result, Time,
    accounts::Person,
    relations::{Befriended, Friendship, Relation, Relations, Status},
};
use uuid::Uuid;

use crate::{
    SqlStore,
    accounts::{living, people},
    conversations::start_direct,
    engine::{Row, Tx, vals},
};

/// How often the pair's relation may appear or vanish in the very moment.
const TRIES: usize = 10;

/// The columns of a relation: [`relation`] reads them in this order.
macro_rules! relation_columns {
    () => {
        "uuid, from_account, to_account, status_from, status_to, answered_from, answered_to, created_at"
    };
}

#[async_trait]
impl Relations for SqlStore {
    async fn befriend(&self, me: AccountId, other: AccountId, uuid: Uuid, now: Time) -> Result<Befriended> {
        self.write(move |tx| befriend(tx, me, other, uuid, now)).await
    }

    async fn unfriend(&self, me: AccountId, other: AccountId) -> Result<()> {
        let (low, high) = pair(me, other);
        self.write(move |tx| {
            Ok(tx.exec("DELETE FROM relation WHERE low = $1 AND high = $2", vals![low, high]).map(drop)?)
        })
        .await
    }

    async fn add_relation(
        &self,
        id: RelationId,
        from: AccountId,
        to: AccountId,
        status: Status,
        now: Time,
    ) -> Result<Friendship> {
        self.write(move |tx| add_relation(tx, id, (from, to), status, now)).await
    }

    async fn set_relation(
        &self,
        id: RelationId,
        by: AccountId,
        status: Status,
        now: Time,
    ) -> Result<Friendship> {
        self.write(move |tx| set_relation(tx, id, by, status, now)).await
    }

    async fn relations_of(&self, account: AccountId) -> Result<Vec<Friendship>> {
        self.snapshot(move |tx| relations_of(tx, account)).await
    }

    async fn conversation_of(
        &self,
        id: RelationId,
        account: AccountId,
        uuid: Uuid,
        now: Time,
    ) -> Result<ConversationId> {
        const PRESENT: &str =
            "SELECT c.id FROM relation r JOIN conversation c ON c.low = r.low AND c.high = r.high
            WHERE r.uuid = $1 AND (r.low = $2 OR r.high = $2)";
        // Nearly always there is one: then nothing has to be written.
        let present = self.read(move |tx| Ok(tx.column(PRESENT, vals![id, account])?.pop())).await?;
        match present {
            Some(conversation) => Ok(conversation),
            None => self.write(move |tx| make_conversation(tx, id, account, uuid, now)).await,
        }
    }
}

/// The two in the order of their ids.
pub(crate) fn pair(one: AccountId, other: AccountId) -> (AccountId, AccountId) {
    (one.min(other), one.max(other))
}

fn befriend(tx: &mut Tx<'_>, me: AccountId, other: AccountId, uuid: Uuid, now: Time) -> Result<Befriended> {
    const ADD: &str = "
        INSERT INTO relation (uuid, from_account, to_account, low, high, status_from, status_to, answered_from,
            answered_to, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, 'accepted', 'accepted', TRUE, FALSE, $6, $6)
        ON CONFLICT (low, high) DO NOTHING";
    if living(tx, &[me, other])? < 2 {
        return Err(Error::NotFound(Noun::Account));
    }
    let (low, high) = pair(me, other);
    for _ in 0..TRIES {
        if let Some(befriended) = lift(tx, me, (low, high), now)? {
            return Ok(befriended);
        }
        if tx.exec(ADD, vals![uuid, me, other, low, high, now])? == 1 {
            tell(tx, RelationId(uuid))?;
            return Ok(Befriended::Yes);
        }
    }
    Err(anyhow!("a relation appeared and vanished {TRIES} times").into())
}

/// Lifts the pair's relation to accepted on both sides; `None` when there is none.
fn lift(
    tx: &mut Tx<'_>,
    me: AccountId,
    (low, high): (AccountId, AccountId),
    now: Time,
) -> Result<Option<Befriended>> {
    const PRESENT: &str =
        concat!("SELECT ", relation_columns!(), " FROM relation WHERE low = $1 AND high = $2 FOR UPDATE");
    const LIFT: &str =
        "UPDATE relation SET status_from = 'accepted', status_to = 'accepted', answered_from = $2,
        answered_to = $3, changed_at = $4 WHERE uuid = $1";
    let Some(mut row) = tx.first(PRESENT, vals![low, high])? else { return Ok(None) };
    let present = relation(&mut row)?;
    let is_mine = present.from == me;
    let theirs = if is_mine { present.status_to } else { present.status_from };
    if theirs == Status::Rejected {
        return Ok(Some(Befriended::Declined));
    }
    let lifted = Relation {
        status_from: Status::Accepted,
        status_to: Status::Accepted,
        answered_from: present.answered_from || is_mine,
        answered_to: present.answered_to || !is_mine,
        ..present
    };
    if lifted != present {
        tx.exec(LIFT, vals![lifted.id, lifted.answered_from, lifted.answered_to, now])?;
        tell(tx, lifted.id)?;
    }
    Ok(Some(Befriended::Yes))
}

fn add_relation(
    tx: &mut Tx<'_>,
    id: RelationId,
    (from, to): (AccountId, AccountId),
    status: Status,
    now: Time,
) -> Result<Friendship> {
    const ADD: &str = "
        INSERT INTO relation (uuid, from_account, to_account, low, high, status_from, status_to, answered_from,
            answered_to, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', TRUE, FALSE, $7, $7)
        ON CONFLICT (low, high) DO NOTHING";
    if living(tx, &[from, to])? < 2 {
        return Err(Error::NotFound(Noun::Account));
    }
    let (low, high) = pair(from, to);
    if tx.exec(ADD, vals![id, from, to, low, high, status.as_str(), now])? == 0 {
        return Err(Error::Conflict(Noun::Relation));
    }
    tell(tx, id)
}

fn set_relation(
    tx: &mut Tx<'_>,
    id: RelationId,
    by: AccountId,
    status: Status,
    now: Time,
) -> Result<Friendship> {
    const PRESENT: &str =
        concat!("SELECT ", relation_columns!(), " FROM relation WHERE uuid = $1 FOR UPDATE");
    const SET: &str =
        "UPDATE relation SET status_from = $2, status_to = $3, answered_from = $4, answered_to = $5,
        changed_at = $6 WHERE uuid = $1";
    let mut row = tx.first(PRESENT, vals![id])?.ok_or(Error::NotFound(Noun::Relation))?;
    let present = relation(&mut row)?;
    let set = if by == present.from {
        Relation { status_from: status, answered_from: true, ..present }
    } else if by == present.to {
        Relation { status_to: status, answered_to: true, ..present }
    } else {
        return Err(Error::Forbidden(Noun::Relation));
    };
    if set == present {
        return friendship(tx, set);
    }
    let (from, to) = (set.status_from.as_str(), set.status_to.as_str());
    tx.exec(SET, vals![id, from, to, set.answered_from, set.answered_to, now])?;
    tell(tx, id)
}

fn relations_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Friendship>> {
    const OF: &str = concat!(
        "SELECT ",
        relation_columns!(),
        " FROM relation WHERE id IN (
            SELECT id FROM relation WHERE low = $1 UNION ALL SELECT id FROM relation WHERE high = $1
        ) ORDER BY created_at, id"
    );
    let relations = tx.query(OF, vals![account])?.iter_mut().map(relation).collect::<Result<_>>()?;
    friendships(tx, relations)
}

/// The pair's conversation, made if there is none.
fn make_conversation(
    tx: &mut Tx<'_>,
    id: RelationId,
    account: AccountId,
    uuid: Uuid,
    now: Time,
) -> Result<ConversationId> {
    const PAIR: &str = "SELECT low, high FROM relation WHERE uuid = $1 AND (low = $2 OR high = $2)";
    let mut row = tx.first(PAIR, vals![id, account])?.ok_or(Error::NotFound(Noun::Relation))?;
    let (low, high): (AccountId, AccountId) = (row.take()?, row.take()?);
    let other = if account == low { high } else { low };
    match start_direct(tx, account, other, uuid, now) {
        // Deleted in this very moment, and the relation with it.
        Err(Error::NotFound(Noun::Account)) => Err(Error::NotFound(Noun::Relation)),
        started => Ok(started?.id),
    }
}

/// Tells a relation that was just made or changed.
fn tell(tx: &mut Tx<'_>, id: RelationId) -> Result<Friendship> {
    const OF: &str = concat!("SELECT ", relation_columns!(), " FROM relation WHERE uuid = $1");
    let mut row = tx.first(OF, vals![id])?.ok_or_else(|| anyhow!("a relation has vanished"))?;
    let relation = relation(&mut row)?;
    let friendship = friendship(tx, relation)?;
    tx.tell(Event::RelationChanged(friendship.clone()));
    Ok(friendship)
}

fn friendship(tx: &mut Tx<'_>, relation: Relation) -> Result<Friendship> {
    Ok(friendships(tx, vec![relation])?.pop().ok_or_else(|| anyhow!("a relation has vanished"))?)
}

/// The relations with their people, by one query.
fn friendships(tx: &mut Tx<'_>, relations: Vec<Relation>) -> Result<Vec<Friendship>> {
    let mut ids: Vec<AccountId> =
        relations.iter().flat_map(|relation| [relation.from, relation.to]).collect();
    ids.sort_unstable();
    ids.dedup();
    let people: HashMap<AccountId, Person> =
        people(tx, &ids)?.into_iter().map(|person| (person.id, person)).collect();
    let person = |id: AccountId| {
        people.get(&id).cloned().ok_or_else(|| anyhow!("a relation is of account {id}, which is not there"))
    };
    relations
        .into_iter()
        .map(|relation| Ok(Friendship { from: person(relation.from)?, to: person(relation.to)?, relation }))
        .collect()
}

/// The relation of the next columns of the row.
fn relation(row: &mut Row) -> Result<Relation> {
    Ok(Relation {
        id: row.take()?,
        from: row.take()?,
        to: row.take()?,
        status_from: status(&row.take::<String>()?)?,
        status_to: status(&row.take::<String>()?)?,
        answered_from: row.take()?,
        answered_to: row.take()?,
        created_at: row.take()?,
    })
}

fn status(word: &str) -> Result<Status> {
    Ok(Status::named(word).ok_or_else(|| anyhow!("a relation has the status {word:?}"))?)
}
