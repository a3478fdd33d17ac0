//! How fast the disk confirms what is written: every commit waits for that.

use std::{
    fs::{self, OpenOptions},
    io::{Result, Write},
    path::Path,
    time::{Duration, Instant},
};

use super::Finding;
use crate::place::DataDir;

/// Writes that are measured.
const ROUNDS: u32 = 30;

/// No measuring beyond this.
const LONGEST: Duration = Duration::from_secs(3);

/// Slower than this, people notice.
const SLOW: Duration = Duration::from_millis(30);

/// Measures the disk of the data directory.
pub(super) fn check(data: &DataDir) -> Finding {
    let file = data.path().join(format!(".doctor-sync-{}", std::process::id()));
    let measured = measure(&file);
    let removed = fs::remove_file(&file);
    match measured.and_then(|times| removed.map(|()| times)) {
        Ok(times) => judge(&times),
        Err(fault) => Finding::Fail(format!("a file cannot be written and synced: {fault}")),
    }
}

/// The times of single syncs, sorted; at least one.
fn measure(path: &Path) -> Result<Vec<Duration>> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let began = Instant::now();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
        if began.elapsed() > LONGEST {
            break;
        }
    }
    times.sort();
    Ok(times)
}

fn judge(times: &[Duration]) -> Finding {
    let Some(median) = times.get(times.len() / 2) else {
        return Finding::Fail("nothing was measured".to_owned());
    };
    let text = format!("{:.2} ms a sync", median.as_secs_f64() * 1000.0);
    if *median > SLOW {
        Finding::Warn(format!("{text}: every message waits for that; put the data on a faster disk"))
    } else {
        Finding::Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts() {
        let times = |milliseconds: [u64; 3]| milliseconds.map(Duration::from_millis).to_vec();
        assert_eq!(judge(&times([1, 2, 500])), Finding::Ok("2.00 ms a sync".to_owned()));
        assert!(matches!(judge(&times([1, 31, 32])), Finding::Warn(_)));
        assert!(matches!(judge(&[]), Finding::Fail(_)));
    }

    #[test]
    fn syncs_are_measured_on_a_real_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!measure(&folder.path().join("file")).unwrap().is_empty());
    }
}
