//! etcd was restored from an older backup: pods have seen a newer ring than the one that is stored.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, OPERATOR, PUBLISHED};
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

#[tokio::test]
async fn a_ring_from_an_old_backup_is_noticed_and_serving_goes_on() -> Result<()> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let ring = ["signingkey", "identity", "acme-rs256"];
    let (key, published) = (
        installation.ring("identity", "acme-rs256").await?,
        installation.published("SigningKey", "identity", "acme-rs256").await?,
    );
    let kids = installation.providers()[0].kids(ACME).await?;

    // The ring changes: a new revision, which both pods serve.
    let patch = r#"{"spec":{"rotation":{"cacheLifetime":"5m"}}}"#;
    let kubectl = installation.kubectl().in_namespace("identity");
    kubectl.run(&["patch", "signingkey", "acme-rs256", "--type=merge", "-p", patch]).await?;
    installation.wait_until_all_ready().await?;
    let newer = installation.published("SigningKey", "identity", "acme-rs256").await?;
    ensure!(newer["data"] != published["data"], "the document has changed");

    // Everything of the cluster goes back in time, while no operator runs.
    operator.kill().await?;
    restore(&installation, OPERATOR, &key).await?;
    restore(&installation, PUBLISHED, &published).await?;
    let _operator = installation.start_operator("two").await?;
    let blocked = installation.wait_for_condition(ring, "RotationBlocked", ["True", "RingRolledBack"]).await?;
    ensure!(blocked["message"].as_str().is_some_and(|message| message.len() > 20), "{blocked}");
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
