//! Two operators: one leads, one stands by, and neither is safe.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::claviger::claviger;
use claviger_tests::installation::{Installation, OPERATOR, OPERATOR_ACCOUNT, PATIENCE, PUBLISHED};
use claviger_tests::kubectl::Kubectl;
use claviger_tests::ports::free_port;
use claviger_tests::process::Process;
use claviger_tests::wait::eventually;
use tokio::sync::Mutex;

use crate::fleet::SERVICE;

/// The name of the Lease.
const LEASE: &str = "claviger-operator";
/// Hundredths of a second, in which Linux tells CPU time.
const TICKS: f64 = 100.0;

#[derive(Debug)]
struct Operator {
    identity: String,
    internal: u16,
    process: Process,
}

/// What an operator process had done when it was last looked at.
#[derive(Clone, Debug, Default)]
struct Seen {
    cpu: f64,
    writes: BTreeMap<String, f64>,
}

/// What all operators did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Work {
    /// Seconds.
    pub(crate) cpu: f64,
    /// By what was written.
    pub(crate) writes: BTreeMap<String, f64>,
}

impl Work {
    /// Without what was done before.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        self.cpu -= before.cpu;
        for (kind, writes) in &before.writes {
            *self.writes.entry(kind.clone()).or_default() -= writes;
        }
        self
    }
}

#[derive(Debug)]
pub(crate) struct Operators {
    kubectl: Kubectl,
    kubeconfig: PathBuf,
    external_url: String,
    caller: reqwest::Client,
    running: Mutex<Vec<Operator>>,
    made: Mutex<usize>,
    seen: Mutex<BTreeMap<String, Seen>>,
}

impl Operators {
    pub(crate) async fn start(installation: &Installation, external_url: &str, number: usize) -> Result<Self> {
        let operators = Self {
            kubectl: installation.kubectl().in_namespace(OPERATOR),
            kubeconfig: installation.cluster().kubeconfig_for(OPERATOR, OPERATOR_ACCOUNT).await?,
            external_url: external_url.to_owned(),
            caller: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?,
            running: Mutex::default(),
            made: Mutex::default(),
            seen: Mutex::default(),
        };
        for _ in 0..number {
            operators.add().await?;
        }
        Ok(operators)
    }

    async fn add(&self) -> Result<()> {
        let mut made = self.made.lock().await;
        let identity = format!("operator-{made}");
        *made += 1;
        let internal = free_port()?;
        let process = claviger()
            .await?
            .args(["operator", "--identity", &identity, "--external-url", &self.external_url])
            .args(["--operator-namespace", OPERATOR, "--published-namespace", PUBLISHED])
            .args(["--provider-service", SERVICE])
            .arg(format!("--internal-listen=127.0.0.1:{internal}"))
            .env("KUBECONFIG", &self.kubeconfig)
            .start()?;
        self.running.lock().await.push(Operator { identity, internal, process });
        Ok(())
    }

    /// Whom the Lease names.
    async fn holder(&self) -> Result<String> {
        let holder = ["get", "lease", LEASE, "-o", "jsonpath={.spec.holderIdentity}"];
        let holder = self.kubectl.run(&holder).await?;
        ensure!(!holder.is_empty(), "nobody leads");
        Ok(holder)
    }

    /// The one of ours that leads. A killed one's name stands in the Lease until that has run out.
    async fn leader(&self) -> Result<String> {
        eventually(PATIENCE, "somebody leads who runs", async || {
            let holder = self.holder().await?;
            let runs = self.running.lock().await.iter().any(|operator| operator.identity == holder);
            ensure!(runs, "the lease is {holder}'s, who was killed");
            Ok(holder)
        })
        .await
    }

    /// Kills the one that leads; another process takes its place beside the one that stood by. Its Lease is
    /// left to run out.
    pub(crate) async fn kill_leader(&self) -> Result<()> {
        self.look().await;
        let leader = self.leader().await?;
        let mut running = self.running.lock().await;
        let index = running.iter().position(|operator| operator.identity == leader);
        let killed = running.swap_remove(index.with_context(|| format!("{leader} does not run"))?);
        drop(running);
        killed.process.kill().await?;
        self.add().await
    }

    /// The one that leads sleeps, another takes the Lease, and the sleeper wakes up and knows nothing of it:
    /// for a moment both lead.
    pub(crate) async fn steal_lease(&self) -> Result<()> {
        let leader = self.leader().await?;
        let running = self.running.lock().await;
        let sleeper = running.iter().find(|operator| operator.identity == leader);
        let sleeper = sleeper.with_context(|| format!("{leader} does not run"))?;
        sleeper.process.pause()?;
        let stolen = eventually(PATIENCE, "another leads", async || {
            self.kubectl.run(&["delete", "lease", LEASE, "--ignore-not-found"]).await?;
            eventually(Duration::from_secs(10), "the lease is taken", async || {
                ensure!(self.holder().await? != leader, "it is still {leader}'s");
                Ok(())
            })
            .await
        });
        let stolen = stolen.await;
        sleeper.process.resume()?;
        stolen
    }

    /// Stops all of them; what they did is known.
    pub(crate) async fn stop(&self) -> Result<()> {
        self.look().await;
        for operator in self.running.lock().await.drain(..) {
            operator.process.kill().await?;
        }
        Ok(())
    }

    /// What all did until now. What a killed one did since it was looked at last is lost: less than a
    /// second's work.
    pub(crate) async fn work(&self) -> Work {
        self.look().await;
        let mut work = Work::default();
        for seen in self.seen.lock().await.values() {
            work.cpu += seen.cpu;
            for (kind, writes) in &seen.writes {
                *work.writes.entry(kind.clone()).or_default() += writes;
            }
        }
        work
    }

    async fn look(&self) {
        for operator in self.running.lock().await.iter() {
            let mut all = self.seen.lock().await;
            let seen = all.entry(operator.identity.clone()).or_default();
            if let Ok(cpu) = cpu(operator.process.pid()) {
                seen.cpu = cpu;
            }
            if let Ok(metrics) = self.metrics(operator).await {
                seen.writes = writes(&metrics);
            }
        }
    }

    async fn metrics(&self, operator: &Operator) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", operator.internal);
        Ok(self.caller.get(url).send().await?.text().await?)
    }

    /// The last lines of each that runs.
    pub(crate) async fn logs(&self) -> String {
        let running = self.running.lock().await;
        let tails = running.iter().map(|operator| {
            let log = operator.process.log();
            let lines: Vec<&str> = log.lines().collect();
            format!("{}:\n{}\n", operator.identity, lines[lines.len().saturating_sub(60)..].join("\n"))
        });
        tails.collect()
    }
}

/// Seconds of CPU of that process (proc(5): utime and stime, after the name in parentheses).
fn cpu(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("no name")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
}

/// `claviger_operator_writes_total{verb="replace",kind="ring"} 7`
fn writes(metrics: &str) -> BTreeMap<String, f64> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("claviger_operator_writes_total{"));
    let counted = lines.filter_map(|line| {
        let (labels, value) = line.split_once("} ")?;
        let (_, kind) = labels.split_once("kind=\"")?;
        Some((kind.split('"').next()?.to_owned(), value.parse::<f64>().ok()?))
    });
    let mut writes = BTreeMap::new();
    for (kind, value) in counted {
        *writes.entry(kind).or_default() += value;
    }
    writes
}
