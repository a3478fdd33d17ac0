//! People by parts of their names.

use domain::{Result, accounts::Person};

use super::people::{person, person_columns, person_tables};
use crate::engine::{Flavour, Tx, vals};

/// The indexes of trigrams answer for texts of this many characters and more.
const TRIGRAM: usize = 3;

/// What an index has found is sorted up to this many names. Where there are more of them, the page is nearer when all
/// names are read in their order.
const FEW: i64 = 20_000;

/// How many people have a name that holds `sought`, and of those `limit` after the first `skip`, by name.
pub(super) fn people_named(
    tx: &mut Tx<'_>,
    sought: &str,
    skip: usize,
    limit: usize,
) -> Result<(usize, Vec<Person>)> {
    const PEOPLE: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.username_folded IN LIST($1) ORDER BY a.username_folded"
    );
    let by_index = has_index(tx.flavour(), sought);
    let count = count(tx, sought, by_index)?;
    let found = usize::try_from(count).unwrap_or(0);
    if skip >= found || limit == 0 {
        return Ok((found, Vec::new()));
    }
    let names = if by_index && count <= FEW {
        sorted(tx, sought, skip, limit)?
    } else {
        read_in_order(tx, sought, skip, limit)?
    };
    let people = tx.query(PEOPLE, vals![names])?.iter_mut().map(person).collect::<Result<_>>()?;
    Ok((found, people))
}

fn count(tx: &mut Tx<'_>, sought: &str, by_index: bool) -> Result<i64> {
    const ALL: &str = "SELECT living FROM account_count WHERE id = 1";
    const MATCH: &str = "SELECT COUNT(*) FROM account_search WHERE account_search MATCH $1";
    const LIKE: &str = r"SELECT COUNT(*) FROM account WHERE username_folded LIKE $1 ESCAPE '\'";
    const READ: &str = r"SELECT COUNT(*) FROM account
        WHERE username_folded > '' AND (username_folded || '') LIKE $1 ESCAPE '\'";
    let counts: Vec<i64> = if sought.is_empty() {
        tx.column(ALL, &[])?
    } else if !by_index {
        tx.column(READ, vals![pattern(sought)])?
    } else if tx.flavour() == Flavour::Sqlite {
        tx.column(MATCH, vals![phrase(sought)])?
    } else {
        tx.column(LIKE, vals![pattern(sought)])?
    };
    Ok(counts.into_iter().sum())
}

/// The names of the page, of the few that an index finds.
fn sorted(tx: &mut Tx<'_>, sought: &str, skip: usize, limit: usize) -> Result<Vec<String>> {
    const MATCH: &str = "
        WITH found AS MATERIALIZED (
            SELECT a.username_folded FROM account a
            WHERE a.id IN (SELECT rowid FROM account_search WHERE account_search MATCH $1)
        ) SELECT username_folded FROM found ORDER BY username_folded LIMIT $2 OFFSET $3";
    const LIKE: &str = r"
        WITH found AS MATERIALIZED (
            SELECT username_folded FROM account WHERE username_folded LIKE $1 ESCAPE '\'
        ) SELECT username_folded FROM found ORDER BY username_folded LIMIT $2 OFFSET $3";
    if tx.flavour() == Flavour::Sqlite {
        tx.column(MATCH, vals![phrase(sought), limit, skip])
    } else {
        tx.column(LIKE, vals![pattern(sought), limit, skip])
    }
}

/// The names of the page, by reading the index of names up to it: nothing but that index is read.
fn read_in_order(tx: &mut Tx<'_>, sought: &str, skip: usize, limit: usize) -> Result<Vec<String>> {
    const ALL: &str = "SELECT username_folded FROM account WHERE username_folded > ''
        ORDER BY username_folded LIMIT $1 OFFSET $2";
    // Without the concatenation PostgreSQL may go through all of its trigram index, which is worse.
    const HOLDING: &str = r"SELECT username_folded FROM account
        WHERE username_folded > '' AND (username_folded || '') LIKE $1 ESCAPE '\'
        ORDER BY username_folded LIMIT $2 OFFSET $3";
    if sought.is_empty() {
        tx.column(ALL, vals![limit, skip])
    } else {
        tx.column(HOLDING, vals![pattern(sought), limit, skip])
    }
}

/// Whether there is an index that finds this text. PostgreSQL's has trigrams of letters and digits alone.
fn has_index(flavour: Flavour, sought: &str) -> bool {
    match flavour {
        Flavour::Sqlite => is_indexed(sought),
        Flavour::Postgres => sought.split(|c: char| !c.is_alphanumeric()).any(is_indexed),
    }
}

/// Whether SQLite's index finds this text.
pub(super) fn is_indexed(sought: &str) -> bool {
    sought.chars().nth(TRIGRAM - 1).is_some()
}

/// A phrase of FTS5: its text in quotes, whose own quotes are doubled.
pub(super) fn phrase(sought: &str) -> String {
    format!("\"{}\"", sought.replace('"', "\"\""))
}

/// A pattern of `LIKE … ESCAPE '\'` for texts that hold `sought`.
pub(super) fn pattern(sought: &str) -> String {
    let mut pattern = String::with_capacity(sought.len() + 2);
    pattern.push('%');
    for c in sought.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_texts_are_taken_literally() {
        assert_eq!(pattern(r"a%b_c\"), r"%a\%b\_c\\%");
        assert_eq!(phrase(r#"a"b"#), r#""a""b""#);
    }

    #[test]
    fn each_database_is_asked_for_what_its_index_can_find() {
        for (sought, sqlite, postgres) in [
            ("", false, false),
            ("añ", false, false),
            ("яна", true, true),
            ("a.b", true, false),
            ("a.bcd", true, true),
        ] {
            assert_eq!(has_index(Flavour::Sqlite, sought), sqlite, "{sought}");
            assert_eq!(has_index(Flavour::Postgres, sought), postgres, "{sought}");
        }
    }
}
