//! On what was measured.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{latency::Latency, number::real, procfs, report::Report};

/// How long the disk is asked.
const DISK_FOR: Duration = Duration::from_secs(2);

/// Bytes of the file that is written round and round, as a write-ahead log is.
const LOG_BYTES: u64 = 4 << 20;

/// Bytes a sync: a page of SQLite's log.
const BLOCK: [u8; 4096] = [0xa5; 4096];

/// The fact that tells how long the disk takes to sync a block, in the median.
pub(crate) const SYNC_P50: &str = "disk, fdatasync p50 ms";

/// Notes the date, the machine, and how fast its disk syncs.
pub(crate) fn describe(report: &mut Report) -> Result<()> {
    #[allow(clippy::disallowed_methods)] // What is measured has a date, and no domain.
    let now = jiff::Timestamp::now();
    report.fact("date", now.strftime("%Y-%m-%d %H:%M UTC").to_string());
    report.fact("processor", procfs::processor()?);
    report.fact("cores", std::thread::available_parallelism()?.get());
    report.fact("memory, GiB", real(procfs::memory()?) / real(1 << 30));
    report.fact("kernel", procfs::kernel()?);
    report.fact("load average before", procfs::load_average()?);
    report.fact("open-file limit", procfs::open_files()?);
    report.fact("file system of the data", procfs::file_system(&std::env::temp_dir())?);
    let (rate, latency) = disk_syncs().context("measuring the disk")?;
    report.fact("disk, 4 KiB writes with fdatasync/s", rate);
    report.fact(SYNC_P50, latency.millis_at(0.5));
    report.fact("disk, fdatasync p99 ms", latency.millis_at(0.99));
    Ok(())
}

/// Synced writes a second, one after another, where temporary files are: the servers' data will be there too.
fn disk_syncs() -> Result<(f64, Latency)> {
    let file: File = tempfile::tempfile()?;
    for at in (0..LOG_BYTES).step_by(BLOCK.len()) {
        file.write_all_at(&BLOCK, at)?;
    }
    file.sync_all()?;
    let mut latency = Latency::new()?;
    let (began, mut syncs, mut at) = (Instant::now(), 0, 0);
    while began.elapsed() < DISK_FOR {
        let before = Instant::now();
        file.write_all_at(&BLOCK, at)?;
        file.sync_data()?;
        latency.record(before.elapsed());
        syncs += 1;
        at = (at + 4096) % LOG_BYTES;
    }
    Ok((real(syncs) / began.elapsed().as_secs_f64(), latency))
}
