//! `bench compare`: Tertulia and its peers, one after the other, with the same work.
//!
//! How it is built, and how a peer is added, is told in `README.md` beside this file.

mod cases;
mod client;
mod contender;
mod document_001;
mod door;
mod events;
mod figures;
mod outcome;
mod peers;
mod running;
mod targets;
mod tertulia;
pub(crate) mod workshop;

use std::{path::PathBuf, rc::Rc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

use self::{
    cases::{Case, Load},
    contender::{Contender, Installed},
    outcome::{Outcome, Run},
    running::Site,
    workshop::Workshop,
};
use crate::{
    machine, procfs, progress,
    report::{Report, Row},
};

/// Open files of one process that are no connections of a load.
const OTHER_FILES: u64 = 256;

/// From when to when the latencies of the tables are.
const LATENCIES: &str = "at a fixed pace from the moment when a message was due, sent in time or not (so corrected for \
                         coordinated omission); with so many in flight or connections from its sending";

/// What is compared with what, how often and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    only: Vec<Case>,
    /// Only these peers; `none` measures Tertulia alone
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    peers: Vec<String>,
    /// How often each pair is measured
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// How long each load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Idle connections, as far as the open-file limit allows
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    idle: u32,
    /// Rows of the tables whose growth is measured; ten million take 2 to 3 GB of disk for some minutes
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "1000,100000,10000000",
        value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    rows: Vec<u64>,
    /// Tertulia's binary; by default a release build is made
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Writes the figures there as JSON, those of every round too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Writes the tables there as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A contender that can be started.
struct Ready {
    contender: Rc<dyn Contender>,
    installed: Installed,
}

/// Compares; what was measured before a failure, or before somebody ended it, is in the report.
pub(crate) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    let mut outcome = Outcome::default();
    let tasks = LocalSet::new();
    // No server outlives this: those that run end when the comparison is dropped.
    let compared = tokio::select! {
        compared = tasks.run_until(compare(options, report, &mut outcome)) => compared,
        stopped = stopped() => stopped,
    };
    report.fact("load average after", procfs::load_average()?);
    outcome.tell(report);
    compared.and(outcome.verdict())
}

/// Waits until this program is asked to end.
async fn stopped() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

async fn compare(options: &Options, report: &mut Report, outcome: &mut Outcome) -> Result<()> {
    let [ours, peers] = chosen(options)?;
    let workshop = Workshop::open()?;
    let ours = installed(&workshop, ours, report).await;
    let peers = installed(&workshop, peers, report).await;
    machine::describe(report)?;
    report.fact("latencies", LATENCIES);
    report.fact("seconds a load", options.seconds);
    report.fact("rounds", format!("{}; growth and idle connections 1", options.rounds));
    let room = usize::try_from(procfs::open_files()?.saturating_sub(OTHER_FILES))?;
    let mut rows = options.rows.clone();
    rows.sort_unstable();
    rows.dedup();
    let load = Load {
        lasts: Duration::from_secs(options.seconds),
        idle: usize::try_from(options.idle)?.min(room),
        rows,
        tertulia: ours.first().context("Tertulia cannot be started")?.installed.program.clone(),
    };
    outcome.sync_ms = report.noted(machine::SYNC_P50).and_then(serde_json::Value::as_f64);
    for case in Case::value_variants().iter().filter(|case| case.chosen(&options.only)) {
        rounds(*case, &load, options.rounds, &ours, &peers, outcome).await;
    }
    Ok(())
}

/// Those of the options: ours, and the peers.
fn chosen(options: &Options) -> Result<[Vec<Rc<dyn Contender>>; 2]> {
    let mut peers = peers::all();
    for name in options.peers.iter().filter(|name| *name != "none") {
        let known: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
        ensure!(known.contains(&name.as_str()), "there is no peer {name}, only {}", known.join(", "));
    }
    peers.retain(|peer| options.peers.is_empty() || options.peers.iter().any(|name| name == peer.name()));
    Ok([tertulia::all(options.server.as_ref()), peers])
}

/// Those that can be installed. The others are named in the report, with the reason.
async fn installed(
    workshop: &Workshop,
    contenders: Vec<Rc<dyn Contender>>,
    report: &mut Report,
) -> Vec<Ready> {
    let mut ready = Vec::new();
    for contender in contenders {
        match contender.install(workshop).await {
            Ok(installed) => {
                report.add("Contenders", vec![about(&*contender, &installed.versions)]);
                ready.push(Ready { contender, installed });
            }
            Err(fault) => {
                progress(&format!("{} is skipped: {fault:#}", contender.name()));
                report.add("Contenders", vec![about(&*contender, &format!("skipped: {fault:#}"))]);
            }
        }
    }
    ready
}

/// What a contender is, and what it promises.
fn about(contender: &dyn Contender, versions: &str) -> Row {
    let only_in = |case, text| if contender.cases().contains(&case) { text } else { "" };
    let synced = if contender.synced(Case::Sends) { "yes" } else { "no" };
    Row::default()
        .with("contender", contender.name())
        .with("versions", versions)
        .with("protocol", contender.protocol())
        .with("durable sends", only_in(Case::Sends, contender.durability(Case::Sends)))
        .with("otherwise", only_in(Case::Room, contender.durability(Case::Room)))
        .with("sends synced before they are acknowledged", synced)
        .with("order of a speaker's messages", if contender.keeps_order() { "kept" } else { "not promised" })
        .with("passwords", only_in(Case::Logins, contender.passwords()))
}

/// Measures each peer that takes part in the case, and Tertulia right before it (or before all), round by round.
async fn rounds(
    case: Case,
    load: &Load,
    rounds: u32,
    ours: &[Ready],
    peers: &[Ready],
    outcome: &mut Outcome,
) {
    let takes_part = |ready: &&Ready| ready.contender.cases().contains(&case);
    let ours: Vec<&Ready> = ours.iter().filter(takes_part).collect();
    let peers: Vec<&Ready> = peers.iter().filter(takes_part).collect();
    for round in 1..=case.rounds(rounds) {
        if peers.is_empty() || !case.in_pairs() {
            for one in ours.iter().chain(&peers) {
                if !outcome.failed(case, one.contender.name()) {
                    outcome.add(measure(case, load, one, (round, 0)).await);
                }
            }
            continue;
        }
        for (pair, peer) in peers.iter().enumerate() {
            // What has failed once is not waited for again.
            if outcome.failed(case, peer.contender.name()) {
                continue;
            }
            let beside = ours.iter().filter(|one| one.contender.beside(&*peer.contender));
            for one in beside.chain([peer]) {
                outcome.add(measure(case, load, one, (round, pair)).await);
            }
        }
    }
}

async fn measure(case: Case, load: &Load, ready: &Ready, (round, pair): (u32, usize)) -> Run {
    let Ready { contender, installed } = ready;
    progress(&format!("{}, round {round}: {}", case.title(), contender.name()));
    let measured = match Site::new(Rc::clone(contender), installed.clone(), case).await {
        Ok(site) => case.measure(site, load).await,
        Err(fault) => Err(fault),
    };
    let measured = measured.map_err(|fault| {
        progress(&format!("{} failed: {fault:#}", contender.name()));
        format!("{fault:#}")
    });
    Run { case, round, pair, contender: Rc::clone(contender), measured }
}
