//! What one client has heard of one speaker: each message once, and whether in the order in which they were said.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

/// The messages of one speaker, as one client hears them.
#[derive(Default)]
pub(crate) struct Hearing {
    /// All before this number were heard.
    next: u64,
    /// Those behind it that were heard as well.
    ahead: BTreeSet<u64>,
}

impl Hearing {
    /// Takes note of a message. False when a later one of this speaker came before it; an error when it came twice.
    pub(crate) fn note(&mut self, number: u64) -> Result<bool> {
        ensure!(number >= self.next && !self.ahead.contains(&number), "message {number} came twice");
        let in_order = self.ahead.last().is_none_or(|last| *last < number);
        if number > self.next {
            self.ahead.insert(number);
            return Ok(in_order);
        }
        self.next += 1;
        while self.ahead.remove(&self.next) {
            self.next += 1;
        }
        Ok(in_order)
    }

    /// The same of a speaker whose order is promised: an error when a message is not the next one.
    pub(crate) fn note_next(&mut self, number: u64) -> Result<()> {
        ensure!(number == self.next, "message {number} came where {} was due", self.next);
        self.next += 1;
        Ok(())
    }

    /// Whether the first `said` messages were heard, and no others.
    pub(crate) fn is_all_of(&self, said: u64) -> bool {
        self.next == said && self.ahead.is_empty()
    }
}

/// How many deliveries of messages there were. Each was due, and came once, or there would be no figures.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Order {
    /// One is one message that one client has heard.
    pub(crate) deliveries: u64,
    /// Of these, how many came after a later message of the same speaker.
    pub(crate) late: u64,
}

impl Order {
    /// In words.
    pub(crate) fn shown(self) -> String {
        match self {
            Self { late: 0, .. } => "kept".to_owned(),
            Self { late, deliveries } => format!("not kept: {late} of {deliveries} out of order"),
        }
    }

    /// These and others.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { deliveries: self.deliveries + other.deliveries, late: self.late + other.late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(numbers: &[u64]) -> (Hearing, Result<Vec<bool>>) {
        let mut hearing = Hearing::default();
        let in_order = numbers.iter().map(|number| hearing.note(*number)).collect();
        (hearing, in_order)
    }

    #[test]
    fn a_message_is_out_of_order_when_a_later_one_came_before_it() {
        let (hearing, in_order) = heard(&[0, 2, 1, 5, 4, 3, 6]);
        assert_eq!(in_order.unwrap(), [true, true, false, true, false, false, true]);
        assert!(hearing.is_all_of(7));
    }

    #[test]
    fn doubled_messages_are_errors_and_lost_ones_are_missed() {
        assert!(heard(&[0, 0]).1.is_err());
        assert!(heard(&[0, 2, 2]).1.is_err());
        assert!(heard(&[0, 2, 1, 2]).1.is_err());
        assert!(!heard(&[0, 2]).0.is_all_of(3));
        assert!(!heard(&[0, 1]).0.is_all_of(1));
    }

    #[test]
    fn where_order_is_promised_a_misplaced_message_is_an_error() {
        let mut hearing = Hearing::default();
        assert!(hearing.note_next(0).is_ok());
        assert!(hearing.note_next(2).is_err());
        assert!(hearing.note_next(1).is_ok());
        assert!(hearing.note_next(1).is_err());
    }

    #[test]
    fn order_is_told_in_words() {
        let kept = Order { deliveries: 7, late: 0 };
        assert_eq!(kept.shown(), "kept");
        assert_eq!(kept.and(Order { deliveries: 3, late: 2 }).shown(), "not kept: 2 of 10 out of order");
    }
}
