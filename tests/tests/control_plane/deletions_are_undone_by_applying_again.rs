//! An accidental prune, and a lost CustomResourceDefinition: applying the same YAML again brings
//! back the same keys and the same secrets.

use std::time::Duration;

use anyhow::{Result, ensure};
use claviger_tests::installation::{ACME, Installation, KINDS, PATIENCE, crds};
use claviger_tests::wait::eventually;

struct Identity {
    kids: Vec<String>,
    secret: String,
}

async fn identity(installation: &Installation) -> Result<Identity> {
    Ok(Identity {
        kids: installation.providers()[0].kids(ACME).await?,
        secret: installation.secret_value("shop", "reports-oidc", "client_secret").await?,
    })
}

async fn wait_until_withdrawn(installation: &Installation) -> Result<()> {
    eventually(PATIENCE, "the issuer is gone", async || {
        let (status, _) = installation.providers()[0].get(&format!("{ACME}/.well-known/jwks.json")).await?;
        ensure!(status == 404, "{status}");
        Ok(())
    })
    .await
}

async fn comes_back_the_same(installation: &Installation, before: &Identity) -> Result<()> {
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let after = identity(installation).await?;
    ensure!(after.kids == before.kids, "{:?} became {:?}", before.kids, after.kids);
    ensure!(after.secret == before.secret, "another secret");
    installation.token(&installation.providers()[0], "shop", "reports-oidc").await.map(drop)
}

#[tokio::test]
async fn pruned_objects_come_back_with_their_keys_and_secrets() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let before = identity(&installation).await?;
    for namespace in ["identity", "shop"] {
        installation.kubectl().in_namespace(namespace).run(&["delete", KINDS, "--all"]).await?;
    }
    wait_until_withdrawn(&installation).await?;
    comes_back_the_same(&installation, &before).await
}

#[tokio::test]
async fn a_lost_custom_resource_definition_costs_no_key_and_no_secret() -> Result<()> {
    let installation = Installation::start(1).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let before = identity(&installation).await?;
    let kubectl = installation.kubectl();
    let names = ["tenants", "signingkeys", "oauthclients", "users"].map(|kind| format!("{kind}.claviger.dev"));
    kubectl.run(&[&["delete", "crd"], names.each_ref().map(String::as_str).as_slice()].concat()).await?;
    // Time enough to do whatever it will do about that.
    tokio::time::sleep(Duration::from_secs(8)).await;
    ensure!(operator.exit_code()?.is_none(), "{}", operator.log());
    kubectl.apply(&crds().await?).await?;
    kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    comes_back_the_same(&installation, &before).await
}
