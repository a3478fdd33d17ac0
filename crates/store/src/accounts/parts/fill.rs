//! The parts of the names that are there when `name_part` is made. SQL alone took ten seconds for 200,000 names.

use std::collections::HashMap;

use super::{ADD, ADD_ALL, name_parts};
use crate::engine::{Flavour, rewritten};

/// Names that are counted at a time.
const PAGE: i64 = 20_000;

/// The names after `$1`, in their order.
const NAMES: &str =
    "SELECT username_folded FROM account WHERE username_folded > $1 ORDER BY username_folded LIMIT $2";

/// Counts the parts of all names, in a transaction that nobody else writes beside.
pub(crate) fn count_all_on_sqlite(transaction: &rusqlite::Transaction<'_>) -> anyhow::Result<()> {
    let mut names = transaction.prepare(&rewritten(NAMES, Flavour::Sqlite))?;
    let mut add = transaction.prepare(&rewritten(ADD, Flavour::Sqlite))?;
    let mut last = String::new();
    loop {
        let rows = names.query_map((&last, PAGE), |row| row.get(0))?;
        let page = rows.collect::<Result<Vec<String>, _>>()?;
        for (part, number) in numbers(&page) {
            add.execute((part, number))?;
        }
        match page.into_iter().next_back() {
            Some(name) => last = name,
            None => return Ok(()),
        }
    }
}

/// The same on PostgreSQL.
pub(crate) async fn count_all_on_postgres(
    transaction: &deadpool_postgres::Transaction<'_>,
) -> anyhow::Result<()> {
    let names = transaction.prepare(NAMES).await?;
    let add = transaction.prepare(ADD_ALL).await?;
    let mut last = String::new();
    loop {
        let rows = transaction.query(&names, &[&last, &PAGE]).await?;
        let page = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        let (parts, numbers): (Vec<&str>, Vec<i64>) = numbers(&page).into_iter().unzip();
        transaction.execute(&add, &[&parts, &numbers]).await?;
        match page.into_iter().next_back() {
            Some(name) => last = name,
            None => return Ok(()),
        }
    }
}

/// How many of the names hold each part, in the order of the parts.
fn numbers(names: &[String]) -> Vec<(&str, i64)> {
    let mut numbers = HashMap::new();
    for part in names.iter().flat_map(|name| name_parts(name)) {
        *numbers.entry(part).or_default() += 1;
    }
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers
}
