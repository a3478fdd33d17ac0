//! What is aimed at, and whether it was seen.

use super::{
    cases::{
        Case,
        tables::{GROWTH, Kind},
    },
    outcome::Outcome,
};
use crate::report::Row;

const MESSENGER: &str = "tertulia";
const SOCKET_IO: &str = "tertulia-socketio";
const NODE_SOCKET_IO: &str = "socketio";
const POCKETBASE: &str = "pocketbase";

const ROOM: &str = "1000 listeners, 8 in flight";

/// A number that was seen, with what it is beside.
struct Seen {
    value: f64,
    note: String,
}

impl Seen {
    fn alone(value: Option<f64>) -> Option<Self> {
        Some(Self { value: value?, note: String::new() })
    }
}

/// A row for each target.
pub(super) fn rows(outcome: &Outcome) -> Vec<Row> {
    let mut rows = Vec::new();
    sends(outcome, &mut rows);
    rooms(outcome, &mut rows);
    let idle = |name| {
        let load = outcome.load_of(Case::Idle, name)?;
        Seen::alone(outcome.median(Case::Idle, load, name, "server bytes/connection"))
    };
    rows.push(at_most("Idle WebSocket, bytes of server memory", 8192.0, idle(MESSENGER)));
    rows.push(at_most("Idle Socket.IO, bytes of server memory", 12_288.0, idle(SOCKET_IO)));
    let list = outcome
        .ratio(Case::List, "64 connections", (MESSENGER, POCKETBASE), "requests/s")
        .map(|it| it.median);
    rows.push(at_least("List of 20, requests/s, × PocketBase", 5.0, Seen::alone(list)));
    for (kind, aim) in [(Kind::History, "History page"), (Kind::Meetings, "Meeting search")] {
        let aim = format!("{aim}, CPU in the largest table / in the smallest");
        rows.push(at_most(&aim, 2.0, steepest(outcome, kind)));
    }
    let mixed = "640 messages/s, 200 sign-ins/s arrive";
    let mixed = outcome.median(Case::Mixed, mixed, MESSENGER, "stormy p99 / quiet p99");
    rows.push(at_most("Chat p99 during sign-ins / quiet", 1.2, Seen::alone(mixed)));
    let start = |figure| Seen::alone(outcome.median(Case::Start, "alone", MESSENGER, figure));
    rows.push(at_most("Start to first answer, ms", 100.0, start("start to answer, ms")));
    rows.push(at_most("Idle memory, MiB", 30.0, start("idle memory, MiB")));
    rows
}

fn sends(outcome: &Outcome, rows: &mut Vec<Row>) {
    for load in ["1 in flight each", "16 in flight each"] {
        let rate = outcome.median(Case::Sends, load, MESSENGER, "messages/s");
        rows.push(at_least(&format!("Durable sends/s, {load}"), 15_000.0, Seen::alone(rate)));
        let best = outcome.least_ratio_to_synced(Case::Sends, load, MESSENGER, "messages/s");
        let best = best.map(|(peer, ratio)| Seen { value: ratio.median, note: format!(" (beside {peer})") });
        rows.push(at_least(&format!("Durable sends/s, {load}, × the best durable peer"), 5.0, best));
    }
    let p99 = outcome.median(Case::Sends, "640/s", MESSENGER, "p99 ms");
    let syncs = outcome.sync_ms.and_then(|sync| Some(p99? / sync));
    rows.push(at_most("Durable sends at 640/s, p99 in times of one sync (p50)", 3.0, Seen::alone(syncs)));
}

/// The page whose cost grows most with its table.
fn steepest(outcome: &Outcome, kind: Kind) -> Option<Seen> {
    let loads = outcome.loads(Case::Tables).into_iter().filter(|load| load.starts_with(kind.name()));
    let growth = |load| Some((load, outcome.median(Case::Tables, load, MESSENGER, GROWTH)?));
    let (load, value) = loads.filter_map(growth).max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(Seen { value, note: format!(" (the steepest: {load})") })
}

fn rooms(outcome: &Outcome, rows: &mut Vec<Row>) {
    let figure = "server CPU µs/delivery";
    let cost = outcome.median(Case::Room, ROOM, MESSENGER, figure);
    rows.push(at_most("Room of 1,000, WebSocket, CPU µs/delivery", 1.5, Seen::alone(cost)));
    for (ours, what, least) in [(MESSENGER, "WebSocket", 5.0), (SOCKET_IO, "Socket.IO", 3.0)] {
        let ratio = outcome.ratio(Case::Room, ROOM, (ours, NODE_SOCKET_IO), figure).map(|it| it.median);
        let aim = format!("Room of 1,000, {what}, CPU a delivery, × Node socket.io");
        rows.push(at_least(&aim, least, Seen::alone(ratio)));
    }
}

fn at_most(aim: &str, most: f64, seen: Option<Seen>) -> Row {
    row(aim, &format!("≤ {most}"), seen, |value| value <= most)
}

fn at_least(aim: &str, least: f64, seen: Option<Seen>) -> Row {
    row(aim, &format!("≥ {least}"), seen, |value| value >= least)
}

fn row(aim: &str, target: &str, seen: Option<Seen>, met: impl Fn(f64) -> bool) -> Row {
    let row = Row::default().with("aim", aim).with("target", target);
    match seen {
        Some(Seen { value, note }) => row
            .with("seen", value)
            .with("verdict", format!("{}{note}", if met(value) { "met" } else { "not met" })),
        None => row.with("seen", "not measured").with("verdict", ""),
    }
}
