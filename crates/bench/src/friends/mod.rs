//! The cases of the dialect of document 002.

mod history;
mod names;
mod people;
mod search;
mod sends;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    report::{Report, Row},
    stage::{Ground, Stage},
};

/// Settings of every server that is measured: nothing is refused for being too much, or too late.
const FLAGS: [&str; 4] = ["--message-rate", "off", "--access-life", "12h"];

/// What is measured, and on how much.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    only: Vec<Case>,
    /// Messages of the histories
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "1000,100000,10000000",
        value_parser = clap::value_parser!(u64).range(200..))]
    messages: Vec<u64>,
    /// Accounts among which is searched
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "1000000",
        value_parser = clap::value_parser!(u64).range(1000..))]
    accounts: Vec<u64>,
}

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Case {
    /// 64 pairs talk over WebSocket
    Sends,
    /// Pages of a conversation's history
    History,
    /// Users by parts of their names
    Search,
}

impl Case {
    fn title(self) -> &'static str {
        match self {
            Self::Sends => "Sends",
            Self::History => "History",
            Self::Search => "Search for users",
        }
    }
}

/// Runs the cases, on each database; what was measured before a failure is in the report.
pub(crate) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    let measure =
        async |case: &Case, stage: &Stage, report: &mut Report| measure(*case, stage, options, report).await;
    options.ground.measure(&FLAGS, &options.only, report, measure).await
}

/// Pages of the history of two friends who have so many messages, on SQLite.
pub(crate) async fn histories(binary: PathBuf, lasts: Duration, messages: u64) -> Result<Vec<Row>> {
    history::run(&Stage::on_sqlite(binary, &FLAGS, lasts), messages).await
}

/// Measures a case, one size after another.
async fn measure(case: Case, stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    match case {
        Case::Sends => report.add(case.title(), sends::run(stage).await?),
        Case::History => {
            for messages in &options.messages {
                report.add(case.title(), history::run(stage, *messages).await?);
            }
        }
        Case::Search => {
            for accounts in &options.accounts {
                report.add(case.title(), search::run(stage, *accounts).await?);
            }
        }
    }
    Ok(())
}
