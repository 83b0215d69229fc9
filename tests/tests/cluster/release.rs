//! The chart, installed as people install it, and what is asked of the cluster around it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::cluster::Cluster;
use claviger_tests::kubectl::{Kubectl, Outcome};
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

/// Namespace of the release.
pub(crate) const SYSTEM: &str = "claviger-system";
/// Namespace of what is published.
pub(crate) const PUBLISHED: &str = "claviger-published";
/// The image that scripts/test-cluster has loaded; providers are asked for by their Service's name.
const VALUES: [&str; 7] = [
    "externalURL=http://claviger-provider.claviger-system.svc",
    "image.repository=test.local/claviger",
    "image.tag=test",
    "image.pullPolicy=Never",
    "log.format=text",
    // Two, so that one may be away; clients get tokens under their own names only.
    "provider.replicas=2",
    "provider.store.perPod=true",
];
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the chart is.
pub(crate) fn chart() -> PathBuf {
    root().join("charts/claviger")
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Runs `helm`, which may fail.
pub(crate) async fn helm(arguments: &[&str]) -> Result<Outcome> {
    let mut command = tokio::process::Command::new("helm");
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(180), command.output());
    let ended = ended.await.context("helm did not end in time")?.context("cannot run helm")?;
    Ok(Outcome {
        success: ended.status.success(),
        output: String::from_utf8(ended.stdout)?,
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    })
}

/// A release of the chart with the quick start's objects.
pub(crate) struct Release {
    pub(crate) cluster: Cluster,
    pub(crate) kubectl: Kubectl,
}

impl Release {
    /// Installs what is not there, and waits until every object is Ready.
    pub(crate) async fn ready() -> Result<Self> {
        let cluster = Cluster::from_environment()?;
        let release = Self { kubectl: cluster.kubectl(), cluster };
        release.install(&[]).await?;
        let quickstart = root().join("examples/quickstart");
        release.kubectl.run(&["apply", "-f", &quickstart.to_string_lossy()]).await?;
        release.all_ready().await?;
        Ok(release)
    }

    /// `helm upgrade --install`, with these values beside the usual ones, until all pods are ready.
    pub(crate) async fn install(&self, values: &[&str]) -> Result<()> {
        let chart = chart();
        let chart = chart.to_string_lossy();
        let mut line = vec!["upgrade", "--install", "claviger", &chart, "--namespace", SYSTEM, "--create-namespace"];
        line.extend(["--wait", "--timeout", "120s"]);
        line.extend(VALUES.iter().chain(values).flat_map(|value| ["--set", value]));
        let outcome = helm(&line).await?;
        ensure!(outcome.success, "helm: {}", outcome.errors);
        Ok(())
    }

    /// What a person or a pipeline waits for.
    pub(crate) async fn all_ready(&self) -> Result<()> {
        let all = "tenants,signingkeys,users,oauthclients";
        self.kubectl
            .run(&["wait", "--for=condition=Ready", all, "--all", "--all-namespaces", "--timeout=60s"])
            .await
            .map(drop)
    }

    /// Names of the component's pods that are not on their way out.
    pub(crate) async fn pods(&self, component: &str) -> Result<Vec<String>> {
        let selector = format!("--selector=app.kubernetes.io/component={component}");
        let list = self.kubectl.json(&["get", "pods", "--namespace", SYSTEM, &selector]).await?;
        let pods = list["items"].as_array().context("no list")?.iter();
        let staying = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let names = staying.filter_map(|pod| pod["metadata"]["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Deletes one of the component's pods, and waits until a new one is ready and the old one is gone.
    pub(crate) async fn replace_a_pod(&self, component: &str) -> Result<()> {
        let before = self.pods(component).await?;
        let lost = before.first().context("no pod")?;
        self.kubectl.run(&["delete", "pod", lost, "--namespace", SYSTEM]).await?;
        let deployment = format!("deployment/claviger-{component}");
        self.kubectl.run(&["rollout", "status", &deployment, "--namespace", SYSTEM, "--timeout=60s"]).await?;
        let after = self.pods(component).await?;
        ensure!(after.len() == before.len() && !after.contains(lost), "{before:?} became {after:?}");
        Ok(())
    }

    /// Changes a client, and waits until exactly this change is live on every provider.
    pub(crate) async fn change_and_wait(&self, display_name: &str) -> Result<()> {
        let patch = json!({"spec": {"displayName": display_name}}).to_string();
        let kubectl = self.kubectl.in_namespace("shop");
        let patched = kubectl.json(&["patch", "oauthclient", "reports", "--type=merge", "--patch", &patch]).await?;
        let wanted = &patched["metadata"]["generation"];
        eventually(PATIENCE, "the change is Ready", async || {
            let client = kubectl.json(&["get", "oauthclient", "reports"]).await?;
            let ready = condition(&client, "Ready");
            ensure!(ready["status"] == "True" && ready["observedGeneration"] == *wanted, "{ready}");
            Ok(())
        })
        .await
    }
}

/// One condition of an object.
fn condition<'a>(object: &'a Value, name: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == name).unwrap_or(&Value::Null)
}
