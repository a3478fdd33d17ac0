//! The cases of the dialect of document 004.

mod chats;
mod map;
mod people;
mod places;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    report::{Report, Row},
    stage::{Ground, Stage},
};

/// Settings of every server that is measured: nothing is refused for being too much, and who says to be somebody is.
const FLAGS: [&str; 4] = ["--message-rate", "off", "--social-trust", "vk"];

/// What is measured, and on how much.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    only: Vec<Case>,
    /// Meetings in the table
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "1000,100000,10000000",
        value_parser = clap::value_parser!(u64).range(1000..))]
    meetings: Vec<u64>,
}

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Case {
    /// Lists of meetings, 1,000 of which lie around one place
    Map,
    /// 64 pairs talk over WebSocket
    Chats,
}

impl Case {
    fn title(self) -> &'static str {
        match self {
            Self::Map => "Lists of meetings",
            Self::Chats => "Chats",
        }
    }
}

/// Runs the cases, on each database; what was measured before a failure is in the report.
pub(crate) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    let measure =
        async |case: &Case, stage: &Stage, report: &mut Report| measure(*case, stage, options, report).await;
    options.ground.measure(&FLAGS, &options.only, report, measure).await
}

/// Lists of meetings, of which there are so many, on SQLite.
pub(crate) async fn lists(binary: PathBuf, lasts: Duration, meetings: u64) -> Result<Vec<Row>> {
    map::run(&Stage::on_sqlite(binary, &FLAGS, lasts), meetings).await
}

/// Measures a case, one size after another.
async fn measure(case: Case, stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    match case {
        Case::Map => {
            for meetings in &options.meetings {
                report.add(case.title(), map::run(stage, *meetings).await?);
            }
        }
        Case::Chats => report.add(case.title(), chats::run(stage).await?),
    }
    Ok(())
}
