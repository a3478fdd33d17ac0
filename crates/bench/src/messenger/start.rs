//! How soon a server is ready, and how much it takes to be there.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::Stage;
use crate::{number::real, procfs, report::Row, server::Data};

/// Starts on new data, and as many again on the same.
const STARTS: usize = 7;

/// After so long nothing of the start goes on.
const REST: Duration = Duration::from_secs(2);

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let (mut first, mut again, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = Data::new(&stage.binary, &stage.database).await?.serve(&[]).await?;
        first.push(server.ready_in);
        let server = server.stop().await?.serve(&[]).await?;
        again.push(server.ready_in);
        if idle.len() < 3 {
            sleep(REST).await;
            idle.push(procfs::resident(server.pid())?);
        }
        server.stop().await?.remove().await?;
    }
    let size = stage.binary.metadata()?.len();
    Ok(vec![
        stage
            .row()
            .with("first start to ready, ms", millis(median(first)?))
            .with("next starts to ready, ms", millis(median(again)?))
            .with("idle memory, MiB", real(median(idle)?) / real(1 << 20))
            .with("binary, MiB", real(size) / real(1 << 20)),
    ])
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> Result<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied().context("nothing was measured")
}
