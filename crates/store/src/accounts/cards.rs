//! Lists of people with what messenger shows of each, in one or two queries however long the list is.

use anyhow::{Context as _, anyhow};
use domain::{
    AccountId, Result, Time,
    accounts::{self, Avatar, Card, Cards},
};

use super::{
    people::person_tables,
    search::{is_indexed, pattern, phrase},
};
use crate::engine::{Flavour, Shown, Tx, Val, vals};

/// A list of cards. PostgreSQL gives the friends with each card, so that one trip is enough. On SQLite they come by a
/// second query, since there a subquery is opened anew for each row.
struct Listed {
    sqlite: &'static str,
    postgres: &'static str,
}

/// The columns of a card, given since when a session counts as live (`$1`): [`card`] reads them in this order. They are
/// of [`person_tables`].
macro_rules! card_columns {
    () => {
        "a.id, a.username, p.file_key, a.avatar_text, \
        EXISTS (SELECT 1 FROM session s WHERE s.account = a.id AND s.ended_at IS NULL AND s.used_at >= $1)"
    };
}

/// The friends of an account `a`: [`names_in`] reads each of the two.
macro_rules! friend_columns {
    () => {
        "(SELECT CAST(JSON_AGG(f.username) AS TEXT) FROM relation r JOIN account f ON f.id = r.high
            WHERE r.low = a.id AND r.status_from = 'accepted' AND r.status_to = 'accepted'),
        (SELECT CAST(JSON_AGG(f.username) AS TEXT) FROM relation r JOIN account f ON f.id = r.low
            WHERE r.high = a.id AND r.status_from = 'accepted' AND r.status_to = 'accepted')"
    };
}

/// The list of those of whom the condition holds, in its order.
macro_rules! listed {
    ($condition:literal) => {
        Listed {
            sqlite: concat!("SELECT ", card_columns!(), " FROM ", person_tables!(), " WHERE ", $condition),
            postgres: concat!(
                "SELECT ",
                card_columns!(),
                ", ",
                friend_columns!(),
                " FROM ",
                person_tables!(),
                " WHERE ",
                $condition
            ),
        }
    };
}

/// The cards of the list, sorted by folded name.
pub(super) fn cards(tx: &mut Tx<'_>, which: &Cards, live_since: Time) -> Result<Vec<Card>> {
    const FRIENDS: Listed = listed!(
        "a.id IN (
            SELECT high FROM relation WHERE low = $2 AND status_from = 'accepted' AND status_to = 'accepted'
            UNION ALL
            SELECT low FROM relation WHERE high = $2 AND status_from = 'accepted' AND status_to = 'accepted'
        ) ORDER BY a.username_folded"
    );
    const OF: Listed = listed!("a.id IN LIST($2) ORDER BY COALESCE(a.username_folded, a.username), a.id");
    match which {
        Cards::All { search, after, limit } => {
            let after = after.as_deref().unwrap_or("");
            match search.as_deref().filter(|sought| !sought.is_empty()) {
                None => all(tx, live_since, after, *limit),
                Some(sought) => found(tx, live_since, sought, after, *limit),
            }
        }
        Cards::FriendsOf(account) => read(tx, &FRIENDS, vals![live_since, *account]),
        Cards::Of(ids) => read(tx, &OF, vals![live_since, ids.as_slice()]),
    }
}

/// The cards of these two, deleted ones too, in any order.
pub(crate) fn cards_of_pair(tx: &mut Tx<'_>, pair: [AccountId; 2], live_since: Time) -> Result<Vec<Card>> {
    const PAIR: Listed = listed!("a.id IN ($2, $3)");
    read(tx, &PAIR, vals![live_since, pair[0], pair[1]])
}

fn all(tx: &mut Tx<'_>, live_since: Time, after: &str, limit: usize) -> Result<Vec<Card>> {
    const ALL: Listed = listed!("a.username_folded > $2 ORDER BY a.username_folded LIMIT $3");
    read(tx, &ALL, vals![live_since, after, limit])
}

/// Names that hold `sought`.
fn found(tx: &mut Tx<'_>, live_since: Time, sought: &str, after: &str, limit: usize) -> Result<Vec<Card>> {
    const LIKE: Listed = listed!(
        r"a.username_folded LIKE $2 ESCAPE '\' AND a.username_folded > $3 ORDER BY a.username_folded LIMIT $4"
    );
    const MATCH: Listed = listed!(
        "a.id IN (SELECT rowid FROM account_search WHERE account_search MATCH $2)
        AND a.username_folded > $3 ORDER BY a.username_folded LIMIT $4"
    );
    if tx.flavour() == Flavour::Sqlite && is_indexed(sought) {
        read(tx, &MATCH, vals![live_since, phrase(sought), after, limit])
    } else {
        read(tx, &LIKE, vals![live_since, pattern(sought), after, limit])
    }
}

/// The cards of a list, with their friends sorted by folded name.
fn read(tx: &mut Tx<'_>, list: &Listed, values: &[Val]) -> Result<Vec<Card>> {
    let mut cards = match tx.flavour() {
        Flavour::Sqlite => {
            let mut cards = tx.list(list.sqlite, values, card)?;
            add_friends(tx, &mut cards)?;
            cards
        }
        Flavour::Postgres => tx.list(list.postgres, values, |row| {
            let mut card = card(row)?;
            card.friends = names_in(row.take::<Option<String>>()?.as_deref())?;
            card.friends.extend(names_in(row.take::<Option<String>>()?.as_deref())?);
            Ok(card)
        })?,
    };
    for card in &mut cards {
        sort(&mut card.friends);
    }
    Ok(cards)
}

/// The card of the next columns of the row, without friends.
fn card(row: &mut Shown<'_>) -> Result<Card> {
    Ok(Card {
        id: row.take()?,
        username: row.take()?,
        avatar: Avatar { photo: row.take()?, text: row.take()? },
        connected: row.take()?,
        friends: Vec::new(),
    })
}

/// SQLite's way to the friends: those of all cards at once, each with the place of the card in the list.
fn add_friends(tx: &mut Tx<'_>, cards: &mut [Card]) -> Result<()> {
    const FRIENDS: &str = "
        SELECT json_each.key, f.username FROM json_each($1)
        CROSS JOIN relation r ON r.low = json_each.value CROSS JOIN account f ON f.id = r.high
        WHERE r.status_from = 'accepted' AND r.status_to = 'accepted'
        UNION ALL
        SELECT json_each.key, f.username FROM json_each($1)
        CROSS JOIN relation r ON r.high = json_each.value CROSS JOIN account f ON f.id = r.low
        WHERE r.status_from = 'accepted' AND r.status_to = 'accepted'";
    let ids: Vec<i64> = cards.iter().map(|card| card.id.0).collect();
    tx.list(FRIENDS, vals![ids], |row| {
        let place = usize::try_from(row.take::<i64>()?).ok();
        let card = place.and_then(|place| cards.get_mut(place));
        card.ok_or_else(|| anyhow!("a friend of nobody in the list"))?.friends.push(row.take()?);
        Ok(())
    })?;
    Ok(())
}

/// Names in an array of JSON; NULL when there are no names.
fn names_in(array: Option<&str>) -> Result<Vec<String>> {
    let names = array.map(|array| serde_json::from_str(array).context("an array of names is no JSON"));
    Ok(names.transpose()?.unwrap_or_default())
}

/// Sorts names by their folded form, which of ASCII is its lower case.
fn sort(names: &mut [String]) {
    if names.iter().all(|name| name.is_ascii()) {
        names.sort_by(|one, other| lower(one).cmp(lower(other)));
    } else {
        names.sort_by_cached_key(|name| accounts::names::folded(name));
    }
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}
