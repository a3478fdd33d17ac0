//! How long things took.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::number::{micros, real};

/// A minute: what takes longer counts as that.
const LONGEST_MICROS: u64 = 60_000_000;

/// Durations from 1 µs to a minute, with three digits.
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    /// Nothing was measured yet.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST_MICROS, 3)?))
    }

    /// Counts one.
    pub(crate) fn record(&mut self, took: Duration) {
        self.0.saturating_record(micros(took).max(1));
    }

    /// Counts all of another.
    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// Milliseconds that this part of all did not exceed, such as 0.99.
    pub(crate) fn millis_at(&self, part: f64) -> f64 {
        real(self.0.value_at_quantile(part)) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latency = Latency::new().unwrap();
        for millis in 1..=100 {
            latency.record(Duration::from_millis(millis));
        }
        assert!((latency.millis_at(0.5) - 50.0).abs() < 0.1, "{}", latency.millis_at(0.5));
        assert!((latency.millis_at(0.99) - 99.0).abs() < 0.1, "{}", latency.millis_at(0.99));
        let mut all = Latency::new().unwrap();
        all.record(Duration::from_hours(1));
        all.add(&latency).unwrap();
        assert!((all.millis_at(1.0) - 60_000.0).abs() < 60.0, "{}", all.millis_at(1.0));
    }
}
