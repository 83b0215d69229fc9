//! Two operators, one of which was paused while it led: what it still wants to write is refused or
//! never sent. Its writes pass a proxy that notes what became of each.

use anyhow::{Result, ensure};
use claviger_tests::api_proxy::Category;
use claviger_tests::installation::{ACME, Installation, PATIENCE};
use claviger_tests::wait::eventually;

#[tokio::test]
async fn an_old_leader_that_wakes_up_destroys_no_key_and_no_secret() -> Result<()> {
    let installation = Installation::start(1).await?;
    let old = installation.start_operator("old").await?;
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

    // What changes meanwhile is the first thing that the old one sees when it wakes up.
    let shop = installation.kubectl().in_namespace("shop");
    shop.run(&["patch", "oauthclient", "orders", "--type=merge", "-p", r#"{"spec":{"displayName":"Now"}}"#]).await?;
    installation.wait_until_all_ready().await?;
    installation.proxy().restore();
    old.resume()?;
    eventually(PATIENCE, "the old leader has noticed", async || {
        let gone = old.exit_code()?.is_some() || old.log().contains("the leadership is lost");
        ensure!(gone, "{}", old.log());
        Ok(())
    })
    .await?;
    let landed = installation.proxy().writes_of(Category::Object);
    let landed: Vec<_> = landed.iter().filter(|write| write.status.is_none_or(|status| status < 400)).collect();
    ensure!(landed.is_empty(), "the old leader still wrote: {landed:?}");
    // The new one still leads and works.
    shop.run(&["patch", "oauthclient", "reports", "--type=merge", "-p", r#"{"spec":{"displayName":"After"}}"#]).await?;
    installation.wait_until_all_ready().await?;
    ensure!(provider.kids(ACME).await? == acme_kids && provider.kids(late).await? == late_kids, "the same keys");
    ensure!(installation.secret_value("shop", "reports-oidc", "client_secret").await? == secret, "the same secret");
    ensure!(new.exit_code()?.is_none(), "{}", new.log());
    Ok(())
}
