//! The soak's verifiers notice each promise that an operator could break. The operator that breaks it
//! is played here: the real one is killed, and what a broken one would publish is published.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{Installation, PUBLISHED};
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

use crate::figures::say;
use crate::rings;
use crate::settings::Settings;
use crate::stage::Stage;

/// How long verifiers keep a JWK Set here, seconds: long enough to be wrong for.
const CACHE: u64 = 5;

const SETTINGS: Settings = Settings {
    tenants: 2,
    rings: 1,
    rate: 20,
    // Nothing rotates by itself.
    rotation: [3600, 1800, CACHE],
    token: 12,
    ..Settings::SHORT
};

/// The stage without an operator, after a time in which nobody had anything to complain of and every
/// verifier has seen the standby.
async fn without_an_operator() -> Result<Arc<Stage>> {
    let stage = Stage::set(SETTINGS, 2, 1).await?;
    stage.operators.stop().await?;
    tokio::time::sleep(Duration::from_secs(2 * CACHE)).await;
    for report in stage.reports().await {
        ensure!(report.failed == 0 && report.verified > 0, "{report}: {:#?}", report.failures);
    }
    Ok(stage)
}

/// Both verifiers complain, and of this.
async fn is_noticed(stage: &Stage, moment: &str) -> Result<()> {
    eventually(Duration::from_secs(60), "both verifiers notice", async || {
        for report in stage.reports().await {
            ensure!(report.failed > 0 && !report.failures.is_empty(), "{report}");
        }
        Ok(())
    })
    .await?;
    for report in stage.reports().await {
        say(&format!("noticed: {report}, the first: {}", report.failures[0]));
        for failure in &report.failures {
            let unknown = failure["failure"].as_str().is_some_and(|text| text.contains("is unknown"));
            ensure!(unknown, "{failure:#}");
        }
        ensure!(
            report.failures.iter().any(|failure| failure["moment"] == moment),
            "none {moment}: {:#?}",
            report.failures
        );
    }
    Ok(())
}

/// A ring of the first tenant, as a broken operator changes it.
struct Ring {
    secret: Value,
    document: Value,
}

impl Ring {
    async fn of(installation: &Installation, tenant: usize) -> Result<Self> {
        let secret = installation.published("SigningKey", &rings::tenant(tenant), "ring-0").await?;
        Ok(Self { document: Installation::document(&secret)?, secret })
    }

    fn keys(&mut self) -> Result<&mut Vec<Value>> {
        self.document["spec"]["keys"].as_array_mut().context("no keys")
    }

    fn key(&mut self, phase: &str) -> Result<&mut Value> {
        let key = self.keys()?.iter_mut().find(|key| key["phase"] == phase);
        key.with_context(|| format!("no key is {phase}"))
    }

    /// A key that no verifier of the first tenant has ever seen.
    async fn stranger(installation: &Installation) -> Result<Value> {
        Ok(Self::of(installation, 1).await?.key("Published")?.clone())
    }

    /// The standby signs, and what signed is in `after`.
    fn promote(&mut self, after: &str) -> Result<()> {
        let active = self.key("Active")?;
        active["phase"] = json!(after);
        active.as_object_mut().context("no key")?.remove("privateKey");
        let standby = self.key("Published")?;
        standby["phase"] = json!("Active");
        standby["activeAt"] = standby["publishedAt"].clone();
        Ok(())
    }

    /// Writes it, with a revision above all others.
    async fn publish(&mut self, installation: &Installation) -> Result<()> {
        use base64::Engine as _;
        let annotations = &mut self.secret["metadata"]["annotations"];
        let revision: u64 = annotations["claviger.dev/revision"].as_str().context("no revision")?.parse()?;
        annotations["claviger.dev/revision"] = json!((revision + 1).to_string());
        let text = self.document.to_string();
        annotations["claviger.dev/digest"] = json!(format!("sha256:{}", sha256(&text).await?));
        let data = json!({"document.json": base64::engine::general_purpose::STANDARD.encode(&text)});
        let patch = json!({"metadata": {"annotations": *annotations}, "data": data}).to_string();
        let name = self.secret["metadata"]["name"].as_str().context("no name")?;
        let kubectl = installation.kubectl().in_namespace(PUBLISHED);
        kubectl.run(&["patch", "secret", name, "--type=merge", "-p", &patch]).await.map(drop)
    }
}

async fn sha256(text: &str) -> Result<String> {
    use tokio::io::AsyncWriteExt as _;
    let mut command = tokio::process::Command::new("sha256sum");
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn()?;
    child.stdin.take().context("no pipe")?.write_all(text.as_bytes()).await?;
    let printed = String::from_utf8(child.wait_with_output().await?.stdout)?;
    Ok(printed.split_whitespace().next().context("sha256sum printed nothing")?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_without_acknowledgement_is_noticed() -> Result<()> {
    let stage = without_an_operator().await?;
    let mut ring = Ring::of(&stage.installation, 0).await?;
    *ring.key("Published")? = Ring::stranger(&stage.installation).await?;
    ring.promote("Retiring")?;
    ring.publish(&stage.installation).await?;
    is_noticed(&stage, "when it is issued").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retirement_that_comes_too_early_is_noticed() -> Result<()> {
    let stage = without_an_operator().await?;
    let mut ring = Ring::of(&stage.installation, 0).await?;
    ring.promote("VerifyOnly")?;
    ring.publish(&stage.installation).await?;
    is_noticed(&stage, "before it expires").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_pod_that_is_behind_is_noticed() -> Result<()> {
    let stage = without_an_operator().await?;
    // The second pod's watch brings nothing from now on, and nobody asks it what it serves.
    stage.installation.proxy().cut();
    let mut ring = Ring::of(&stage.installation, 0).await?;
    let stranger = Ring::stranger(&stage.installation).await?;
    let standby = ring.key("Published")?;
    *standby = stranger;
    ring.publish(&stage.installation).await?;
    // Longer than any verifier keeps what it has.
    tokio::time::sleep(Duration::from_secs(2 * CACHE)).await;
    ring.promote("Retiring")?;
    ring.publish(&stage.installation).await?;
    is_noticed(&stage, "when it is issued").await
}
