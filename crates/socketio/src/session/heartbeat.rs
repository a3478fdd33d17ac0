//! Whether the client is still there.

use std::time::Duration;

use tokio::time::Instant;

use crate::Protocol;

/// From one ping to the next.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(25);

/// How long the other end may take to answer a ping.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// In revision 4 the server pings, in revision 3 the client does. Whatever a client sends is a sign of life.
#[derive(Debug)]
pub(super) struct Heartbeat {
    protocol: Protocol,
    heard_at: Instant,
    pinged_at: Instant,
    awaits_answer: bool,
}

/// What is to be done at the time of [`Heartbeat::alarm_at`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beat {
    Nothing,
    Ping,
    Gone,
}

impl Heartbeat {
    pub(super) fn new(protocol: Protocol, now: Instant) -> Self {
        Self { protocol, heard_at: now, pinged_at: now, awaits_answer: false }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.awaits_answer = false;
    }

    pub(super) fn alarm_at(&self) -> Instant {
        match self.protocol {
            Protocol::V3 => self.heard_at + PING_INTERVAL + PING_TIMEOUT,
            Protocol::V4 if self.awaits_answer => self.pinged_at + PING_TIMEOUT,
            Protocol::V4 => self.pinged_at + PING_INTERVAL,
        }
    }

    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if now < self.alarm_at() {
            return Beat::Nothing;
        }
        if self.protocol == Protocol::V3 || self.awaits_answer {
            return Beat::Gone;
        }
        self.pinged_at = now;
        self.awaits_answer = true;
        Beat::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn the_server_pings_at_its_interval_whatever_it_hears() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Protocol::V4, start);
        heartbeat.heard(after(start, 24));
        assert_eq!(heartbeat.beat(after(start, 24)), Beat::Nothing);
        assert_eq!(heartbeat.beat(after(start, 25)), Beat::Ping);
        heartbeat.heard(after(start, 26));
        assert_eq!(heartbeat.alarm_at(), after(start, 50));
        assert_eq!(heartbeat.beat(after(start, 50)), Beat::Ping);
        assert_eq!(heartbeat.beat(after(start, 69)), Beat::Nothing);
        assert_eq!(heartbeat.beat(after(start, 70)), Beat::Gone);
    }

    #[test]
    fn old_clients_have_to_ping() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Protocol::V3, start);
        heartbeat.heard(after(start, 25));
        assert_eq!(heartbeat.beat(after(start, 69)), Beat::Nothing);
        assert_eq!(heartbeat.beat(after(start, 70)), Beat::Gone);
    }
}
