//! How someone talks who puts on a load.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How often one that only listens looks whether all is over.
const LOOKS: Duration = Duration::from_millis(50);

/// How someone talks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// So many messages are under way; the next one goes when one is acknowledged.
    Window(usize),
    /// One message at each of these intervals, whether the last one was acknowledged or not. Latencies are from the
    /// moment when it was due.
    Every(Duration),
}

impl Pace {
    /// The moments when something is due; for whoever waits for acknowledgements, those to look up.
    pub(crate) fn ticks(self, after: Duration) -> Interval {
        let every = match self {
            Self::Every(interval) => interval,
            Self::Window(_) => LOOKS,
        };
        let mut ticks = interval_at(Instant::now() + after, every);
        // A late one is not left out: that would hide the very latencies that made it late.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        ticks
    }

    /// What tables call it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Every(interval) => format!("{:.0} messages/s", 1.0 / interval.as_secs_f64()),
            Self::Window(messages) => format!("{messages} in flight"),
        }
    }
}
