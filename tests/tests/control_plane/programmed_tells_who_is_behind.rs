//! `Programmed`: live on every pod, sticky, and with names only where something is held up.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::wait::{eventually, steadily};
use serde_json::json;

async fn rename(installation: &Installation, client: &str, display_name: &str) -> Result<()> {
    let patch = json!({"spec": {"displayName": display_name}}).to_string();
    let kubectl = installation.kubectl().in_namespace("shop");
    kubectl.run(&["patch", "oauthclient", client, "--type=merge", "--patch", &patch]).await.map(drop)
}

#[tokio::test]
async fn a_frozen_provider_shows_by_name_on_what_it_holds_up_and_only_there() -> Result<()> {
    let installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;

    let frozen = installation.providers()[1].process();
    frozen.pause()?;
    rename(&installation, "reports", "Renamed").await?;
    let held_up = ["oauthclient", "shop", "reports"];
    let condition = installation.wait_for_condition(held_up, "Programmed", ["False", "ProviderBehind"]).await?;
    let message = condition["message"].as_str().context("no message")?;
    ensure!(message.contains("provider-1") && !message.contains("provider-0"), "{message}");
    // The other pod serves it, and no other object is any less live.
    for object in [["oauthclient", "shop", "orders"], ["tenant", "identity", "acme"]] {
        installation.wait_for_condition(object, "Programmed", ["True", "Programmed"]).await?;
    }
    frozen.resume()?;
    installation.wait_for_condition(held_up, "Programmed", ["True", "Programmed"]).await?;
    Ok(())
}

#[tokio::test]
async fn providers_that_leave_and_come_withdraw_nothing() -> Result<()> {
    let mut installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let before = installation.kubectl().in_namespace("shop").json(&["get", "oauthclient", "reports"]).await?;
    installation.restart_provider(1).await?;
    steadily(Duration::from_secs(8), "still Ready, and not written", async || {
        let now = installation.kubectl().in_namespace("shop").json(&["get", "oauthclient", "reports"]).await?;
        ensure!(now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], "{}", now["status"]);
        Ok(())
    })
    .await?;
    // And it counts again: a change waits for both.
    rename(&installation, "reports", "Renamed").await?;
    installation.wait_for_condition(["oauthclient", "shop", "reports"], "Programmed", ["True", "Programmed"]).await?;
    Ok(())
}

#[tokio::test]
async fn without_a_provider_nothing_is_programmed_and_that_is_said() -> Result<()> {
    let installation = Installation::start(1).await?;
    installation.providers()[0].process().kill().await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    let tenant = ["tenant", "identity", "acme"];
    installation.wait_for_condition(tenant, "Programmed", ["False", "NoProviders"]).await?;
    installation.wait_for_condition(tenant, "Accepted", ["True", "Accepted"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_deleted_tenant_is_no_longer_served() -> Result<()> {
    let installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let jwks = format!("{ACME}/.well-known/jwks.json");
    installation.kubectl().in_namespace("identity").run(&["delete", "tenant", "acme", "--wait=false"]).await?;
    let begun = std::time::Instant::now();
    for provider in installation.providers() {
        eventually(Duration::from_secs(20), "404", async || {
            let (status, _) = provider.get(&jwks).await?;
            ensure!(status == 404, "{status}");
            Ok(())
        })
        .await?;
    }
    println!("a deleted tenant answered 404 after {:?}", begun.elapsed());
    Ok(())
}
