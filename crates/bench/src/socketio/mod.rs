//! The Socket.IO server, beside npm's `socket.io` on Node: the same events, the same payloads, in turns.

mod acks;
mod client;
mod connects;
mod contender;
mod fanout;
mod figures;
mod idle;
pub(crate) mod node;
mod packet;
mod polling;
mod tertulia;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tokio::task::LocalSet;

use crate::{
    compare::workshop::{Workshop, output},
    machine, procfs, progress,
    report::{Report, Row},
};
use contender::{Contender, Mode, Room, Running};
use figures::{Figures, Rounds};

/// What is measured, on what, and how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    only: Vec<Case>,
    /// Without the server on Node
    #[arg(long)]
    alone: bool,
    /// How often each load is put on each server, in turns; the figures are medians
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// How long each load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Sockets of the room
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    sockets: u32,
    /// Idle sockets, as far as the open-file limit allows
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    idle_sockets: u32,
    /// Writes the figures there as JSON too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Case {
    /// Many sockets on which nothing happens
    Idle,
    /// Sockets that come
    Connects,
    /// One room with many sockets: 50 messages a second
    RoomPaced,
    /// The same with one message in flight
    RoomOne,
    /// The same with eight
    RoomEight,
    /// Round trips by WebSocket, without any work
    Acks,
    /// Round trips of messages
    Messages,
    /// Round trips by long-polling, without any work
    Polling,
}

impl Case {
    fn title(self) -> &'static str {
        match self {
            Self::Idle => "Idle sockets",
            Self::Connects => "Connects",
            Self::RoomPaced | Self::RoomOne | Self::RoomEight => "Room",
            Self::Acks | Self::Messages | Self::Polling => "Round trips",
        }
    }

    /// Rooms, and whether each has a teacher beside its student.
    fn rooms(self) -> (usize, bool) {
        match self {
            Self::Idle | Self::Connects => (32, true),
            Self::RoomPaced | Self::RoomOne | Self::RoomEight => (1, true),
            Self::Acks | Self::Messages | Self::Polling => (64, false),
        }
    }

    /// Whether storing makes a difference: else the server on Node relays.
    fn stores(self) -> bool {
        matches!(self, Self::RoomPaced | Self::RoomOne | Self::RoomEight | Self::Messages)
    }
}

/// How much load is put on.
struct Stage {
    /// How long a load lasts.
    lasts: Duration,
    sockets: usize,
    idle_sockets: usize,
    rounds: u32,
}

/// What is not counted at the beginning of a load.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long what is under way may take to arrive once a load has ended.
const DRAIN: Duration = Duration::from_mins(1);

/// Between two measurements, so that the sockets of the first have gone.
const REST: Duration = Duration::from_secs(1);

/// Source addresses, so that there are ports for everyone.
const SOURCES: usize = 8;

/// Runs the cases; what was measured before a failure is in the report.
pub(crate) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    LocalSet::new().run_until(run_all(options, report)).await
}

async fn run_all(options: &Options, report: &mut Report) -> Result<()> {
    let binary = match &options.server {
        Some(path) => path.canonicalize().with_context(|| format!("there is no {}", path.display()))?,
        None => std::env::current_exe()?.with_file_name("tertulia"),
    };
    ensure!(binary.is_file(), "there is no {}: build it, or name it by --server", binary.display());
    machine::describe(report)?;
    let node = if options.alone { None } else { install(report).await };
    report.fact("server settings", tertulia::FLAGS.join(" "));
    report.fact("seconds a load", options.seconds);
    let stage = Stage {
        lasts: Duration::from_secs(options.seconds),
        sockets: usize::try_from(options.sockets)?,
        idle_sockets: usize::try_from(options.idle_sockets)?,
        rounds: options.rounds,
    };
    for case in Case::value_variants() {
        if !options.only.is_empty() && !options.only.contains(case) {
            continue;
        }
        let mut contenders = vec![Contender::Tertulia(binary.clone())];
        if let Some(folder) = &node {
            contenders.push(Contender::Node(folder.clone(), Mode::Relay));
            if case.stores() {
                contenders.push(Contender::Node(folder.clone(), Mode::Durable));
            }
        }
        progress(&format!("{case:?}"));
        let rows = stage.run(*case, &contenders).await.with_context(|| format!("{case:?}"))?;
        report.add(case.title(), rows);
    }
    report.fact("load average after", procfs::load_average()?);
    Ok(())
}

/// Installs the server on Node. Without it, Tertulia is measured alone, and the report says why.
async fn install(report: &mut Report) -> Option<PathBuf> {
    let installed = async {
        let folder = Workshop::open()?.npm("node").await?;
        let versions = versions(&folder).await?;
        anyhow::Ok((folder, versions))
    };
    match installed.await {
        Ok((folder, versions)) => {
            report.fact("the server on Node", versions);
            Some(folder)
        }
        Err(fault) => {
            report.fact("the server on Node", format!("left out: {fault:#}"));
            progress(&format!("without the server on Node: {fault:#}"));
            None
        }
    }
}

async fn versions(folder: &Path) -> Result<String> {
    let interpreter = node::interpreter(folder);
    let interpreter = interpreter.to_str().context("a folder whose name is no text")?;
    let script = "const v = (n) => `${n} ${JSON.parse(require('fs').readFileSync(`node_modules/${n}/package.json`)).version}`;\
                  console.log(['socket.io', 'engine.io', 'ws', 'bufferutil', 'better-sqlite3'].map(v).join(', '), \
                  'on Node', process.versions.node)";
    output(&[interpreter, "-e", script], folder).await
}

impl Stage {
    async fn run(&self, case: Case, contenders: &[Contender]) -> Result<Vec<Row>> {
        match case {
            Case::Idle => idle::run(self, contenders).await,
            _ => self.in_turns(case, contenders).await,
        }
    }

    /// Starts all, and measures one after the other, again and again.
    async fn in_turns(&self, case: Case, contenders: &[Contender]) -> Result<Vec<Row>> {
        let (rooms, with_teachers) = case.rooms();
        let mut servers = Vec::new();
        for contender in contenders {
            let (running, rooms) = contender.start(rooms, with_teachers).await?;
            servers.push((running, rooms, Rounds::new(self.head(case, contender))));
        }
        for round in 0..self.rounds {
            for at in 0..servers.len() {
                let name = contenders[at].name();
                progress(&format!("  round {} of {}, {name}", round + 1, self.rounds));
                let (running, rooms, rounds) = &mut servers[at];
                match self.measure(case, running, rooms).await {
                    Ok(figures) => rounds.add(figures),
                    Err(fault) => {
                        let log = servers.swap_remove(at).0.kill();
                        return Err(fault.context(format!("{name}, whose log ends:\n{log}")));
                    }
                }
                tokio::time::sleep(REST).await;
            }
        }
        let mut rows = Vec::new();
        for (running, _, rounds) in servers {
            running.stop().await?;
            rows.push(rounds.row()?);
        }
        Ok(rows)
    }

    /// The beginning of a row.
    fn head(&self, case: Case, contender: &Contender) -> Vec<(&'static str, String)> {
        let mut head = vec![("server", contender.name().to_owned())];
        if case.stores() {
            head.push(("stored first", contender.stores().into()));
        } else if case.title() == Case::Messages.title() {
            head.push(("stored first", "nothing to store".into()));
        }
        match case {
            Case::RoomPaced | Case::RoomOne | Case::RoomEight => {
                head.push(("sockets", self.sockets.to_string()));
                head.push(("load", fanout::pace(case).name()));
            }
            Case::Acks => head.push(("what", "ack, WebSocket".into())),
            Case::Messages => head.push(("what", "message and its ack, WebSocket".into())),
            Case::Polling => head.push(("what", "ack, long-polling".into())),
            Case::Idle | Case::Connects => {}
        }
        head
    }

    async fn measure(&self, case: Case, server: &Running, rooms: &[Room]) -> Result<Figures> {
        match case {
            Case::Connects => connects::measure(server, rooms).await,
            Case::RoomPaced | Case::RoomOne | Case::RoomEight => {
                fanout::measure(self, server, &rooms[0], fanout::pace(case)).await
            }
            Case::Acks => acks::nothing(self, server, rooms).await,
            Case::Messages => acks::messages(self, server, rooms).await,
            Case::Polling => acks::polling(self, server, rooms).await,
            Case::Idle => Ok(Figures::new()),
        }
    }
}

/// From where the client of this number comes.
fn source(number: usize) -> Result<IpAddr> {
    Ok(IpAddr::V4(Ipv4Addr::new(127, 0, 0, u8::try_from(2 + number % SOURCES)?)))
}
