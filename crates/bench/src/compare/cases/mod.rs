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

use std::time::Duration;

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
    /// One room of 10 to 10,000 listeners
    Growth,
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
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// How long it is measured.
    pub(crate) lasts: Duration,
    /// Idle connections.
    pub(crate) idle: usize,
}

impl Case {
    /// The head of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sends => "Durable sends",
            Self::Room => "A room of 1,000",
            Self::Growth => "Fan-out, growth",
            Self::Idle => "Idle connections",
            Self::Logins => "Sign-ins",
            Self::List => "List of 20",
            Self::History => "History page",
            Self::Mixed => "Chat during sign-ins",
            Self::Start => "Start, memory, size",
        }
    }

    /// Measures a contender on new data.
    pub(crate) async fn measure(self, site: Site, load: Load) -> Result<Vec<Measured>> {
        match self {
            Self::Start => start::measure(site).await,
            Self::Idle => idle::measure(site, load).await,
            _ => Ok(served(site, async |server| self.put(server, load).await).await?.0),
        }
    }

    async fn put(self, server: &Running, load: Load) -> Result<Vec<Measured>> {
        match self {
            Self::Sends => sends::measure(server, load).await,
            Self::Room => room::measure(server, load, &room::LISTENERS).await,
            Self::Growth => room::measure(server, load, &room::GROWTH).await,
            Self::Logins => logins::measure(server, load).await,
            Self::List => reads::list(server, load).await,
            Self::History => reads::history(server, load).await,
            Self::Mixed => mixed::measure(server, load).await,
            Self::Start | Self::Idle => Ok(Vec::new()),
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
