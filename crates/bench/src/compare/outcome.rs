//! What all runs gave: medians, and ratios of paired runs.

use std::rc::Rc;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use super::{
    cases::Case,
    contender::Contender,
    figures::{Better, Figure, Measured, median},
    targets,
};
use crate::{
    hearing::Order,
    report::{Report, Row},
};

/// One contender measured once.
pub(super) struct Run {
    pub(super) case: Case,
    pub(super) round: u32,
    /// Runs of a round with the same number were made one after the other.
    pub(super) pair: usize,
    pub(super) contender: Rc<dyn Contender>,
    /// What it gave, or why it gave nothing.
    pub(super) measured: Result<Vec<Measured>, String>,
}

impl Run {
    fn load(&self, load: &str) -> Option<&Measured> {
        self.measured.iter().flatten().find(|measured| measured.load == load && measured.failed.is_none())
    }

    fn figure(&self, load: &str, name: &str) -> Option<&Figure> {
        self.load(load)?.figure(name)
    }

    /// What failed, and why: all of it, or one load after others.
    fn failures(&self) -> Vec<(String, &str)> {
        match &self.measured {
            Err(fault) => vec![(String::new(), fault)],
            Ok(measured) => measured
                .iter()
                .filter_map(|one| Some((format!("{}: ", one.load), one.failed.as_deref()?)))
                .collect(),
        }
    }
}

/// How many times better one of ours is than a peer.
pub(super) struct Ratio {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Ratio {
    /// `5.20 (4.90 to 5.41)`; one pair alone has no range.
    fn shown(&self) -> String {
        let Self { median, least, most } = self;
        if least < most { format!("{median:.2} ({least:.2} to {most:.2})") } else { format!("{median:.2}") }
    }
}

/// All runs.
#[derive(Default)]
pub(super) struct Outcome {
    runs: Vec<Run>,
    /// How long the disk takes to sync a block, in milliseconds, in the median.
    pub(super) sync_ms: Option<f64>,
}

impl Outcome {
    /// Takes one in.
    pub(super) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Whether a contender has failed in a case.
    pub(super) fn failed(&self, case: Case, name: &str) -> bool {
        self.by(case, name).any(|run| run.measured.is_err())
    }

    fn of(&self, case: Case) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.case == case)
    }

    fn by(&self, case: Case, name: &str) -> impl Iterator<Item = &Run> {
        self.of(case).filter(move |run| run.contender.name() == name)
    }

    /// The cases of which there are runs.
    fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<Case> = self.runs.iter().map(|run| run.case).collect();
        cases.dedup();
        cases
    }

    /// Those who took part in a case, ours first.
    fn contenders(&self, case: Case) -> Vec<Rc<dyn Contender>> {
        let mut found: Vec<Rc<dyn Contender>> = Vec::new();
        for run in self.of(case) {
            if !found.iter().any(|one| one.name() == run.contender.name()) {
                found.push(Rc::clone(&run.contender));
            }
        }
        found.sort_by_key(|one| !one.ours());
        found
    }

    /// The loads of a case, in their order.
    pub(super) fn loads(&self, case: Case) -> Vec<&str> {
        let mut loads = Vec::new();
        for measured in self.of(case).flat_map(|run| run.measured.iter().flatten()) {
            if !loads.contains(&measured.load.as_str()) {
                loads.push(&measured.load);
            }
        }
        loads
    }

    /// The first load that a contender was measured by.
    pub(super) fn load_of(&self, case: Case, name: &str) -> Option<&str> {
        let mut measured = self.by(case, name).flat_map(|run| run.measured.iter().flatten());
        measured.next().map(|measured| measured.load.as_str())
    }

    /// The median of a figure over all rounds.
    pub(super) fn median(&self, case: Case, load: &str, contender: &str, figure: &str) -> Option<f64> {
        let values = self.by(case, contender).filter_map(|run| Some(run.figure(load, figure)?.value));
        median(&values.collect::<Vec<_>>())
    }

    /// The ratio of a figure, from the runs of one of ours and of a peer that were made one after the other.
    pub(super) fn ratio(&self, case: Case, load: &str, names: (&str, &str), figure: &str) -> Option<Ratio> {
        let (ours, peer) = names;
        let paired = self.by(case, peer).filter_map(|run| {
            let beside = |other: &&Run| (other.round, other.pair) == (run.round, run.pair);
            let mine = self.by(case, ours).find(beside)?.figure(load, figure)?;
            times_better(mine, run.figure(load, figure)?)
        });
        let mut ratios: Vec<f64> = paired.collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (*ratios.first()?, *ratios.last()?);
        Some(Ratio { median: median(&ratios)?, least, most })
    }

    /// The ratio to the best of the peers that sync what they acknowledge: the least of all.
    pub(super) fn least_ratio_to_synced(
        &self,
        case: Case,
        load: &str,
        ours: &str,
        figure: &str,
    ) -> Option<(&str, Ratio)> {
        let peers = self.of(case).map(|run| &run.contender).filter(|one| !one.ours() && one.synced(case));
        let peers = peers.map(|one| one.name());
        let ratios = peers.filter_map(|peer| Some((peer, self.ratio(case, load, (ours, peer), figure)?)));
        ratios.min_by(|one, other| one.1.median.total_cmp(&other.1.median))
    }

    /// Writes everything into the report.
    pub(super) fn tell(&self, report: &mut Report) {
        report.add("Targets", targets::rows(self));
        let ratios = self.cases().into_iter().flat_map(|case| self.ratios(case)).collect();
        report.add("Ratios: how many times better", ratios);
        for case in self.cases() {
            report.add(case.title(), self.rows(case));
        }
        report.detail("rounds", self.runs.iter().map(raw).collect());
    }

    /// A row for each figure of ours, with a column for each peer.
    fn ratios(&self, case: Case) -> Vec<Row> {
        let (ours, peers): (Vec<_>, Vec<_>) = self.contenders(case).into_iter().partition(|one| one.ours());
        let mut rows = Vec::new();
        for (load, one) in
            self.loads(case).into_iter().flat_map(|load| ours.iter().map(move |one| (load, one)))
        {
            let Some(first) = self.by(case, one.name()).find_map(|run| run.load(load)) else { continue };
            for figure in first.figures.iter().filter(|figure| figure.better != Better::Neither) {
                let mut row = Row::default()
                    .with("case", case.title())
                    .with("load", load)
                    .with("figure", figure.name)
                    .with("of", one.name())
                    .with("is", self.median(case, load, one.name(), figure.name));
                for peer in peers.iter().map(|peer| peer.name()) {
                    if let Some(ratio) = self.ratio(case, load, (one.name(), peer), figure.name) {
                        row = row.with(&format!("× {peer}"), ratio.shown());
                    }
                }
                rows.push(row);
            }
        }
        rows
    }

    /// Medians of everyone in a case.
    fn rows(&self, case: Case) -> Vec<Row> {
        let mut rows = Vec::new();
        let about = |one: &dyn Contender| {
            let row = Row::default().with("contender", one.name()).with("protocol", one.protocol());
            match case {
                Case::Logins | Case::Mixed => row.with("passwords", one.passwords()),
                _ => row,
            }
            .with("durability", one.durability(case))
        };
        for load in self.loads(case) {
            for one in self.contenders(case) {
                let Some(first) = self.by(case, one.name()).find_map(|run| run.load(load)) else { continue };
                let mut row = about(&*one).with("load", load);
                if first.order.is_some() {
                    let orders = self.by(case, one.name()).filter_map(|run| run.load(load)?.order);
                    row = row.with("order", orders.fold(Order::default(), Order::and).shown());
                }
                for figure in &first.figures {
                    row = row.with(figure.name, self.median(case, load, one.name(), figure.name));
                }
                rows.push(row);
            }
        }
        for run in self.of(case) {
            for (load, fault) in run.failures() {
                let why = fault.lines().next().unwrap_or_default();
                let told = format!("{load}failed in round {}: {why}", run.round);
                rows.push(about(&*run.contender).with("load", told));
            }
        }
        rows
    }

    /// An error when one of ours has failed: then nothing was shown.
    pub(super) fn verdict(&self) -> Result<()> {
        let failed = |run: &&Run| run.contender.ours() && run.measured.is_err();
        let failures = self.runs.iter().filter(failed).count();
        ensure!(failures == 0, "{failures} measurements of Tertulia failed");
        Ok(())
    }
}

/// How many times better ours is than theirs, if one can say so.
fn times_better(ours: &Figure, theirs: &Figure) -> Option<f64> {
    if ours.value <= 0.0 || theirs.value <= 0.0 {
        return None;
    }
    let ratio = match ours.better {
        Better::More => ours.value / theirs.value,
        Better::Less => theirs.value / ours.value,
        Better::Neither => return None,
    };
    Some(ratio)
}

fn raw(run: &Run) -> Value {
    let about = json!({
        "case": run.case.title(), "round": run.round, "pair": run.pair, "contender": run.contender.name(),
        "durability": run.contender.durability(run.case)
    });
    let figures = |measured: &Measured| {
        let named = measured.figures.iter().map(|figure| (figure.name.to_owned(), json!(figure.value)));
        let figures: Map<String, Value> = named.collect();
        let mut about = json!({ "load": measured.load, "figures": figures });
        if let Some(fault) = &measured.failed {
            about["failed"] = json!(fault);
        }
        if let Some(Order { deliveries, late }) = measured.order {
            about["deliveries"] = json!(deliveries);
            about["out of order"] = json!(late);
        }
        about
    };
    let mut about = about;
    match &run.measured {
        Ok(measured) => about["loads"] = measured.iter().map(figures).collect(),
        Err(fault) => about["failed"] = json!(fault),
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_tells_how_many_times_better_ours_is() {
        let two = |better| {
            let figure = |value| Figure { name: "x", value, better };
            times_better(&figure(10.0), &figure(2.0))
        };
        assert_eq!(two(Better::More), Some(5.0));
        assert_eq!(two(Better::Less), Some(0.2));
        assert_eq!(two(Better::Neither), None);
        let figure = |value| Figure { name: "x", value, better: Better::Less };
        assert_eq!(times_better(&figure(0.0), &figure(1.0)), None);
        assert_eq!(times_better(&figure(1.0), &figure(0.0)), None);
    }
}
