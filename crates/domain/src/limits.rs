//! Counting what may not happen too often: failed sign-ins, codes sent.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Error, Rate, Result, Time};

/// Keys kept before those that no longer count are dropped.
const SWEEP_AT: usize = 10_000;

/// Counts happenings a key in a sliding window. In memory, a node.
#[derive(Debug)]
pub struct Window<K> {
    rate: Rate,
    seen: Mutex<HashMap<K, VecDeque<Time>>>,
}

impl<K: Hash + Eq> Window<K> {
    /// A counter that holds `rate`.
    pub fn new(rate: Rate) -> Self {
        Self { rate, seen: Mutex::new(HashMap::new()) }
    }

    /// Says whether one more would still be within the rate, and counts nothing.
    ///
    /// `Throttled` tells after what time the oldest that counts is forgotten.
    pub fn check(&self, key: &K, now: Time) -> Result<()> {
        if self.rate.most == 0 {
            return Ok(());
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = seen.get_mut(key) else { return Ok(()) };
        forget(times, now.before(self.rate.within));
        if times.len() < self.rate.most {
            return Ok(());
        }
        Err(Error::Throttled(self.wait(times, now)))
    }

    /// Counts one.
    pub fn count(&self, key: K, now: Time) {
        if self.rate.most == 0 {
            return;
        }
        let horizon = now.before(self.rate.within);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SWEEP_AT {
            seen.retain(|_, times| {
                forget(times, horizon);
                !times.is_empty()
            });
        }
        let times = seen.entry(key).or_default();
        forget(times, horizon);
        // What lies beyond the rate is already refused: it need not be kept.
        if times.len() < self.rate.most {
            times.push_back(now);
        }
    }

    /// Counts one, if it is still within the rate.
    pub fn take(&self, key: K, now: Time) -> Result<()> {
        self.check(&key, now)?;
        self.count(key, now);
        Ok(())
    }

    fn wait(&self, times: &VecDeque<Time>, now: Time) -> Duration {
        let oldest = times.front().copied().unwrap_or(now);
        let free_at = oldest.after(self.rate.within);
        Duration::from_micros(u64::try_from(free_at.0 - now.0).unwrap_or(0))
    }
}

fn forget(times: &mut VecDeque<Time>, horizon: Time) {
    while times.front().is_some_and(|time| *time <= horizon) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { most: 3, within: Duration::from_secs(10) };

    fn at(seconds: i64) -> Time {
        Time(seconds * 1_000_000)
    }

    #[test]
    fn the_fourth_within_the_span_waits_until_the_first_is_forgotten() {
        let window = Window::new(RATE);
        for second in [0, 1, 2] {
            window.take("ana", at(second)).unwrap();
        }
        let Err(Error::Throttled(wait)) = window.take("ana", at(4)) else { panic!("let in") };
        assert_eq!(wait, Duration::from_secs(6));
        window.take("ben", at(4)).unwrap();
        window.take("ana", at(10)).unwrap();
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let window = Window::new(Rate { most: 0, within: Duration::from_secs(10) });
        for _ in 0..100 {
            window.take("ana", at(0)).unwrap();
        }
    }

    proptest! {
        #[test]
        fn no_span_holds_more_than_the_rate(gaps in proptest::collection::vec(0i64..8, 1..200)) {
            let window = Window::new(RATE);
            let (mut now, mut let_in) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if window.take((), at(now)).is_ok() {
                    let_in.push(now);
                }
            }
            for (i, first) in let_in.iter().enumerate() {
                let within = let_in[i..].iter().filter(|t| **t - first < 10).count();
                prop_assert!(within <= RATE.most);
            }
        }
    }
}
