//! What was counted while a load was measured.

use std::cell::{Cell, RefCell};

use anyhow::{Result, ensure};

use crate::{
    compare::{figures::Measured, running::Running},
    latency::Latency,
    meter::Usage,
    number::real,
    procfs,
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
        ensure!(self.count.get() > 0, "nothing was done in {:.1} s", usage.elapsed.as_secs_f64());
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
        let measured = Measured::of(load)
            .more(names.rate, self.usage.rate(self.count))
            .beside("p50 ms", self.latency.millis_at(0.5))
            .less("p99 ms", self.latency.millis_at(0.99))
            .beside("p99.9 ms", self.latency.millis_at(0.999))
            .less(names.server, self.usage.server_each(self.count))
            .beside(names.client, self.usage.client_each(self.count))
            .beside("other cores busy", self.usage.other_cores());
        memory(measured, server)
    }

    /// Counts another span with this one.
    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        self.usage = self.usage.and(other.usage);
        self.count += other.count;
        self.latency.add(&other.latency)
    }
}

/// What a server has taken of memory so far, with that of the kernel.
pub(super) fn memory(measured: Measured, server: &Running) -> Result<Measured> {
    let mebibytes = |bytes: u64| real(bytes) / real(1 << 20);
    let (before, now) = (server.at_rest, procfs::kernel_memory()?);
    Ok(measured
        .beside("memory at rest, MiB", mebibytes(before.server))
        .beside("peak memory, MiB", mebibytes(server.peak()?))
        .beside("kernel memory grown, MiB", mebibytes(now.all().saturating_sub(before.kernel.all()))))
}
