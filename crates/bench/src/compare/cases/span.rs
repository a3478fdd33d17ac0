//! The figures of a span of load.

use anyhow::Result;

use crate::{
    compare::{figures::Measured, running::Running},
    number::real,
    procfs,
    tally::Span,
};

/// The names of figures, with what they count.
pub(super) struct Names {
    pub(super) rate: &'static str,
    pub(super) server: &'static str,
    pub(super) client: &'static str,
}

impl Names {
    /// The figures that every load has.
    pub(super) fn figures(&self, load: String, span: &Span, server: &Running) -> Result<Measured> {
        let measured = Measured::of(load)
            .more(self.rate, span.usage.rate(span.count))
            .beside("p50 ms", span.latency.millis_at(0.5))
            .less("p99 ms", span.latency.millis_at(0.99))
            .beside("p99.9 ms", span.latency.millis_at(0.999))
            .less(self.server, span.usage.server_each(span.count))
            .beside(self.client, span.usage.client_each(span.count))
            .beside("other cores busy", span.usage.other_cores());
        memory(measured, server)
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
