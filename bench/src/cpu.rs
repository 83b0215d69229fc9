//! What the kernel says of a process: CPU time and memory.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Clock ticks a second in `/proc`, fixed by Linux for user space (`man 5 proc`).
const TICKS: u64 = 100;

/// User and system time of the process so far.
///
/// # Errors
/// When there is no such process.
pub(crate) fn used(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold spaces and brackets; the fields after its last bracket do not.
    let fields: Vec<&str> = stat.rsplit_once(')').context("unknown format")?.1.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// Resident memory, MiB.
///
/// # Errors
/// When there is no such process.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    field(pid, "VmRSS:")
}

/// Most resident memory so far, MiB.
///
/// # Errors
/// When there is no such process.
pub(crate) fn peak(pid: u32) -> Result<f64> {
    field(pid, "VmHWM:")
}

fn field(pid: u32, name: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024.0)
}
