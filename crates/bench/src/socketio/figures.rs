//! Figures of several rounds, and their medians.

use anyhow::{Context, Result, ensure};

use crate::report::Row;

/// What one measurement has found: figures by their names, with their units.
pub(super) type Figures = Vec<(&'static str, f64)>;

/// The measurements of one contender under one load, round by round.
pub(super) struct Rounds {
    /// The beginning of the row.
    head: Vec<(&'static str, String)>,
    found: Vec<Figures>,
}

impl Rounds {
    /// Nothing was measured yet.
    pub(super) fn new(head: Vec<(&'static str, String)>) -> Self {
        Self { head, found: Vec::new() }
    }

    /// Adds a round.
    pub(super) fn add(&mut self, figures: Figures) {
        self.found.push(figures);
    }

    /// The median of each figure.
    pub(super) fn row(self) -> Result<Row> {
        let mut row = Row::default();
        for (name, value) in self.head {
            row = row.with(name, value);
        }
        let first = self.found.first().context("nothing was measured")?;
        for (place, (name, _)) in first.iter().enumerate() {
            let mut values = Vec::new();
            for figures in &self.found {
                let (other, value) = figures.get(place).context("a round without all figures")?;
                ensure!(other == name, "{other} where {name} was due");
                values.push(*value);
            }
            row = row.with(name, median(values));
        }
        Ok(row.with("rounds", self.found.len()))
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Report;

    #[test]
    fn a_row_holds_the_median_of_each_figure() {
        let mut rounds = Rounds::new(vec![("server", "one".into())]);
        for (first, second) in [(1.0, 30.0), (9.0, 10.0), (2.0, 20.0)] {
            rounds.add(vec![("a", first), ("b", second)]);
        }
        let mut report = Report::new("x");
        report.add("t", vec![rounds.row().unwrap()]);
        let row = &report.json()["cases"]["t"][0];
        assert_eq!(row, &json!({ "server": "one", "a": 2.0, "b": 20.0, "rounds": 3 }));
        assert!((median(vec![4.0, 1.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn rounds_have_to_hold_the_same_figures() {
        let mut rounds = Rounds::new(Vec::new());
        rounds.add(vec![("a", 1.0)]);
        rounds.add(vec![("b", 1.0)]);
        assert!(rounds.row().is_err());
        assert!(Rounds::new(Vec::new()).row().is_err());
    }
}
