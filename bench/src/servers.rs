//! The two servers that are compared, each on core 0.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use claviger_tests::cluster::Cluster;
use claviger_tests::ports::free_port;
use claviger_tests::process::{Launch, Process};

use crate::fixture::{Fixture, NAMESPACE};

const STARTING: Duration = Duration::from_secs(20);

/// A server that runs.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Of a provider: where its metrics are.
    pub(crate) internal: Option<SocketAddr>,
}

fn on_core_0(name: &str, program: &Path) -> Launch {
    // taskset becomes the program, so that the process ID stays.
    Launch::new(name, "taskset").args(["-c", "0"]).arg(program)
}

fn loopback() -> Result<SocketAddr> {
    Ok(SocketAddr::from(([127, 0, 0, 1], free_port()?)))
}

/// Starts the provider on the fixture and a store, and says how long it took to give its first answer.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn start_provider(
    claviger: &Path,
    cluster: &Cluster,
    fixture: &Fixture,
    store: &str,
) -> Result<(Server, Duration)> {
    let (address, internal) = (loopback()?, loopback()?);
    let begun = Instant::now();
    let process = on_core_0("provider", claviger)
        .args(["provider", "--published-namespace", NAMESPACE])
        .arg(format!("--listen={address}"))
        .arg(format!("--internal-listen={internal}"))
        .arg(format!("--acknowledgement-listen={}", loopback()?))
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("CLAVIGER_STORE", store)
        .start()?;
    let url = format!("http://{address}{}/.well-known/jwks.json", fixture.tenants[0].path);
    first_answer(&process, &url).await?;
    Ok((Server { process, address, internal: Some(internal) }, begun.elapsed()))
}

/// Asks without a pause that would show in the figure.
async fn first_answer(process: &Process, url: &str) -> Result<()> {
    let agent = reqwest::Client::new();
    let end = Instant::now() + STARTING;
    while Instant::now() < end {
        match agent.get(url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    anyhow::bail!("the provider does not answer at {url}: {}", process.log())
}

/// Starts the limit, which answers with the files in `folder`.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn start_limit(limit: &Path, folder: &Path) -> Result<Server> {
    let address = loopback()?;
    let process = on_core_0("limit", limit).arg(address.to_string()).arg(folder).start()?;
    process
        .wait_for_http(STARTING, &format!("http://{address}/plain/jwks"))
        .await
        .context("the limit does not answer")?;
    Ok(Server { process, address, internal: None })
}

/// MiB that `claviger dev` holds with the quick start, at rest.
///
/// # Errors
/// When it does not start.
pub(crate) async fn dev_at_rest(claviger: &Path, folder: &Path) -> Result<f64> {
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    let process = Launch::new("dev", claviger)
        .args(["dev", "--listen", "127.0.0.1:0", "--state"])
        .arg(folder.join("state"))
        .arg(quickstart)
        .start()?;
    process.wait_for_line(STARTING, "Following changes").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    crate::cpu::resident(process.pid())
}
