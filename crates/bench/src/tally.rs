//! What was counted while a load was measured.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{latency::Latency, meter::Usage};

/// Counts while it is switched on.
pub(crate) struct Tally {
    on: Cell<bool>,
    count: Cell<u64>,
    latency: RefCell<Latency>,
}

/// One span of a load.
pub(crate) struct Span {
    pub(crate) usage: Usage,
    pub(crate) count: u64,
    pub(crate) latency: Latency,
}

impl Tally {
    /// Switched off.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { on: Cell::new(false), count: Cell::new(0), latency: RefCell::new(Latency::new()?) })
    }

    /// Begins to count.
    pub(crate) fn begin(&self) {
        self.on.set(true);
    }

    /// Counts one, if it is switched on.
    pub(crate) fn add(&self, took: Duration) {
        if self.on.get() {
            self.count.set(self.count.get() + 1);
            self.latency.borrow_mut().record(took);
        }
    }

    /// What was counted; from now on nothing is.
    pub(crate) fn end(&self, usage: Usage) -> Result<Span> {
        self.on.set(false);
        ensure!(self.count.get() > 0, "nothing was done in {:.1} s", usage.elapsed.as_secs_f64());
        let latency = self.latency.replace(Latency::new()?);
        Ok(Span { usage, count: self.count.replace(0), latency })
    }
}

impl Span {
    /// Counts another span with this one.
    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        self.usage = self.usage.and(other.usage);
        self.count += other.count;
        self.latency.add(&other.latency)
    }
}
