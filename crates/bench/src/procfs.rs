//! What Linux tells of processes and of itself: proc(5).

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

/// The unit of CPU times in `/proc` (`USER_HZ`): 10 ms on every architecture that matters here.
const TICK: Duration = Duration::from_millis(10);

/// Bytes of a page, the unit of memory in `/proc/net/sockstat`.
const PAGE: u64 = 4096;

/// CPU time that a process and its threads have used, in user and in kernel mode.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    cpu_of(&stat).with_context(|| format!("/proc/{pid}/stat is not understood"))
}

/// `utime` and `stime` of a `stat` line: fields 14 and 15. The command's name, in brackets, may hold anything.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<u32>);
    Some(TICK * times.next()?.ok()?.checked_add(times.next()?.ok()?)?)
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = read(&format!("/proc/{pid}/status"))?;
    kilobytes(&status, "VmRSS:").context("no resident size")
}

/// The most memory that a process has ever been resident with, in bytes.
pub(crate) fn peak(pid: u32) -> Result<u64> {
    let status = read(&format!("/proc/{pid}/status"))?;
    kilobytes(&status, "VmHWM:").context("no peak of the resident size")
}

/// The processes of a process group, its leader among them.
pub(crate) fn group(leader: u32) -> Result<Vec<u32>> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that has ended meanwhile has no such file.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        if group_of(&stat) == Some(leader) {
            members.push(pid);
        }
    }
    Ok(members)
}

/// `pgrp` of a `stat` line: field 5.
fn group_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

/// CPU time that all of the machine's cores were busy with, time stolen by its host included.
pub(crate) fn busy() -> Result<Duration> {
    let stat = read("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let times: Vec<u32> =
        line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq, steal
    let idle: u32 = times.iter().skip(3).take(2).sum();
    Ok(TICK * (times.iter().sum::<u32>() - idle))
}

/// Memory of the kernel.
#[derive(Clone, Copy)]
pub(crate) struct KernelMemory {
    /// What waits in the buffers of TCP sockets, in bytes.
    pub(crate) tcp_buffers: u64,
    /// All of its small objects, sockets among them, in bytes.
    pub(crate) slab: u64,
}

impl KernelMemory {
    /// Both, in bytes.
    pub(crate) fn all(self) -> u64 {
        self.tcp_buffers + self.slab
    }
}

/// The kernel's memory now, whoever caused it.
pub(crate) fn kernel_memory() -> Result<KernelMemory> {
    let sockets = read("/proc/net/sockstat")?;
    let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).context("no TCP in sockstat")?;
    let pages = tcp.split_once(" mem ").and_then(|(_, pages)| pages.trim().parse::<u64>().ok());
    let slab = kilobytes(&read("/proc/meminfo")?, "Slab:").context("no Slab in meminfo")?;
    Ok(KernelMemory { tcp_buffers: pages.context("no memory in sockstat")? * PAGE, slab })
}

/// Memory of the machine, in bytes.
pub(crate) fn memory() -> Result<u64> {
    kilobytes(&read("/proc/meminfo")?, "MemTotal:").context("no MemTotal in meminfo")
}

/// Files that this process, and those that it starts, may have open.
pub(crate) fn open_files() -> Result<u64> {
    let limits = read("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(u64::MAX))
}

/// The mean number of processes that ran or waited in the last minute.
pub(crate) fn load_average() -> Result<String> {
    Ok(read("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned())
}

/// The kernel's release.
pub(crate) fn kernel() -> Result<String> {
    Ok(read("/proc/sys/kernel/osrelease")?.trim().to_owned())
}

/// The kind of file system on which a folder lies, and its options.
pub(crate) fn file_system(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let found = file_system_of(&folder, &read("/proc/self/mountinfo")?);
    found.with_context(|| format!("no file system holds {}", folder.display()))
}

/// The same by `mountinfo`: the point of a mount is field 5, and what it is stands behind the dash. The deepest point
/// counts, and of several at the same place the last one.
fn file_system_of(folder: &Path, mounts: &str) -> Option<String> {
    let mount = |line: &str| {
        let (place, about) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?;
        let (kind, rest) = about.split_once(' ')?;
        let options = rest.split(' ').nth(1)?;
        folder.starts_with(point).then(|| (point.len(), format!("{kind} ({options})")))
    };
    let (_, found) = mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth)?;
    Some(found)
}

/// The name of the first core's kind.
pub(crate) fn processor() -> Result<String> {
    let info = read("/proc/cpuinfo")?;
    let name =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    Ok(name.map_or("unknown", |(_, name)| name).to_owned())
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// The bytes of a line such as `VmRSS:    1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "77 (a) (b c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0 99";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_of("77 (a) S 1"), None);
        assert_eq!(group_of(stat), Some(2));
    }

    #[test]
    fn the_file_system_of_a_folder_is_that_of_the_deepest_mount() {
        let mounts = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n\
                      30 27 0:25 / /tmp rw - tmpfs tmpfs rw,size=9k\n\
                      31 27 0:26 / /tmpest rw - xfs /dev/b rw\n";
        let found = |folder| file_system_of(Path::new(folder), mounts).unwrap();
        assert_eq!(found("/home/a"), "ext4 (rw,discard)");
        assert_eq!(found("/tmp/a"), "tmpfs (rw,size=9k)");
        assert_eq!(found("/tmpest"), "xfs (rw)");
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 100_000);
        assert!(cpu(pid).unwrap() <= busy().unwrap());
        assert!(memory().unwrap() > resident(pid).unwrap());
        assert!(open_files().unwrap() > 2);
        assert!(peak(pid).unwrap() >= resident(pid).unwrap());
        let stat = read("/proc/self/stat").unwrap();
        assert!(group(group_of(&stat).unwrap()).unwrap().contains(&pid));
    }
}
