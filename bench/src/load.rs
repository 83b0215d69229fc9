//! Load by `wrk`, and the comparison of two servers under it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::cases::{Case, Target};
use crate::cpu;
use crate::servers::Server;

/// How often each server is measured; the medians are compared.
pub(crate) const ROUNDS: usize = 3;
/// Of one measurement.
pub(crate) const TIME: Duration = Duration::from_secs(3);
pub(crate) const CONNECTIONS: usize = 16;
/// The core of the load and of the database; the servers have core 0.
pub(crate) const CORE: &str = "1";

/// One measurement of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// CPU time of the server's process for one request.
    pub(crate) cpu: Duration,
    /// Requests a second.
    pub(crate) rate: f64,
    /// Median latency.
    pub(crate) p50: Duration,
    /// 99th percentile of latency.
    pub(crate) p99: Duration,
}

/// Medians of both servers.
pub(crate) struct Comparison {
    pub(crate) provider: Measured,
    pub(crate) limit: Measured,
}

/// Measures both servers in turn, so that a machine whose speed drifts drifts for both.
///
/// # Errors
/// When wrk cannot be run, or an answer was not 200.
pub(crate) async fn compare(case: &Case, provider: &Server, limit: &Server, folder: &Path) -> Result<Comparison> {
    let (mut ours, mut least) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(measure(&case.provider, provider, folder).await?);
        least.push(measure(&case.limit, limit, folder).await?);
    }
    Ok(Comparison { provider: median(ours), limit: median(least) })
}

/// That of the median CPU time.
pub(crate) fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by_key(|measured| measured.cpu);
    all[all.len() / 2]
}

async fn measure(target: &Target, server: &Server, folder: &Path) -> Result<Measured> {
    let script = folder.join("request.lua");
    std::fs::write(&script, target.script())?;
    let before = cpu::used(server.process.pid())?;
    let output = tokio::process::Command::new("taskset")
        .args(["-c", CORE, "wrk", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{}s", TIME.as_secs()), "-s"])
        .arg(&script)
        .arg(format!("http://{}", server.address))
        .output()
        .await
        .context("cannot run wrk")?;
    let used = cpu::used(server.process.pid())? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("result ")).context("wrk printed no result")?;
    let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [requests, micros, p50, p99, faults] = numbers[..] else { anyhow::bail!("unknown result: {line}") };
    ensure!(requests > 0 && faults == 0, "{faults} of {requests} answers were not 200: {}", target.path);
    Ok(Measured {
        cpu: used / u32::try_from(requests)?,
        rate: requests as f64 / (micros as f64 / 1e6),
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
    })
}
