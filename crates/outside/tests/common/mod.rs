//! What the mail tests share: a still clock, counted ids, and waiting.
#![allow(dead_code, reason = "not every test file uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::{
    Time,
    ports::{Clock, Ids, Mail},
};
use tertulia_outside::mail::Letterhead;

/// Always 2021-08-26T07:42:42.087078Z.
pub(crate) struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Time {
        Time(1_629_963_762_087_078)
    }
}

/// Never the same twice in 256 times, and in no order.
#[derive(Default)]
pub(crate) struct CountedIds(AtomicU8);

impl Ids for CountedIds {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(151));
    }
}

pub(crate) fn letterhead() -> Letterhead {
    Letterhead::new(Letterhead::DEFAULT_FROM, Arc::new(StillClock), Arc::new(CountedIds::default())).unwrap()
}

pub(crate) fn mail(to: &str, subject: &str, text: &str) -> Mail {
    Mail { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned() }
}

/// Waits until `condition` holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it did not come to be");
}
