//! Free loopback ports that stay free.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the range from which Linux takes the local ports of outgoing connections, so that a port
/// is not lost to one of them while its server restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that nobody listens on and that this process has not handed out before.
///
/// # Errors
/// When the whole range is in use.
pub fn free_port() -> Result<u16> {
    let size = RANGE.end - RANGE.start;
    // Test binaries that run side by side start at different places.
    let first = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(size))?;
    for _ in 0..size {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = RANGE.start + first.wrapping_add(step) % size;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port in {RANGE:?}")
}
