//! Receipts: columns of the message, since a direct message is for one.

use std::{collections::HashSet, sync::Arc};

use domain::{AccountId, Error, Event, MessageId, Noun, Posted, RelationId, Result, Time};
use uuid::Uuid;

use super::posted::posted_of;
use crate::engine::{Flavour, Tx, vals};

/// Notes that these messages were received and tells each that was not yet, in the order of their ids; which those were.
pub(super) fn mark_received(tx: &mut Tx<'_>, ids: &[MessageId], now: Time) -> Result<Vec<MessageId>> {
    // Locked in one order: two that mark the same messages wait for each other, and never in a circle.
    const NEW: &str =
        "SELECT id FROM message WHERE id IN LIST($1) AND receiver IS NOT NULL AND received_at IS NULL
        ORDER BY id FOR UPDATE";
    const MARK: &str = "UPDATE message SET received_at = $2 WHERE id IN LIST($1)";
    let new: Vec<MessageId> = tx.column(NEW, vals![ids])?;
    if !new.is_empty() {
        tx.exec(MARK, vals![new.as_slice(), now])?;
        tell(tx, &new)?;
    }
    Ok(new)
}

/// The same for messages that are at hand: nothing is read.
pub(super) fn mark_delivered(tx: &mut Tx<'_>, posted: &[Arc<Posted>], now: Time) -> Result<()> {
    let new = newly_received(tx, posted, now)?;
    let told = posted.iter().filter(|posted| new.contains(&posted.message.id));
    for posted in told {
        let mut posted = Posted::clone(posted);
        if let Some(receipt) = &mut posted.message.receipt {
            receipt.received_at = Some(now);
        }
        tx.tell(Event::ReceiptChanged(posted));
    }
    Ok(())
}

/// Marks these as received; those that were not yet.
fn newly_received(tx: &mut Tx<'_>, posted: &[Arc<Posted>], now: Time) -> Result<HashSet<MessageId>> {
    // SQLite's one writer: a statement by key for each costs less than one for all, which builds a table of its list.
    const MARK: &str = "UPDATE message SET received_at = $2 WHERE id = $1 AND received_at IS NULL";
    // Locked in one order, as above.
    const MARK_ALL: &str = "
        WITH new AS (SELECT id FROM message WHERE id IN LIST($1) AND received_at IS NULL ORDER BY id FOR UPDATE)
        UPDATE message SET received_at = $2 FROM new WHERE message.id = new.id RETURNING message.id";
    let ids = posted.iter().map(|posted| posted.message.id);
    if tx.flavour() == Flavour::Postgres {
        let ids: Vec<MessageId> = ids.collect();
        return Ok(tx.column(MARK_ALL, vals![ids.as_slice(), now])?.into_iter().collect());
    }
    let mut new = HashSet::new();
    for id in ids {
        if tx.exec(MARK, vals![id, now])? > 0 {
            new.insert(id);
        }
    }
    Ok(new)
}

/// Notes that the receiver has seen this message, and tells it if that is new. `NotFound(Message)`.
pub(super) fn mark_seen(
    tx: &mut Tx<'_>,
    message: Uuid,
    receiver: AccountId,
    via: Option<RelationId>,
    now: Time,
) -> Result<()> {
    const TO: &str =
        "SELECT m.id, m.seen_at, r.uuid FROM message m JOIN conversation c ON c.id = m.conversation
        LEFT JOIN relation r ON r.low = c.low AND r.high = c.high
        WHERE m.uuid = $1 AND m.receiver = $2 FOR UPDATE OF m";
    const MARK: &str =
        "UPDATE message SET received_at = COALESCE(received_at, $2), seen_at = $2 WHERE id = $1";
    let mut row = tx.first(TO, vals![message, receiver])?.ok_or(Error::NotFound(Noun::Message))?;
    let id: MessageId = row.take()?;
    let (seen_at, relation): (Option<Time>, Option<RelationId>) = (row.take()?, row.take()?);
    if via.is_some() && via != relation {
        return Err(Error::NotFound(Noun::Message));
    }
    if seen_at.is_none() {
        tx.exec(MARK, vals![id, now])?;
        tell(tx, &[id])?;
    }
    Ok(())
}

fn tell(tx: &mut Tx<'_>, changed: &[MessageId]) -> Result<()> {
    for posted in posted_of(tx, changed)? {
        tx.tell(Event::ReceiptChanged(posted));
    }
    Ok(())
}
