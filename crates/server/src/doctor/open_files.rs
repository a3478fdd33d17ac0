//! The limit of open files: each socket takes one.

use super::Finding;

/// Fewer than this, and a few thousand people fill the server.
const FEW: u64 = 4096;

/// Looks at the limit that a process started like this one has.
pub(super) fn check() -> Finding {
    match std::fs::read_to_string("/proc/self/limits") {
        Ok(text) => judge(soft_limit(&text)),
        Err(fault) => Finding::Warn(format!("it cannot be told: {fault}")),
    }
}

fn judge(limit: Option<u64>) -> Finding {
    match limit {
        Some(limit) if limit < FEW => Finding::Warn(format!(
            "{limit}, and each open socket takes one; raise it with `ulimit -n 65536`, or LimitNOFILE=65536 in systemd"
        )),
        Some(u64::MAX) => Finding::Ok("unlimited".to_owned()),
        Some(limit) => Finding::Ok(limit.to_string()),
        None => Finding::Warn("it cannot be told".to_owned()),
    }
}

/// The soft limit out of `/proc/<pid>/limits` (proc(5)).
fn soft_limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_is_a_reason_to_warn() {
        let text =
            "Max processes   7   8   processes\nMax open files            1024        524288      files\n";
        assert!(matches!(judge(soft_limit(text)), Finding::Warn(said) if said.starts_with("1024")));
        assert_eq!(judge(Some(65_536)), Finding::Ok("65536".to_owned()));
        assert!(matches!(judge(soft_limit("")), Finding::Warn(_)));
    }
}
