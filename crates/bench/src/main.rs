//! `bench`: what the server does in a second, and what that costs.
//!
//! `bench messenger` starts the server's release binary on data of its own and puts load on it through the first
//! dialect, over loopback; `bench friends` and `bench meetups` do so through theirs. `bench compare` gives Tertulia and
//! its peers the same work. The figures go to standard output as Markdown, and with `--json` to a file.

mod asking;
mod bulk;
mod compare;
mod counts;
mod fanout;
mod friends;
mod hearing;
mod http;
mod latency;
mod machine;
mod meetups;
mod messenger;
mod meter;
mod number;
mod pace;
mod pairs;
mod parallel;
mod postgres;
mod procfs;
mod report;
mod server;
mod socketio;
mod stage;
mod tally;
mod websocket;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use report::Report;

#[derive(Parser)]
#[command(name = "bench", about = "Measures the server over loopback.", max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The dialect of document 001: e-mailed codes, conversations over WebSocket
    Messenger(Options),
    /// The dialect of document 002: one socket for all friendships, histories by pages, the search for users
    Friends(friends::Options),
    /// The dialect of document 004: meetings around a place, chats over WebSocket
    Meetups(meetups::Options),
    /// The Socket.IO server, beside npm's `socket.io` on Node
    Socketio(socketio::Options),
    /// Tertulia and its peers, one after the other, with the same work
    Compare(compare::Options),
}

/// What is measured, on what, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// A PostgreSQL where a database may be made: the cases run on it too
    #[arg(long, value_name = "URL", env = "TEST_POSTGRES_URL", hide_env_values = true)]
    postgres: Option<String>,
    /// Only on this database: `sqlite` or `postgres`
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    only: Vec<messenger::Case>,
    /// How long each load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Sockets of the fan-out
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    fanout_sockets: u32,
    /// Idle sockets, as far as the open-file limit allows
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    idle_sockets: u32,
    /// Writes the figures there as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // What was measured before a failure is shown all the same.
    match Cli::parse().what {
        What::Messenger(options) => {
            let mut report = Report::new("messenger");
            let outcome = messenger::run(&options, &mut report).await;
            tell(&report, options.json.as_deref(), None).and(outcome)
        }
        What::Friends(options) => {
            let mut report = Report::new("friends");
            let outcome = friends::run(&options, &mut report).await;
            tell(&report, options.ground.json.as_deref(), None).and(outcome)
        }
        What::Meetups(options) => {
            let mut report = Report::new("meetups");
            let outcome = meetups::run(&options, &mut report).await;
            tell(&report, options.ground.json.as_deref(), None).and(outcome)
        }
        What::Socketio(options) => {
            let mut report = Report::new("socketio");
            let outcome = socketio::run(&options, &mut report).await;
            tell(&report, options.json.as_deref(), None).and(outcome)
        }
        What::Compare(options) => {
            let mut report = Report::new("compare");
            let outcome = compare::run(&options, &mut report).await;
            tell(&report, options.json.as_deref(), options.out.as_deref()).and(outcome)
        }
    }
}

/// Prints the figures, and writes them where it was asked for.
fn tell(report: &Report, json: Option<&Path>, markdown: Option<&Path>) -> Result<()> {
    let text = report.markdown();
    say(&text);
    if let Some(path) = markdown {
        std::fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[allow(clippy::print_stdout)]
fn say(text: &str) {
    println!("{text}");
}

/// Tells whoever waits what is going on.
#[allow(clippy::print_stderr)]
pub(crate) fn progress(text: &str) {
    eprintln!("bench: {text}");
}
