//! Cores that do not sleep while servers are measured.
//!
//! The load waits on a core of its own, and the kernel counts what it takes to wake that core as time of the server that
//! answers. A virtual machine's idle core first polls, here for 50 µs, and then halts, and to wake a halted one is some 8 µs: a
//! server that answers in 40 µs never pays them, one that answers in 50 µs does for nearly each answer. No such core waits where
//! clients are other machines.

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
