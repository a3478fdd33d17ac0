//! Relations of pairs of accounts.

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, Error, Noun, Result, Time,
    relations::{Befriended, Relations, Status},
};
use uuid::Uuid;

use crate::{
    SqlStore,
    accounts::living,
    engine::{Tx, vals},
};

/// How often the pair's relation may appear or vanish in the very moment.
const TRIES: usize = 10;

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
        "SELECT id, from_account, status_from, status_to, answered_from, answered_to FROM relation
        WHERE low = $1 AND high = $2 FOR UPDATE";
    const LIFT: &str =
        "UPDATE relation SET status_from = 'accepted', status_to = 'accepted', answered_from = $2,
        answered_to = $3, changed_at = $4 WHERE id = $1";
    let Some(mut row) = tx.first(PRESENT, vals![low, high])? else { return Ok(None) };
    let (id, from): (i64, AccountId) = (row.take()?, row.take()?);
    let statuses: [String; 2] = [row.take()?, row.take()?];
    let answered: [bool; 2] = [row.take()?, row.take()?];
    let (mine, theirs) = if from == me { (0, 1) } else { (1, 0) };
    if statuses[theirs] == Status::Rejected.as_str() {
        return Ok(Some(Befriended::Declined));
    }
    let settled = statuses.iter().all(|status| status == Status::Accepted.as_str()) && answered[mine];
    if !settled {
        let mut answered = answered;
        answered[mine] = true;
        tx.exec(LIFT, vals![id, answered[0], answered[1], now])?;
    }
    Ok(Some(Befriended::Yes))
}
