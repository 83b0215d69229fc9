//! Two operators, one of which was paused while it led: what it still wants to write is refused or
//! never sent.

use anyhow::{Result, ensure};
use claviger_tests::installation::{ACME, Installation, PATIENCE};
use claviger_tests::wait::eventually;

#[tokio::test]
async fn an_old_leader_that_wakes_up_destroys_no_key_and_no_secret() -> Result<()> {
    let installation = Installation::start(1).await?;
    let old = installation.start_direct_operator("old").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;

    // Frozen with work at hand, as by a machine that swaps: a new tenant was just declared.
    let tenant =
        "{apiVersion: claviger.dev/v1alpha1, kind: Tenant, metadata: {name: late, namespace: identity}, spec: {}}";
    installation.kubectl().apply(tenant).await?;
    old.pause()?;
    let new = installation.start_direct_operator("new").await?;
    installation.wait_until_leading(&new).await?;
    installation.wait_until_all_ready().await?;
    let late = "/api/v1/auth/tenants/late";
    let provider = &installation.providers()[0];
    let (acme_kids, late_kids) = (provider.kids(ACME).await?, provider.kids(late).await?);
    let secret = installation.secret_value("shop", "reports-oidc", "client_secret").await?;

    old.resume()?;
    eventually(PATIENCE, "the old leader has noticed", async || {
        let gone = old.exit_code()?.is_some() || old.log().contains("the leadership is lost");
        ensure!(gone, "{}", old.log());
        Ok(())
    })
    .await?;
    // The new one still leads and works.
    let kubectl = installation.kubectl().in_namespace("shop");
    kubectl
        .run(&["patch", "oauthclient", "reports", "--type=merge", "-p", r#"{"spec":{"displayName":"After"}}"#])
        .await?;
    installation.wait_until_all_ready().await?;
    ensure!(provider.kids(ACME).await? == acme_kids && provider.kids(late).await? == late_kids, "the same keys");
    ensure!(installation.secret_value("shop", "reports-oidc", "client_secret").await? == secret, "the same secret");
    ensure!(new.exit_code()?.is_none(), "{}", new.log());
    Ok(())
}
