//! etcd was restored from an older backup: pods have seen a newer ring than the one that is stored.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, OPERATOR, PUBLISHED};
use claviger_tests::process::Process;
use claviger_tests::wait::steadily;
use serde_json::{Value, json};

/// Puts the Secret's content back as it was.
async fn restore(installation: &Installation, namespace: &str, backup: &Value) -> Result<()> {
    let metadata = &backup["metadata"];
    let name = metadata["name"].as_str().context("no name")?;
    let patch = json!({
        "data": backup["data"],
        "metadata": {"annotations": metadata["annotations"], "labels": metadata["labels"]},
    });
    let patch = patch.to_string();
    let kubectl = installation.kubectl().in_namespace(namespace);
    kubectl.run(&["patch", "secret", name, "--type=merge", "--patch", &patch]).await.map(drop)
}

const RING: [&str; 3] = ["signingkey", "identity", "acme-rs256"];

/// A cluster whose ring was restored from before its last change, and two pods that serve that change.
struct SetBack {
    installation: Installation,
    _operator: Process,
    /// The ring's Secret that was restored.
    backup: Value,
    /// What `RotationBlocked` says.
    message: String,
}

async fn set_back() -> Result<SetBack> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let (backup, published) = (
        installation.ring("identity", "acme-rs256").await?,
        installation.published("SigningKey", "identity", "acme-rs256").await?,
    );

    // The ring changes: a new revision, which both pods serve.
    patch(&installation, &json!({"spec": {"rotation": {"cacheLifetime": "5m"}}})).await?;
    installation.wait_until_all_ready().await?;
    let newer = installation.published("SigningKey", "identity", "acme-rs256").await?;
    ensure!(newer["data"] != published["data"], "the document has changed");

    // Everything of the cluster goes back in time, while no operator runs.
    operator.kill().await?;
    restore(&installation, OPERATOR, &backup).await?;
    restore(&installation, PUBLISHED, &published).await?;
    let operator = installation.start_operator("two").await?;
    let blocked = installation.wait_for_condition(RING, "RotationBlocked", ["True", "RingRolledBack"]).await?;
    let message = blocked["message"].as_str().context("no message")?.to_owned();
    Ok(SetBack { installation, _operator: operator, backup, message })
}

async fn patch(installation: &Installation, patch: &Value) -> Result<()> {
    let kubectl = installation.kubectl().in_namespace("identity");
    let patch = patch.to_string();
    kubectl.run(&["patch", "signingkey", "acme-rs256", "--type=merge", "-p", &patch]).await.map(drop)
}

#[tokio::test]
async fn a_ring_from_an_old_backup_is_noticed_and_serving_goes_on() -> Result<()> {
    let SetBack { installation, _operator, backup: key, .. } = set_back().await?;
    let kids = installation.providers()[0].kids(ACME).await?;
    let restored = installation.ring("identity", "acme-rs256").await?;
    ensure!(restored["data"] == key["data"], "the ring was changed: nobody knows which keys pods have seen");
    steadily(Duration::from_secs(5), "the ring is left alone", async || {
        let now = installation.ring("identity", "acme-rs256").await?;
        ensure!(now["metadata"]["resourceVersion"] == restored["metadata"]["resourceVersion"], "it was written");
        Ok(())
    })
    .await?;
    for provider in installation.providers() {
        installation.token(provider, "shop", "reports-oidc").await?;
        ensure!(provider.kids(ACME).await? == kids, "no key is lost");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_revoked_on_running_pods_though_their_ring_was_set_back_and_a_person_ends_that() -> Result<()> {
    let SetBack { installation, _operator, message, .. } = set_back().await?;
    let key = installation.kubectl().in_namespace("identity").json(&["get", "signingkey", "acme-rs256"]).await?;
    let kid = key["status"]["activeKid"].as_str().context("no activeKid")?.to_owned();
    let begun = Instant::now();
    patch(&installation, &json!({"spec": {"revoked": [{"kid": kid, "reason": "stolen"}]}})).await?;
    for provider in installation.providers() {
        while provider.kids(ACME).await?.contains(&kid) {
            ensure!(begun.elapsed() < Duration::from_secs(30), "{kid} is still in the JWK Set of {}", provider.url());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    println!("revoked: after {:?}, kubectl and all, no provider showed the key", begun.elapsed());
    for provider in installation.providers() {
        ensure!(!provider.kids(ACME).await?.is_empty(), "there is always a key");
        installation.token(provider, "shop", "reports-oidc").await?;
    }

    let (_, revision) = message.split_once("accept-stored-ring: \"").with_context(|| message.clone())?;
    let revision = revision.split('"').next().context("no revision")?;
    patch(&installation, &json!({"metadata": {"annotations": {"claviger.dev/accept-stored-ring": revision}}})).await?;
    installation.wait_for_condition(RING, "RotationBlocked", ["True", "StandbyTooYoung"]).await?;
    installation.wait_until_all_ready().await?;
    let mut shown = Vec::new();
    for provider in installation.providers() {
        installation.token(provider, "shop", "reports-oidc").await?;
        shown.push(provider.kids(ACME).await?);
    }
    ensure!(shown[0] == shown[1] && !shown[0].contains(&kid), "{shown:?}");
    Ok(())
}
