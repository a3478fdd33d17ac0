//! One client that asks the same thing again and again: what an answer costs.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    http::{Connection, get},
    latency::Latency,
    meter::Meter,
    number::{count, real},
    report::Row,
    server::Server,
    stage::{Stage, WARM_UP},
};

/// Asks for `path` for as long as a load lasts, by one connection, and waits for each answer. The first answer is given
/// to `check`; the others must be the same, byte by byte.
pub(crate) async fn again_and_again(
    stage: &Stage,
    server: &Server,
    row: Row,
    (path, token): (&str, &str),
    check: impl FnOnce(&Value) -> Result<()>,
) -> Result<Row> {
    let request = get(path, token);
    let mut connection = Connection::open(server.address).await?;
    // What a first answer changes (receipts, say) is changed then.
    connection.json(200, &request).await.with_context(|| path.to_owned())?;
    let (_, first) = connection.ask(&request).await?;
    let first = first.to_vec();
    check(&serde_json::from_slice(&first)?).with_context(|| format!("a wrong answer to {path}"))?;
    let began = Instant::now();
    while began.elapsed() < WARM_UP {
        connection.ask(&request).await?;
    }
    let meter = Meter::start(server.pid())?;
    let (mut latency, mut answers) = (Latency::new()?, 0_u64);
    let began = Instant::now();
    while began.elapsed() < stage.lasts {
        let asked = Instant::now();
        let (status, body) = connection.ask(&request).await?;
        latency.record(asked.elapsed());
        ensure!(status == 200 && body == first, "{path} was answered in another way ({status})");
        answers += 1;
    }
    let usage = meter.stop()?;
    Ok(row
        .with("answer, KiB", real(count(first.len())) / 1024.0)
        .with("answers", answers)
        .with("p50 ms", latency.millis_at(0.5))
        .with("p99 ms", latency.millis_at(0.99))
        .with("server CPU µs/request", usage.server_each(answers))
        .with("client CPU µs/request", usage.client_each(answers))
        .with("other cores busy", usage.other_cores()))
}
