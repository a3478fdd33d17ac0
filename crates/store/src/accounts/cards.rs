//! Lists of people with what messenger shows of each, in one query however long the list is.

use anyhow::Context as _;
use domain::{
    Result, Time,
    accounts::{self, Card, Cards},
};

use super::{
    people::{person, person_columns, person_tables},
    search::{is_indexed, pattern, phrase},
};
use crate::engine::{Flavour, Row, Tx, vals};

/// The columns of a card, given since when a session counts as live (`$1`): [`card`] reads them in this order. They are
/// of [`person_tables`].
macro_rules! card_columns {
    () => {
        concat!(
            person_columns!(),
            ", EXISTS (SELECT 1 FROM session s WHERE s.account = a.id AND s.ended_at IS NULL AND s.used_at >= $1),
            (SELECT CAST(JSON_AGG(f.username) AS TEXT) FROM relation r JOIN account f ON f.id = r.high
                WHERE r.low = a.id AND r.status_from = 'accepted' AND r.status_to = 'accepted'),
            (SELECT CAST(JSON_AGG(f.username) AS TEXT) FROM relation r JOIN account f ON f.id = r.low
                WHERE r.high = a.id AND r.status_from = 'accepted' AND r.status_to = 'accepted')"
        )
    };
}

/// The cards of the list, sorted by folded name.
pub(super) fn cards(tx: &mut Tx<'_>, which: &Cards, live_since: Time) -> Result<Vec<Card>> {
    listed(tx, which, live_since)?.iter_mut().map(card).collect()
}

/// The card of the next columns of the row. Friends are sorted by folded name.
fn card(row: &mut Row) -> Result<Card> {
    let (person, connected) = (person(row)?, row.take()?);
    let mut friends = names(row.take()?)?;
    friends.extend(names(row.take()?)?);
    if friends.len() > 1 {
        friends.sort_by_cached_key(|name| folded(name));
    }
    Ok(Card { person, connected, friends })
}

/// Names in an array of JSON; there is none on PostgreSQL when there are no names.
fn names(array: Option<String>) -> Result<Vec<String>> {
    Ok(match array.as_deref() {
        None | Some("[]") => Vec::new(),
        Some(array) => serde_json::from_str(array).context("an array of names is no JSON")?,
    })
}

/// [`accounts::names::folded`], which for ASCII is this.
fn folded(name: &str) -> String {
    if name.is_ascii() { name.to_ascii_lowercase() } else { accounts::names::folded(name) }
}

fn listed(tx: &mut Tx<'_>, which: &Cards, live_since: Time) -> Result<Vec<Row>> {
    const FRIENDS: &str = concat!(
        "SELECT ",
        card_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN (
            SELECT high FROM relation WHERE low = $2 AND status_from = 'accepted' AND status_to = 'accepted'
            UNION ALL
            SELECT low FROM relation WHERE high = $2 AND status_from = 'accepted' AND status_to = 'accepted'
        ) ORDER BY a.username_folded"
    );
    const OF: &str = concat!(
        "SELECT ",
        card_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN LIST($2) ORDER BY COALESCE(a.username_folded, a.username), a.id"
    );
    Ok(match which {
        Cards::All { search, after, limit } => {
            let after = after.as_deref().unwrap_or("");
            match search.as_deref().filter(|sought| !sought.is_empty()) {
                None => all(tx, live_since, after, *limit)?,
                Some(sought) => found(tx, live_since, sought, after, *limit)?,
            }
        }
        Cards::FriendsOf(account) => tx.query(FRIENDS, vals![live_since, *account])?,
        Cards::Of(ids) => tx.query(OF, vals![live_since, ids.as_slice()])?,
    })
}

fn all(tx: &mut Tx<'_>, live_since: Time, after: &str, limit: usize) -> Result<Vec<Row>> {
    const ALL: &str = concat!(
        "SELECT ",
        card_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.username_folded > $2 ORDER BY a.username_folded LIMIT $3"
    );
    Ok(tx.query(ALL, vals![live_since, after, limit])?)
}

/// Names that hold `sought`.
fn found(tx: &mut Tx<'_>, live_since: Time, sought: &str, after: &str, limit: usize) -> Result<Vec<Row>> {
    const LIKE: &str = concat!(
        "SELECT ",
        card_columns!(),
        " FROM ",
        person_tables!(),
        r" WHERE a.username_folded LIKE $2 ESCAPE '\' AND a.username_folded > $3
        ORDER BY a.username_folded LIMIT $4"
    );
    const MATCH: &str = concat!(
        "SELECT ",
        card_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN (SELECT rowid FROM account_search WHERE account_search MATCH $2)
        AND a.username_folded > $3 ORDER BY a.username_folded LIMIT $4"
    );
    if tx.flavour() == Flavour::Sqlite && is_indexed(sought) {
        Ok(tx.query(MATCH, vals![live_since, phrase(sought), after, limit])?)
    } else {
        Ok(tx.query(LIKE, vals![live_since, pattern(sought), after, limit])?)
    }
}
