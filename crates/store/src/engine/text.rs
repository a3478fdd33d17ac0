//! One text of SQL for both databases. It is written in PostgreSQL's words, with a few notations of our own:
//!
//! | written | PostgreSQL | SQLite |
//! | --- | --- | --- |
//! | `$1` | `$1` | `?1` (SQLite takes `$1` for a *name*, numbered by first appearance) |
//! | `IN LIST($1)` (numbers, texts) | `= ANY($1)` | `IN (SELECT value FROM json_each(?1))` |
//! | `IN UUIDS($1)` | `= ANY($1)` | `IN (SELECT unhex(value) FROM json_each(?1))` |
//! | `STRPOS(text, part)` | as it is | `INSTR(text, part)` |
//! | ` FOR UPDATE …`, ` FOR SHARE …` at the end | as it is | nothing: there is one writer |

use std::{collections::HashMap, sync::Arc};

/// Which database a text is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    /// SQLite.
    Sqlite,
    /// PostgreSQL, or what speaks its protocol.
    Postgres,
}

/// The texts of one connection, rewritten once each.
pub(crate) struct Texts {
    flavour: Flavour,
    /// By address and length: the texts are constants.
    known: HashMap<(usize, usize), Arc<str>>,
}

impl Texts {
    /// None yet.
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self { flavour, known: HashMap::new() }
    }

    /// `sql` in the words of this database.
    pub(crate) fn of(&mut self, sql: &'static str) -> Arc<str> {
        let flavour = self.flavour;
        let place = (sql.as_ptr().addr(), sql.len());
        Arc::clone(self.known.entry(place).or_insert_with(|| rewritten(sql, flavour).into()))
    }
}

/// `sql` in the words of `flavour`.
pub(crate) fn rewritten(sql: &str, flavour: Flavour) -> String {
    match flavour {
        Flavour::Postgres => {
            lists(sql, |number| format!("= ANY(${number})"), |number| format!("= ANY(${number})"))
        }
        Flavour::Sqlite => {
            let end = [" FOR UPDATE", " FOR SHARE"].iter().filter_map(|lock| sql.find(lock)).min();
            let listed = lists(
                &sql[..end.unwrap_or(sql.len())],
                |number| format!("IN (SELECT value FROM json_each(${number}))"),
                |number| format!("IN (SELECT unhex(value) FROM json_each(${number}))"),
            );
            listed.replace("STRPOS(", "INSTR(").replace('$', "?")
        }
    }
}

/// Replaces both list notations; the functions are given the placeholder's number.
fn lists(sql: &str, list: impl Fn(&str) -> String, uuids: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(start) = rest.find("IN ") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let (notation, write): (_, &dyn Fn(&str) -> String) = if from.starts_with("IN LIST($") {
            ("IN LIST($", &list)
        } else if from.starts_with("IN UUIDS($") {
            ("IN UUIDS($", &uuids)
        } else {
            out.push_str("IN ");
            rest = &from["IN ".len()..];
            continue;
        };
        let from = &from[notation.len()..];
        let end = from.find(')').unwrap_or(from.len());
        out.push_str(&write(&from[..end]));
        rest = from.get(end + 1..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_numbered_ones_on_sqlite() {
        let sql = "UPDATE account SET email = $2 WHERE id = $1";
        assert_eq!(rewritten(sql, Flavour::Sqlite), "UPDATE account SET email = ?2 WHERE id = ?1");
        assert_eq!(rewritten(sql, Flavour::Postgres), sql);
    }

    #[test]
    fn swapped_placeholders_bind_by_their_number() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let sql = rewritten("SELECT $2 - $1", Flavour::Sqlite);
        let difference: i64 = connection.query_row(&sql, [1, 10], |row| row.get(0)).unwrap();
        assert_eq!(difference, 9);
    }

    #[test]
    fn lists_and_other_uses_of_in_stay_apart() {
        let sql =
            "SELECT 1 FROM a JOIN b ON a.x IN LIST($1) AND b.y IN UUIDS($12) AND c IN (SELECT 2) AND d = $3";
        assert_eq!(
            rewritten(sql, Flavour::Postgres),
            "SELECT 1 FROM a JOIN b ON a.x = ANY($1) AND b.y = ANY($12) AND c IN (SELECT 2) AND d = $3"
        );
        assert_eq!(
            rewritten(sql, Flavour::Sqlite),
            "SELECT 1 FROM a JOIN b ON a.x IN (SELECT value FROM json_each(?1)) \
             AND b.y IN (SELECT unhex(value) FROM json_each(?12)) AND c IN (SELECT 2) AND d = ?3"
        );
    }

    #[test]
    fn locks_are_dropped_on_sqlite_alone() {
        let sql = "SELECT id FROM account WHERE id = $1 FOR UPDATE OF account";
        assert_eq!(rewritten(sql, Flavour::Sqlite), "SELECT id FROM account WHERE id = ?1");
        assert_eq!(rewritten(sql, Flavour::Postgres), sql);
        assert_eq!(rewritten("SELECT 1 FOR SHARE", Flavour::Sqlite), "SELECT 1");
    }

    #[test]
    fn the_place_of_a_text_in_another_is_asked_for_in_each_databases_word() {
        let sql = "SELECT STRPOS(name, $1)";
        assert_eq!(rewritten(sql, Flavour::Sqlite), "SELECT INSTR(name, ?1)");
        assert_eq!(rewritten(sql, Flavour::Postgres), sql);
    }

    #[test]
    fn a_text_is_rewritten_once() {
        let sql = "SELECT $1";
        let mut texts = Texts::new(Flavour::Sqlite);
        assert!(Arc::ptr_eq(&texts.of(sql), &texts.of(sql)));
    }
}
