//! How many names hold a short text: counted with each change of a name, since no index can tell it without a walk over
//! all names that hold it (or, of one or two characters, over all there are).

mod fill;

use std::collections::{BTreeMap, BTreeSet};

use domain::Result;

pub(crate) use fill::{count_all_on_postgres, count_all_on_sqlite};

use crate::engine::{Flavour, Tx, vals, without_nul};

/// Most characters of a part that is counted.
const LONGEST: usize = 3;

/// Adds a number to that of one part.
const ADD: &str = "INSERT INTO name_part (part, names) VALUES ($1, $2)
    ON CONFLICT (part) DO UPDATE SET names = name_part.names + excluded.names";

/// The same for many parts, on PostgreSQL. Transactions come to the parts that they share in one order, so that one
/// waits for the other and they never wait for each other.
const ADD_ALL: &str = r#"INSERT INTO name_part (part, names)
    SELECT part, more FROM UNNEST($1::TEXT[], $2::BIGINT[]) AS u (part, more) ORDER BY part COLLATE "C"
    ON CONFLICT (part) DO UPDATE SET names = name_part.names + excluded.names"#;

/// Whether the number of names that hold `text` is kept.
pub(super) fn is_counted(text: &str) -> bool {
    !text.is_empty() && text.chars().nth(LONGEST).is_none()
}

/// How many names hold a text that is counted.
pub(super) fn holding(tx: &mut Tx<'_>, part: &str) -> Result<i64> {
    let names: Vec<i64> = tx.column("SELECT names FROM name_part WHERE part = $1", vals![part])?;
    Ok(names.into_iter().sum())
}

/// Counts the parts of a name that is `new`, or was `old`, or both.
pub(super) fn count(tx: &mut Tx<'_>, old: Option<&str>, new: Option<&str>) -> Result<()> {
    let changes = changes(old, new);
    match tx.flavour() {
        Flavour::Sqlite => {
            for (part, more) in &changes {
                tx.exec(ADD, vals![part, *more])?;
            }
        }
        Flavour::Postgres if changes.is_empty() => {}
        Flavour::Postgres => {
            let (parts, more): (Vec<String>, Vec<i64>) = changes.clone().into_iter().unzip();
            tx.exec(ADD_ALL, vals![parts, more])?;
        }
    }
    let fewer: Vec<String> =
        changes.into_iter().filter(|(_, more)| *more < 0).map(|(part, _)| part).collect();
    if !fewer.is_empty() {
        // Nobody waits for these rows' locks out of turn: they have just been changed.
        tx.exec("DELETE FROM name_part WHERE part IN LIST($1) AND names = 0", vals![fewer])?;
    }
    Ok(())
}

/// By how many names more, or fewer, a part is held; without those for which nothing changes.
fn changes(old: Option<&str>, new: Option<&str>) -> BTreeMap<String, i64> {
    let mut changes = BTreeMap::new();
    for (name, more) in [(old, -1), (new, 1)] {
        let name = without_nul(name.unwrap_or_default().to_owned());
        for part in name_parts(&name) {
            *changes.entry(part.to_owned()).or_default() += more;
        }
    }
    changes.retain(|_, more| *more != 0);
    changes
}

/// The different parts of one to three characters of a folded name: those whose number is kept in `name_part`, for
/// programs that write names past the store.
pub fn name_parts(name: &str) -> BTreeSet<&str> {
    let starts: Vec<usize> = name.char_indices().map(|(start, _)| start).chain([name.len()]).collect();
    let bounds = (1..=LONGEST).flat_map(|length| starts.windows(length + 1));
    bounds.filter_map(|bounds| name.get(bounds[0]..bounds[bounds.len() - 1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_characters_and_each_is_there_once() {
        let parts: Vec<&str> = name_parts("яya\u{301}я").into_iter().collect();
        let due =
            ["a", "a\u{301}", "a\u{301}я", "y", "ya", "ya\u{301}", "\u{301}", "\u{301}я", "я", "яy", "яya"];
        assert_eq!(parts, due);
        assert_eq!(name_parts("aaaa").into_iter().collect::<Vec<_>>(), ["a", "aa", "aaa"]);
        assert_eq!(name_parts("").len(), 0);
    }

    #[test]
    fn what_a_name_keeps_does_not_change() {
        let changed = changes(Some("anna"), Some("ana\0"));
        let due = [
            ("\u{fffd}", 1),
            ("a\u{fffd}", 1),
            ("ana", 1),
            ("ann", -1),
            ("na\u{fffd}", 1),
            ("nn", -1),
            ("nna", -1),
        ];
        let mut due: Vec<_> = due.map(|(part, more)| (part.to_owned(), more)).to_vec();
        due.sort();
        assert_eq!(changed.into_iter().collect::<Vec<_>>(), due);
        assert!(changes(Some("ana"), Some("ana")).is_empty());
    }

    #[test]
    fn texts_of_one_to_three_characters_are_counted() {
        for (text, counted) in [("", false), ("я", true), ("李雷x", true), ("a\u{301}bc", false)] {
            assert_eq!(is_counted(text), counted, "{text}");
        }
    }
}
