//! What one measurement gives.

use crate::hearing::Order;

/// Which way a figure is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Better {
    /// Such as a rate.
    More,
    /// Such as a cost or a latency.
    Less,
    /// It is not compared.
    Neither,
}

/// One number with its name, which holds the unit.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) better: Better,
}

/// The figures of one load on one contender.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Which load of the case: `1 in flight each`.
    pub(crate) load: String,
    pub(crate) figures: Vec<Figure>,
    /// What came of the messages, where there are any.
    pub(crate) order: Option<Order>,
    /// Why there are no figures, where a contender could not take this load after others.
    pub(crate) failed: Option<String>,
}

impl Measured {
    /// Without figures yet.
    pub(crate) fn of(load: impl Into<String>) -> Self {
        Self { load: load.into(), figures: Vec::new(), order: None, failed: None }
    }

    /// A figure that is compared; more of it is better.
    #[must_use]
    pub(crate) fn more(self, name: &'static str, value: f64) -> Self {
        self.with(Figure { name, value, better: Better::More })
    }

    /// A figure that is compared; less of it is better.
    #[must_use]
    pub(crate) fn less(self, name: &'static str, value: f64) -> Self {
        self.with(Figure { name, value, better: Better::Less })
    }

    /// A figure whose ratio is left to the reader.
    #[must_use]
    pub(crate) fn beside(self, name: &'static str, value: f64) -> Self {
        self.with(Figure { name, value, better: Better::Neither })
    }

    /// What came of the messages.
    #[must_use]
    pub(crate) fn heard(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// Without figures, for this reason.
    pub(crate) fn failed(load: impl Into<String>, fault: &anyhow::Error) -> Self {
        Self { failed: Some(format!("{fault:#}")), ..Self::of(load) }
    }

    fn with(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// A figure by its name.
    pub(crate) fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// The middle one; the mean of the two in the middle where their number is even.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len().is_multiple_of(2) { Some(f64::midpoint(values[middle - 1], upper)) } else { Some(upper) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
