//! What is measured: one file a case.

mod chat;
mod crowd;
mod idle;
mod logins;
mod mixed;
mod reads;
mod requests;
mod room;
mod sends;
mod span;
mod start;
pub(crate) mod tables;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::{
    figures::Measured,
    running::{Running, Site},
};

/// What is not counted at the beginning of a load.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long what is under way may take to arrive once a load has ended.
const DRAIN: Duration = Duration::from_secs(30);

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub(crate) enum Case {
    /// 64 people send; each message is acknowledged once it is on disk
    Sends,
    /// One room of 1,000 listeners
    Room,
    /// One room of 10 to 10,000 listeners; `tables` as well
    Growth,
    /// Tertulia's history pages and searches for meetings, by the length of their tables
    Tables,
    /// 10,000 connections on which nothing happens
    Idle,
    /// Sign-ins with passwords
    Logins,
    /// A list of 20 people
    List,
    /// The newest 50 of 10,000 messages
    History,
    /// Chat while people sign in
    Mixed,
    /// From start to first answer, idle memory, size
    Start,
}

/// How a load is put on.
pub(crate) struct Load {
    /// How long it is measured.
    pub(crate) lasts: Duration,
    /// Idle connections.
    pub(crate) idle: usize,
    /// Rows of the tables whose growth is measured, the fewest first.
    pub(crate) rows: Vec<u64>,
    /// The program that serves those tables.
    pub(crate) tertulia: PathBuf,
}

impl Case {
    /// The head of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sends => "Durable sends",
            Self::Room => "A room of 1,000",
            Self::Growth => "Fan-out, growth",
            Self::Tables => "History and meetings, growth",
            Self::Idle => "Idle connections",
            Self::Logins => "Sign-ins",
            Self::List => "List of 20",
            Self::History => "History page",
            Self::Mixed => "Chat during sign-ins",
            Self::Start => "Start, memory, size",
        }
    }

    /// Whether it is asked for by these names; all are where there is no name.
    pub(crate) fn chosen(self, names: &[Self]) -> bool {
        let with_growth = self == Self::Tables && names.contains(&Self::Growth);
        names.is_empty() || names.contains(&self) || with_growth
    }

    /// Whether each peer has a run of ours right before it. Where memory or growth is looked at, one run of ours a
    /// round is enough for all of them.
    pub(crate) fn in_pairs(self) -> bool {
        !matches!(self, Self::Growth | Self::Tables | Self::Idle | Self::Start)
    }

    /// How many rounds there are when so many are asked for: those that take minutes and vary little have one.
    pub(crate) fn rounds(self, asked: u32) -> u32 {
        if matches!(self, Self::Growth | Self::Tables | Self::Idle) { 1 } else { asked }
    }

    /// Measures a contender on new data.
    pub(crate) async fn measure(self, site: Site, load: &Load) -> Result<Vec<Measured>> {
        match self {
            Self::Start => start::measure(site).await,
            Self::Idle => idle::measure(site, load).await,
            Self::Tables => tables::measure(load).await,
            _ => Ok(served(site, async |server| self.put(server, load).await).await?.0),
        }
    }

    async fn put(self, server: &Running, load: &Load) -> Result<Vec<Measured>> {
        match self {
            Self::Sends => sends::measure(server, load).await,
            Self::Room => room::measure(server, load, &room::LISTENERS).await,
            Self::Growth => room::measure(server, load, &room::GROWTH).await,
            Self::Logins => logins::measure(server, load).await,
            Self::List => reads::list(server, load).await,
            Self::History => reads::history(server, load).await,
            Self::Mixed => mixed::measure(server, load).await,
            Self::Start | Self::Idle | Self::Tables => Ok(Vec::new()),
        }
    }
}

/// Serves the data while `work` lasts. An error comes with the end of the server's log.
async fn served<T>(site: Site, work: impl AsyncFnOnce(&Running) -> Result<T>) -> Result<(T, Site)> {
    let server = site.serve().await?;
    match work(&server).await {
        Ok(done) => Ok((done, server.stop().await?)),
        // The cause first: of the rest only whoever waits is told.
        Err(fault) => bail!("{fault:#}\nwhat the server wrote ends:\n{}", server.log()),
    }
}
