//! What a span of load cost, by whom.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{number::micros_each, procfs};

/// Runs while something is measured.
pub(crate) struct Meter {
    server: Vec<u32>,
    began: Instant,
    before: Clocks,
}

/// CPU times so far.
struct Clocks {
    server: Duration,
    client: Duration,
    machine: Duration,
}

impl Clocks {
    fn read(server: &[u32]) -> Result<Self> {
        Ok(Self {
            server: server.iter().map(|pid| procfs::cpu(*pid)).sum::<Result<_>>()?,
            client: procfs::cpu(std::process::id())?,
            machine: procfs::busy()?,
        })
    }
}

/// What was used in a span.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Its length.
    pub(crate) elapsed: Duration,
    /// CPU time of the server.
    pub(crate) server: Duration,
    /// CPU time of this program.
    pub(crate) client: Duration,
    /// CPU time of everything else on the machine: PostgreSQL, the kernel's own threads, other people's work.
    pub(crate) others: Duration,
}

impl Meter {
    /// Starts to measure a server of one process.
    pub(crate) fn start(server: u32) -> Result<Self> {
        Self::of(vec![server])
    }

    /// Starts to measure a server of these processes.
    pub(crate) fn of(server: Vec<u32>) -> Result<Self> {
        let before = Clocks::read(&server)?;
        Ok(Self { server, began: Instant::now(), before })
    }

    /// What was used since the start.
    pub(crate) fn stop(self) -> Result<Usage> {
        let elapsed = self.began.elapsed();
        let after = Clocks::read(&self.server)?;
        let server = after.server.saturating_sub(self.before.server);
        let client = after.client.saturating_sub(self.before.client);
        let machine = after.machine.saturating_sub(self.before.machine);
        Ok(Usage { elapsed, server, client, others: machine.saturating_sub(server + client) })
    }
}

impl Usage {
    /// Things a second.
    pub(crate) fn rate(&self, things: u64) -> f64 {
        crate::number::real(things) / self.elapsed.as_secs_f64()
    }

    /// CPU µs of the server for each thing.
    pub(crate) fn server_each(&self, things: u64) -> f64 {
        micros_each(self.server, things)
    }

    /// CPU µs of this program for each thing.
    pub(crate) fn client_each(&self, things: u64) -> f64 {
        micros_each(self.client, things)
    }

    /// Cores that the server kept busy.
    pub(crate) fn server_cores(&self) -> f64 {
        self.server.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// Cores that this program kept busy.
    pub(crate) fn client_cores(&self) -> f64 {
        self.client.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// Cores that everything else kept busy.
    pub(crate) fn other_cores(&self) -> f64 {
        self.others.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// This span and another one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            elapsed: self.elapsed + other.elapsed,
            server: self.server + other.server,
            client: self.client + other.client,
            others: self.others + other.others,
        }
    }
}
