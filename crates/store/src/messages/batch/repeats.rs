//! Clients' own ids of messages: a repeat is found before anything is stored, in a batch, in the database, and in the
//! transaction of another process at the same moment.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use domain::{
    MessageId, Result,
    messages::{NewMessage, REPEAT_WITHIN},
};

use super::transaction::{Failure, numbers, query};
use crate::engine::vals;

/// Takes those out that have the client's id of an earlier one of the batch: what came of that one has to be known first.
pub(super) fn hold_back<W>(batch: &mut Vec<W>, new: impl Fn(&W) -> &NewMessage) -> Vec<W> {
    if batch.iter().all(|waiting| new(waiting).client_id.is_none()) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut is_repeat = |waiting: &mut W| {
        let new = new(waiting);
        new.client_id.as_ref().is_some_and(|client_id| !seen.insert((new.author, client_id.clone())))
    };
    batch.extract_if(.., &mut is_repeat).collect()
}

/// The first message of each of these that is a repeat, by its place among them.
pub(super) async fn known(
    transaction: &Transaction<'_>,
    news: &[NewMessage],
) -> Result<HashMap<usize, MessageId>, Failure> {
    const KNOWN: &str = "SELECT u.place, k.message
        FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[]) AS u (place, account, client_id, since)
        JOIN client_message k
            ON k.account = u.account AND k.client_id = u.client_id AND k.created_at >= u.since";
    let with_id: Vec<_> = news
        .iter()
        .enumerate()
        .filter_map(|(place, new)| Some((place, new, new.client_id.clone()?)))
        .collect();
    if with_id.is_empty() {
        return Ok(HashMap::new());
    }
    let values = vals![
        with_id.iter().map(|(place, ..)| i64::try_from(*place).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
        with_id.iter().map(|(_, new, _)| new.author.0).collect::<Vec<_>>(),
        with_id.iter().map(|(.., client_id)| client_id.clone()).collect::<Vec<_>>(),
        with_id.iter().map(|(_, new, _)| new.created_at.before(REPEAT_WITHIN).0).collect::<Vec<_>>(),
    ];
    let mut known = HashMap::new();
    for mut row in query(transaction, KNOWN, values).await? {
        let place: i64 = row.take()?;
        known.extend(usize::try_from(place).ok().zip(Some(row.take()?)));
    }
    Ok(known)
}

/// Remembers the clients' own ids of what was stored, and forgets the authors' old ones. `Overtaken` when another
/// process has stored a message under one of them meanwhile.
pub(super) async fn remember(
    transaction: &Transaction<'_>,
    stored: &[(&NewMessage, MessageId)],
) -> Result<(), Failure> {
    const FORGET: &str = "DELETE FROM client_message WHERE account = ANY($1) AND created_at < $2";
    const REMEMBER: &str = "
        INSERT INTO client_message AS k (account, client_id, message, created_at)
        SELECT * FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[]) AS u (account, client_id, message, at)
        ORDER BY u.account, u.client_id
        ON CONFLICT (account, client_id) DO UPDATE SET message = excluded.message, created_at = excluded.created_at
            WHERE k.created_at < excluded.created_at - $5
        RETURNING k.message";
    let with_id: Vec<_> =
        stored.iter().filter_map(|(new, id)| Some((*new, *id, new.client_id.clone()?))).collect();
    let Some(oldest) = with_id.iter().map(|(new, ..)| new.created_at).min() else { return Ok(()) };
    let authors = numbers(with_id.iter().map(|(new, ..)| new.author.0));
    query(transaction, FORGET, vals![authors, oldest.before(REPEAT_WITHIN)]).await?;
    let values = vals![
        with_id.iter().map(|(new, ..)| new.author.0).collect::<Vec<_>>(),
        with_id.iter().map(|(.., client_id)| client_id.clone()).collect::<Vec<_>>(),
        with_id.iter().map(|(_, id, _)| id.0).collect::<Vec<_>>(),
        with_id.iter().map(|(new, ..)| new.created_at.0).collect::<Vec<_>>(),
        i64::try_from(REPEAT_WITHIN.as_micros()).unwrap_or(i64::MAX),
    ];
    let remembered = query(transaction, REMEMBER, values).await?;
    if remembered.len() == with_id.len() { Ok(()) } else { Err(Failure::Overtaken) }
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, ConversationId, Time};
    use uuid::Uuid;

    use super::*;

    fn new(author: i64, client_id: Option<&str>) -> NewMessage {
        NewMessage {
            uuid: Uuid::nil(),
            conversation: ConversationId(1),
            author: AccountId(author),
            text: String::new(),
            image: String::new(),
            kind: None,
            created_at: Time(0),
            media: Vec::new(),
            via: None,
            client_id: client_id.map(str::to_owned),
        }
    }

    #[test]
    fn only_later_ones_of_the_same_author_and_id_are_held_back() {
        let mut batch = vec![
            new(1, Some("a")),
            new(1, None),
            new(2, Some("a")),
            new(1, Some("a")),
            new(1, None),
            new(1, Some("b")),
            new(1, Some("a")),
        ];
        let held = hold_back(&mut batch, |new| new);
        let shown = |news: &[NewMessage]| {
            news.iter().map(|new| (new.author.0, new.client_id.clone())).collect::<Vec<_>>()
        };
        let a = || Some("a".to_owned());
        assert_eq!(shown(&batch), [(1, a()), (1, None), (2, a()), (1, None), (1, Some("b".into()))]);
        assert_eq!(shown(&held), [(1, a()), (1, a())]);
    }
}
