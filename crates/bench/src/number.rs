//! Conversions between numbers, where what is lost does not matter.

use std::time::Duration;

/// A count as a real number: exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A length or number of things.
pub(crate) fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds of `total` for each of `things`; 0 when there are none.
pub(crate) fn micros_each(total: Duration, things: u64) -> f64 {
    if things == 0 { 0.0 } else { total.as_secs_f64() * 1e6 / real(things) }
}
