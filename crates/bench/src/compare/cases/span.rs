//! What was counted while a load was measured.

use std::cell::{Cell, RefCell};

use anyhow::Result;

use crate::{
    compare::{figures::Measured, running::Running},
    latency::Latency,
    meter::Usage,
    number::real,
};

/// Counts while it is switched on.
pub(super) struct Tally {
    on: Cell<bool>,
    count: Cell<u64>,
    latency: RefCell<Latency>,
}

/// One span of a load.
pub(super) struct Span {
    pub(super) usage: Usage,
    pub(super) count: u64,
    pub(super) latency: Latency,
}

impl Tally {
    /// Switched off.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { on: Cell::new(false), count: Cell::new(0), latency: RefCell::new(Latency::new()?) })
    }

    /// Begins to count.
    pub(super) fn begin(&self) {
        self.on.set(true);
    }

    /// Counts one, if it is switched on.
    pub(super) fn add(&self, took: std::time::Duration) {
        if self.on.get() {
            self.count.set(self.count.get() + 1);
            self.latency.borrow_mut().record(took);
        }
    }

    /// What was counted; from now on nothing is.
    pub(super) fn end(&self, usage: Usage) -> Result<Span> {
        self.on.set(false);
        let latency = self.latency.replace(Latency::new()?);
        Ok(Span { usage, count: self.count.replace(0), latency })
    }
}

/// The names of figures, with what they count.
pub(super) struct Names {
    pub(super) rate: &'static str,
    pub(super) server: &'static str,
    pub(super) client: &'static str,
}

impl Span {
    /// The figures that every load has.
    pub(super) fn figures(&self, load: String, names: &Names, server: &Running) -> Result<Measured> {
        Ok(Measured::of(load)
            .more(names.rate, self.usage.rate(self.count))
            .beside("p50 ms", self.latency.millis_at(0.5))
            .less("p99 ms", self.latency.millis_at(0.99))
            .beside("p99.9 ms", self.latency.millis_at(0.999))
            .less(names.server, self.usage.server_each(self.count))
            .beside(names.client, self.usage.client_each(self.count))
            .beside("other cores busy", self.usage.other_cores())
            .beside("peak memory, MiB", real(server.peak()?) / real(1 << 20)))
    }
}
