//! The machine's clock and randomness.

use std::time::SystemTime;

use domain::{
    Time,
    ports::{Clock, Ids},
};
use rand::{TryRng, rngs::SysRng};

/// [`Clock`] of the operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the port's implementation")]
    fn now(&self) -> Time {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// [`Ids`] from the operating system's secure source of randomness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemIds;

impl Ids for SystemIds {
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(fault) = SysRng.try_fill_bytes(buffer) {
            // Keys and codes must not be made of anything else.
            panic!("the operating system gives no random numbers: {fault}");
        }
    }
}
