//! Lists of people with what messenger shows of each, in three queries however long the list is.

use std::collections::{HashMap, HashSet};

use domain::{
    AccountId, Result, Time,
    accounts::{Card, Cards, Person},
};

use super::{
    people::{person, person_columns, person_tables},
    search::{is_indexed, pattern, phrase},
};
use crate::engine::{Flavour, Tx, vals};

pub(super) fn cards(tx: &mut Tx<'_>, which: &Cards, live_since: Time) -> Result<Vec<Card>> {
    let people = listed(tx, which)?;
    let ids: Vec<AccountId> = people.iter().map(|person| person.id).collect();
    let connected = connected(tx, &ids, live_since)?;
    let mut friends = friends(tx, &ids)?;
    let card = |person: Person| Card {
        connected: connected.contains(&person.id),
        friends: friends.remove(&person.id).unwrap_or_default(),
        person,
    };
    Ok(people.into_iter().map(card).collect())
}

/// The people of the list, sorted by folded name.
fn listed(tx: &mut Tx<'_>, which: &Cards) -> Result<Vec<Person>> {
    const FRIENDS: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN (
            SELECT high FROM relation WHERE low = $1 AND status_from = 'accepted' AND status_to = 'accepted'
            UNION ALL
            SELECT low FROM relation WHERE high = $1 AND status_from = 'accepted' AND status_to = 'accepted'
        ) ORDER BY a.username_folded"
    );
    const OF: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN LIST($1) ORDER BY COALESCE(a.username_folded, a.username), a.id"
    );
    let mut rows = match which {
        Cards::All { search, after, limit } => {
            let after = after.as_deref().unwrap_or("");
            match search.as_deref().filter(|sought| !sought.is_empty()) {
                None => all(tx, after, *limit)?,
                Some(sought) => found(tx, sought, after, *limit)?,
            }
        }
        Cards::FriendsOf(account) => tx.query(FRIENDS, vals![*account])?,
        Cards::Of(ids) => tx.query(OF, vals![ids.as_slice()])?,
    };
    rows.iter_mut().map(person).collect()
}

fn all(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<crate::engine::Row>> {
    const ALL: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.username_folded > $1 ORDER BY a.username_folded LIMIT $2"
    );
    Ok(tx.query(ALL, vals![after, limit])?)
}

/// Names that hold `sought`.
fn found(tx: &mut Tx<'_>, sought: &str, after: &str, limit: usize) -> Result<Vec<crate::engine::Row>> {
    const LIKE: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        r" WHERE a.username_folded LIKE $1 ESCAPE '\' AND a.username_folded > $2
        ORDER BY a.username_folded LIMIT $3"
    );
    const MATCH: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.id IN (SELECT rowid FROM account_search WHERE account_search MATCH $1)
        AND a.username_folded > $2 ORDER BY a.username_folded LIMIT $3"
    );
    if tx.flavour() == Flavour::Sqlite && is_indexed(sought) {
        Ok(tx.query(MATCH, vals![phrase(sought), after, limit])?)
    } else {
        Ok(tx.query(LIKE, vals![pattern(sought), after, limit])?)
    }
}

/// Those of the accounts that have a live session.
fn connected(tx: &mut Tx<'_>, ids: &[AccountId], live_since: Time) -> Result<HashSet<AccountId>> {
    const CONNECTED: &str = "SELECT DISTINCT account FROM session
        WHERE account IN LIST($1) AND ended_at IS NULL AND used_at >= $2";
    Ok(tx.column(CONNECTED, vals![ids, live_since])?.into_iter().collect())
}

/// The names of each account's friends, sorted by their folded form.
fn friends(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<HashMap<AccountId, Vec<String>>> {
    const FRIENDS: &str = "
        SELECT r.low, f.username, f.username_folded FROM relation r JOIN account f ON f.id = r.high
        WHERE r.low IN LIST($1) AND r.status_from = 'accepted' AND r.status_to = 'accepted'
        UNION ALL
        SELECT r.high, f.username, f.username_folded FROM relation r JOIN account f ON f.id = r.low
        WHERE r.high IN LIST($1) AND r.status_from = 'accepted' AND r.status_to = 'accepted'
        ORDER BY 3";
    let mut friends: HashMap<AccountId, Vec<String>> = HashMap::with_capacity(ids.len());
    for mut row in tx.query(FRIENDS, vals![ids])? {
        friends.entry(row.take()?).or_default().push(row.take()?);
    }
    Ok(friends)
}
