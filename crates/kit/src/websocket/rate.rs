//! How many messages one socket may send: a bucket that is refilled at a steady rate.

use std::time::{Duration, Instant};

/// A bucket's size and refill.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MessageRate {
    /// Messages a second, in the long run.
    pub a_second: u32,
    /// Messages at once, after a pause.
    pub burst: u32,
}

/// One socket's bucket.
#[derive(Debug)]
pub struct Bucket {
    rate: Option<MessageRate>,
    /// Since when the bucket fills, had it been empty then: a full one, `burst / a_second` seconds ago.
    empty_at: Instant,
}

impl Bucket {
    /// A full bucket; without a rate, one without a bottom.
    pub fn new(rate: Option<MessageRate>, now: Instant) -> Self {
        let mut bucket = Self { rate, empty_at: now };
        if let Some(rate) = rate {
            bucket.empty_at = now.checked_sub(span(rate, rate.burst)).unwrap_or(now);
        }
        bucket
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let Some(rate) = self.rate else { return true };
        // Not older than full.
        if let Some(full) = now.checked_sub(span(rate, rate.burst)) {
            self.empty_at = self.empty_at.max(full);
        }
        let after = self.empty_at + span(rate, 1);
        let granted = after <= now;
        if granted {
            self.empty_at = after;
        }
        granted
    }
}

/// How long it takes to refill so many.
fn span(rate: MessageRate, messages: u32) -> Duration {
    Duration::from_secs(1) * messages / rate.a_second.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_steady_rate() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = Bucket::new(Some(MessageRate { a_second: 10, burst: 5 }), start);
        let granted = |bucket: &mut Bucket, at| (0..20).filter(|_| bucket.take(at)).count();
        assert_eq!(granted(&mut bucket, start), 5);
        assert_eq!(granted(&mut bucket, start + Duration::from_millis(250)), 2);
        assert_eq!(granted(&mut bucket, start + Duration::from_mins(1)), 5);
    }

    #[test]
    fn without_a_rate_all_is_granted() {
        let now = Instant::now();
        let mut bucket = Bucket::new(None, now);
        assert!((0..10_000).all(|_| bucket.take(now)));
    }
}
