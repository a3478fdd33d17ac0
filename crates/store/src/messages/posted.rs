//! Messages with all that a listener is told of them, read again.

use domain::{AccountId, MessageId, Posted, Result, conversations::Kind};
use uuid::Uuid;

use super::{add_media_to, message, message_columns, narrowed};
use crate::{
    accounts::{person, person_columns},
    engine::{Row, Tx, vals},
};

/// Reads the messages `m` of which the condition holds, in the order of their ids: [`read`] takes the rows.
macro_rules! posted_where {
    ($condition:literal) => {
        posted_where!("", $condition)
    };
    ($with:expr, $condition:literal) => {
        concat!(
            $with,
            "SELECT ",
            message_columns!("a"),
            ", c.kind, c.initiator, c.receiver, o.student, o.teacher, r.uuid,
            (SELECT k.client_id FROM client_message k WHERE k.message = m.id), ",
            person_columns!(),
            " FROM message m JOIN conversation c ON c.id = m.conversation
            LEFT JOIN relation r ON r.low = c.low AND r.high = c.high LEFT JOIN room o ON o.id = c.id
            JOIN account a ON a.id = m.author LEFT JOIN photo p ON p.id = a.avatar_photo WHERE ",
            $condition,
            " ORDER BY m.id"
        )
    };
}

/// These messages, as they are now, in the order of their ids. By two queries at most.
pub(super) fn posted_of(tx: &mut Tx<'_>, ids: &[MessageId]) -> Result<Vec<Posted>> {
    const OF: &str = posted_where!("m.id IN LIST($1)");
    let rows = tx.query(OF, vals![ids])?;
    read(tx, rows)
}

/// The message of that id, if it stands in a direct conversation of the account.
pub(super) fn message_of(tx: &mut Tx<'_>, account: AccountId, uuid: Uuid) -> Result<Option<MessageId>> {
    const OF: &str = "SELECT m.id FROM message m JOIN conversation c ON c.id = m.conversation
        WHERE m.uuid = $1 AND (c.low = $2 OR c.high = $2)";
    tx.first(OF, vals![uuid, account])?.map(|mut row| row.take()).transpose()
}

/// Messages after that one in the account's direct conversations whose pair has a relation.
///
/// Of each conversation that has any, at most `limit` are looked at: positions have no gaps, so the first `limit` after
/// those that are known are a range of positions.
pub(super) fn messages_after(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: MessageId,
    limit: usize,
) -> Result<Vec<Posted>> {
    const AFTER: &str = posted_where!(
        narrowed!(
            "SELECT c.id, CAST(0 AS BIGINT), c.message_count
            FROM member me JOIN conversation c ON c.id = me.conversation
            JOIN relation b ON b.low = c.low AND b.high = c.high
            WHERE me.account = $1 AND c.kind = 'direct' AND c.last_message >= $2"
        ),
        "m.id IN (
            SELECT x.id FROM (
                SELECT conversation, MAX(low) AS known FROM narrowed GROUP BY conversation
            ) AS place
            JOIN message x ON x.conversation = place.conversation
                AND x.position > place.known AND x.position <= place.known + $3
            ORDER BY x.id LIMIT $3
        )"
    );
    // It is added to positions.
    let limit = i64::from(u32::try_from(limit).unwrap_or(u32::MAX));
    let next = MessageId(after.0.saturating_add(1));
    let rows = tx.query(AFTER, vals![account, next, limit])?;
    read(tx, rows)
}

/// What the rows hold, and the media of it by one more query when there are any.
fn read(tx: &mut Tx<'_>, mut rows: Vec<Row>) -> Result<Vec<Posted>> {
    let mut with_media = Vec::new();
    let all = rows.iter_mut().map(|row| posted(row, &mut with_media));
    let mut all = all.collect::<Result<Vec<_>>>()?;
    add_media_to(tx, all.iter_mut().map(|posted| &mut posted.message), &with_media)?;
    Ok(all)
}

fn posted(row: &mut Row, with_media: &mut Vec<MessageId>) -> Result<Posted> {
    let message = message(row, with_media)?;
    let is_direct = row.take::<String>()? == Kind::Direct.as_str();
    let pair: [Option<AccountId>; 2] = [row.take()?, row.take()?];
    let in_room: [Option<AccountId>; 2] = [row.take()?, row.take()?];
    Ok(Posted {
        message,
        direct_pair: pair.into_iter().flatten().filter(|_| is_direct).collect(),
        room_members: in_room.into_iter().flatten().collect(),
        relation: row.take()?,
        client_id: row.take()?,
        author: person(row)?,
    })
}
