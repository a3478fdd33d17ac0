//! People by parts of their names.

use domain::{Result, accounts::Person};

use super::{
    parts,
    people::{person, person_columns, person_tables},
};
use crate::engine::{Flavour, Tx, vals};

/// The indexes of trigrams answer for texts of this many characters and more.
const TRIGRAM: usize = 3;

/// In the time in which an index finds a name, that is looked up and sorted, so many names are read in their order.
const READ_A_FOUND: usize = 30;

/// There are hardly more different parts of names than this, whatever their number, and at most a quarter of it.
const PARTS: usize = 50_000;

/// Trigrams that are asked for at once.
const TRIGRAMS: usize = 500;

/// A page of the names that hold a text.
struct Part<'a> {
    sought: &'a str,
    /// How many names hold it.
    found: usize,
    skip: usize,
    /// At least 1; with `skip` no more than are found.
    limit: usize,
}

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
    let found = usize::try_from(count(tx, sought)?).unwrap_or(0);
    let limit = limit.min(found.saturating_sub(skip));
    if limit == 0 {
        return Ok((found, Vec::new()));
    }
    let names = names(tx, &Part { sought, found, skip, limit })?;
    let people = tx.query(PEOPLE, vals![names])?.iter_mut().map(person).collect::<Result<_>>()?;
    Ok((found, people))
}

fn count(tx: &mut Tx<'_>, sought: &str) -> Result<i64> {
    const MATCH: &str = "SELECT COUNT(*) FROM account_search WHERE account_search MATCH $1";
    const LIKE: &str = r"SELECT COUNT(*) FROM account WHERE username_folded LIKE $1 ESCAPE '\'";
    const READ: &str =
        "SELECT COUNT(*) FROM account WHERE username_folded > '' AND STRPOS(username_folded, $1) > 0";
    if sought.is_empty() {
        return living(tx);
    }
    if parts::is_counted(sought) {
        return parts::holding(tx, sought);
    }
    let counts: Vec<i64> = if !has_index(tx.flavour(), sought) {
        tx.column(READ, vals![sought])?
    } else if tx.flavour() == Flavour::Sqlite {
        tx.column(MATCH, vals![phrase(sought)])?
    } else {
        tx.column(LIKE, vals![pattern(sought)])?
    };
    Ok(counts.into_iter().sum())
}

/// How many names there are.
fn living(tx: &mut Tx<'_>) -> Result<i64> {
    let living: Vec<i64> = tx.column("SELECT living FROM account_count WHERE id = 1", &[])?;
    Ok(living.into_iter().sum())
}

/// The names of a page, in any order.
fn names(tx: &mut Tx<'_>, part: &Part<'_>) -> Result<Vec<String>> {
    if part.sought.is_empty() {
        return all(tx, part);
    }
    // To find and sort all would take as long as to read so many.
    let reach = part.found.saturating_mul(READ_A_FOUND);
    let living = usize::try_from(living(tx)?).unwrap_or(0);
    let expected = part.nearer().saturating_add(part.limit).saturating_mul(living) / part.found;
    if !has_index(tx.flavour(), part.sought) {
        let found =
            if expected > reach.saturating_add(PARTS.min(living / 4)) { by_parts(tx, part)? } else { None };
        return found.map_or_else(|| read(tx, part, usize::MAX), Ok);
    }
    if expected <= reach {
        let names = read(tx, part, reach)?;
        if names.len() == part.limit {
            return Ok(names);
        }
    }
    sorted(tx, part)
}

impl Part<'_> {
    /// How many of the names found come behind the page.
    fn after(&self) -> usize {
        self.found.saturating_sub(self.skip).saturating_sub(self.limit)
    }

    /// How many of them are skipped from the nearer end.
    fn nearer(&self) -> usize {
        self.skip.min(self.after())
    }
}

/// A page of all names: nothing but their index is read, from the nearer end.
fn all(tx: &mut Tx<'_>, part: &Part<'_>) -> Result<Vec<String>> {
    const FROM_START: &str = "SELECT username_folded FROM account WHERE username_folded > ''
        ORDER BY username_folded LIMIT $1 OFFSET $2";
    const FROM_END: &str = "SELECT username_folded FROM account WHERE username_folded > ''
        ORDER BY username_folded DESC LIMIT $1 OFFSET $2";
    let text = if part.skip <= part.after() { FROM_START } else { FROM_END };
    tx.column(text, vals![part.limit, part.nearer()])
}

/// The same of the names that hold the text. No more than `reach` names are read: there may be too few of the page
/// among them.
fn read(tx: &mut Tx<'_>, part: &Part<'_>, reach: usize) -> Result<Vec<String>> {
    const FROM_START: &str = "
        SELECT username_folded FROM (
            SELECT username_folded FROM account WHERE username_folded > '' ORDER BY username_folded LIMIT $4
        ) AS found WHERE STRPOS(username_folded, $1) > 0 ORDER BY username_folded LIMIT $2 OFFSET $3";
    const FROM_END: &str = "
        SELECT username_folded FROM (
            SELECT username_folded FROM account WHERE username_folded > '' ORDER BY username_folded DESC LIMIT $4
        ) AS found WHERE STRPOS(username_folded, $1) > 0 ORDER BY username_folded DESC LIMIT $2 OFFSET $3";
    let text = if part.skip <= part.after() { FROM_START } else { FROM_END };
    tx.column(text, vals![part.sought, part.limit, part.nearer(), reach])
}

/// The same, of all names that an index finds.
fn sorted(tx: &mut Tx<'_>, part: &Part<'_>) -> Result<Vec<String>> {
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
        tx.column(MATCH, vals![phrase(part.sought), part.limit, part.skip])
    } else {
        tx.column(LIKE, vals![pattern(part.sought), part.limit, part.skip])
    }
}

/// The same, of names that hold a text too short for the index, which is asked for all trigrams that hold it. `None` when
/// it cannot be asked, or for too many of them.
fn by_parts(tx: &mut Tx<'_>, part: &Part<'_>) -> Result<Option<Vec<String>>> {
    const PARTS: &str = "SELECT part FROM name_part WHERE STRPOS(part, $1) > 0";
    const MATCH: &str = "
        WITH found AS MATERIALIZED (
            SELECT a.username_folded FROM account a
            WHERE a.id IN (SELECT rowid FROM account_search WHERE account_search MATCH $1)
            UNION SELECT username_folded FROM account WHERE username_folded IN LIST($2)
        ) SELECT username_folded FROM found WHERE STRPOS(username_folded, $3) > 0
        ORDER BY username_folded LIMIT $4 OFFSET $5";
    const LIKE: &str = "
        WITH found AS MATERIALIZED (
            SELECT username_folded FROM account WHERE username_folded LIKE ANY ($1)
            UNION SELECT username_folded FROM account WHERE username_folded IN LIST($2)
        ) SELECT username_folded FROM found WHERE STRPOS(username_folded, $3) > 0
        ORDER BY username_folded LIMIT $4 OFFSET $5";
    let flavour = tx.flavour();
    let parts: Vec<String> = tx.column(PARTS, vals![part.sought])?;
    // A name that is shorter than a trigram is a part itself.
    let (trigrams, names): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| is_indexed(part));
    if trigrams.len() > TRIGRAMS || !trigrams.iter().all(|trigram| has_index(flavour, trigram)) {
        return Ok(None);
    }
    let page = if flavour == Flavour::Sqlite {
        // Nothing is found by a phrase without a trigram.
        let phrases: Vec<String> = trigrams.iter().map(|trigram| phrase(trigram)).collect();
        let any = if phrases.is_empty() { phrase("") } else { phrases.join(" OR ") };
        tx.column(MATCH, vals![any, names, part.sought, part.limit, part.skip])?
    } else {
        let patterns: Vec<String> = trigrams.iter().map(|trigram| pattern(trigram)).collect();
        tx.column(LIKE, vals![patterns, names, part.sought, part.limit, part.skip])?
    };
    Ok(Some(page))
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
