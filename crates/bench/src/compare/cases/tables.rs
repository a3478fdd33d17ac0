//! How the cost of a page grows with its table: Tertulia alone.
//!
//! The tables are filled directly while no server runs. Work and checks are those of `bench friends` (pages of the
//! history of two friends) and `bench meetups` (lists of meetings, 1,000 of which lie around one place).

use anyhow::{Context, Result};

use super::Load;
use crate::{compare::figures::Measured, friends, meetups, report::Row};

/// How much more an answer costs than the same one out of the smallest table.
pub(crate) const GROWTH: &str = "CPU, times that of the smallest table";

const COST: &str = "server CPU µs/request";
const CLIENT_COST: &str = "client CPU µs/request";

/// What the pages are of, and how the tables' rows are called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    History,
    Meetings,
}

impl Kind {
    /// How the names of its loads begin.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Meetings => "meetings",
        }
    }

    async fn measure(self, load: &Load, rows: u64) -> Result<Vec<Row>> {
        let binary = load.tertulia.clone();
        match self {
            Self::History => friends::histories(binary, load.lasts, rows).await,
            Self::Meetings => meetups::lists(binary, load.lasts, rows).await,
        }
    }
}

/// One load for each page and size; its name ends with the number of rows.
pub(super) async fn measure(load: &Load) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for kind in [Kind::History, Kind::Meetings] {
        let mut smallest: Option<Vec<Row>> = None;
        for rows in &load.rows {
            let pages = kind.measure(load, *rows).await?;
            let beside = smallest.get_or_insert_with(|| pages.clone());
            for (page, small) in pages.iter().zip(beside) {
                measured.push(told(kind, *rows, page, small)?);
            }
        }
    }
    Ok(measured)
}

fn told(kind: Kind, rows: u64, page: &Row, smallest: &Row) -> Result<Measured> {
    let number = |row: &Row, name| row.number(name).with_context(|| format!("no {name}"));
    let what = page.text("what").context("a page without a name")?;
    let cost = number(page, COST)?;
    Ok(Measured::of(format!("{}, {what}, {rows} rows", kind.name()))
        .beside("p50 ms", number(page, "p50 ms")?)
        .beside("p99 ms", number(page, "p99 ms")?)
        .beside(COST, cost)
        .beside(CLIENT_COST, number(page, CLIENT_COST)?)
        .beside("answer, KiB", number(page, "answer, KiB")?)
        .beside(GROWTH, cost / number(smallest, COST)?)
        .beside("other cores busy", number(page, "other cores busy")?))
}
