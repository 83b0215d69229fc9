//! Cores that do not sleep while servers are measured.
//!
//! The load waits on a core of its own, and the kernel counts what it takes to wake that core as time of the server that
//! answers. That is much in a virtual machine, whose idle cores halt, and not the same for two servers of different pace
//! (docs/benchmarks.md). No such core waits where clients are other machines.

use std::fs::File;
use std::io::{self, Write as _};

use crate::report;

/// The kernel's own interface for this: while the file is open with a zero in it, idle cores poll
/// (Linux, "PM Quality Of Service Interface").
const LATENCY: &str = "/dev/cpu_dma_latency";

/// Keeps cores from sleeping until it is dropped, where that is allowed; else tells that it is not.
pub(crate) fn keep() -> Option<File> {
    let opened = open();
    if let Err(error) = &opened {
        report::remark(&format!("{LATENCY}: {error}: what it takes to wake the load's core counts as the servers'"));
    }
    opened.ok()
}

fn open() -> io::Result<File> {
    let mut file = File::options().write(true).open(LATENCY)?;
    file.write_all(&0_i32.to_ne_bytes())?;
    Ok(file)
}
