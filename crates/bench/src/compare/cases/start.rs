//! How soon a server answers, and how much it takes to be there.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    compare::{
        figures::{Measured, median},
        running::Site,
    },
    number::real,
};

/// Starts on data that is there already.
const STARTS: usize = 5;

/// After so long nothing of the start goes on.
const REST: Duration = Duration::from_secs(2);

pub(super) async fn measure(site: Site) -> Result<Vec<Measured>> {
    let size = site.installed.bytes;
    let server = site.serve().await?;
    let first = millis(server.ready_in);
    let mut site = server.stop().await?;
    let (mut again, mut idle) = (Vec::new(), 0);
    for start in 0..STARTS {
        let server = site.serve().await?;
        again.push(millis(server.ready_in));
        if start == 0 {
            sleep(REST).await;
            idle = server.memory()?.server;
        }
        site = server.stop().await?;
    }
    Ok(vec![
        Measured::of("alone")
            .beside("first start to answer, ms", first)
            .less("start to answer, ms", median(&again).unwrap_or_default())
            .less("idle memory, MiB", real(idle) / real(1 << 20))
            .less("size on disk, MiB", real(size) / real(1 << 20)),
    ])
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
