//! Pages of a conversation's history. Positions have no gaps, so a page is a range of positions, and times do not go back
//! along them, so the position of a time is found by narrowing down.

use std::ops::Range;

use anyhow::anyhow;
use domain::{
    AccountId, ConversationId, Error, Noun, Numbered, RelationId, Result, Time,
    conversations::{Bound, Span},
    messages::Message,
};
use uuid::Uuid;

use crate::{
    engine::{Tx, vals},
    messages::{self, listed_message_columns, message_tables},
};

/// How many positions are looked at by one query when a time is sought: four queries for a million messages.
const PROBES: i64 = 32;

/// A conversation and how many messages it has: their positions count from 1.
#[derive(Clone, Copy)]
struct Place {
    conversation: ConversationId,
    count: i64,
}

/// How many messages the span has, and those of the page.
pub(crate) fn history_of(
    tx: &mut Tx<'_>,
    relation: RelationId,
    account: AccountId,
    span: Span,
    page: Numbered,
) -> Result<(usize, Vec<Message>)> {
    const PLACE: &str = "SELECT c.id, c.message_count FROM relation r
        LEFT JOIN conversation c ON c.low = r.low AND c.high = r.high
        WHERE r.uuid = $1 AND (r.low = $2 OR r.high = $2)";
    let mut row = tx.first(PLACE, vals![relation, account])?.ok_or(Error::NotFound(Noun::Relation))?;
    let Some(conversation) = row.take()? else {
        return match span {
            Span::After(Some(Bound::Message(_))) | Span::Before(Some(Bound::Message(_))) => {
                Err(Error::NotFound(Noun::Message))
            }
            _ => Ok((0, Vec::new())),
        };
    };
    let place = Place { conversation, count: row.take()? };
    let positions = positions(tx, place, span)?;
    let wanted = cut(&positions, span, page);
    let count = usize::try_from(positions.end - positions.start).unwrap_or(0);
    Ok((count, messages(tx, place, &wanted, span)?))
}

/// The positions of the span's messages.
fn positions(tx: &mut Tx<'_>, place: Place, span: Span) -> Result<Range<i64>> {
    let all = 1..place.count + 1;
    Ok(match span {
        Span::After(None) | Span::Before(None) => all,
        Span::After(Some(Bound::Message(message))) => position(tx, place, message)?..all.end,
        Span::Before(Some(Bound::Message(message))) => all.start..position(tx, place, message)? + 1,
        Span::After(Some(Bound::Time(bound))) => first_not(tx, place, |at| at < bound)?..all.end,
        Span::Before(Some(Bound::Time(bound))) => all.start..first_not(tx, place, |at| at <= bound)?,
    })
}

/// Those positions of the span that the page shows.
fn cut(positions: &Range<i64>, span: Span, page: Numbered) -> Range<i64> {
    let [skip, size] = [page.skip(), page.size].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    match span {
        Span::After(_) => {
            let start = positions.start.saturating_add(skip).min(positions.end);
            start..start.saturating_add(size).min(positions.end)
        }
        Span::Before(_) => {
            let end = positions.end.saturating_sub(skip).max(positions.start);
            end.saturating_sub(size).max(positions.start)..end
        }
    }
}

/// `NotFound(Message)` when it is not of this conversation.
fn position(tx: &mut Tx<'_>, place: Place, message: Uuid) -> Result<i64> {
    const POSITION: &str = "SELECT position FROM message WHERE uuid = $1 AND conversation = $2";
    let found = tx.column(POSITION, vals![message, place.conversation])?.pop();
    found.ok_or(Error::NotFound(Noun::Message))
}

/// The first position whose message's time is not so; one beyond the last when all are. `is_so` holds up to some time
/// and not after it.
fn first_not(tx: &mut Tx<'_>, place: Place, is_so: impl Fn(Time) -> bool) -> Result<i64> {
    const TIMES: &str = "SELECT position, created_at FROM message
        WHERE conversation = $1 AND position IN LIST($2) ORDER BY position";
    // What is sought is in here, its end included.
    let mut range = 1..place.count + 1;
    while !range.is_empty() {
        let step = (range.end - range.start - 1) / PROBES + 1;
        let probes: Vec<i64> = (0..PROBES)
            .map(|probe| range.start + probe * step)
            .take_while(|position| *position < range.end)
            .collect();
        let times = tx.query(TIMES, vals![place.conversation, probes])?;
        if times.is_empty() {
            return Err(anyhow!("conversation {} has gaps", place.conversation).into());
        }
        for mut row in times {
            let (position, at) = (row.take::<i64>()?, row.take()?);
            if is_so(at) {
                range.start = position + 1;
            } else {
                range.end = position;
                break;
            }
        }
    }
    Ok(range.start)
}

fn messages(tx: &mut Tx<'_>, place: Place, positions: &Range<i64>, span: Span) -> Result<Vec<Message>> {
    const MESSAGES: &str = concat!(
        "SELECT ",
        listed_message_columns!(),
        " FROM ",
        message_tables!(),
        " WHERE m.conversation = $1 AND m.position >= $2 AND m.position < $3 ORDER BY m.position"
    );
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.query(MESSAGES, vals![place.conversation, positions.start, positions.end])?;
    let mut messages = messages::messages(tx, rows)?;
    if matches!(span, Span::Before(_)) {
        messages.reverse();
    }
    Ok(messages)
}
