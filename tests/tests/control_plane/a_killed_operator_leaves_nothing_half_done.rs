//! The operator is killed after each of its writes in turn, with the answer lost: after a restart
//! the result is the same as without the kill. (That the story is complete for every kind of
//! change is shown in the engine's own tests; here the API server is real.)

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::api_proxy::Moment;
use claviger_tests::installation::{Installation, KINDS, OPERATOR, PATIENCE, PUBLISHED};
use claviger_tests::wait::eventually;
use serde_json::Value;

/// One of each kind; ES256, for its keys are made in no time.
fn manifest(namespace: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: claviger.dev/v1alpha1
kind: Tenant
metadata: {{name: {namespace}, namespace: {namespace}}}
spec: {{signing: {{default: ring}}}}
---
apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {{name: ring, namespace: {namespace}}}
spec: {{tenantRef: {{name: {namespace}}}, algorithm: ES256}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {{name: app, namespace: {namespace}}}
spec:
  tenantRef: {{name: {namespace}, namespace: {namespace}}}
  grantTypes: [client_credentials]
  authentication: {{secret: {{}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: password, namespace: {namespace}}}
stringData: {{password: correct horse battery staple}}
---
apiVersion: claviger.dev/v1alpha1
kind: User
metadata: {{name: ada, namespace: {namespace}}}
spec: {{tenantRef: {{name: {namespace}}}, passwordSecretRef: {{name: password, key: password}}}}
"#
    )
}

/// What there has to be in the end: one ring with one Active key and a standby, a secret that is
/// accepted, and each Secret once.
async fn is_whole(installation: &Installation, namespace: &str) -> Result<()> {
    // In this namespace alone: those of earlier stories are on their way out.
    let kubectl = installation.kubectl().in_namespace(namespace);
    kubectl.run(&["wait", "--for=condition=Ready", KINDS, "--all", "--timeout=60s"]).await?;
    let ring = Installation::content(&installation.ring(namespace, "ring").await?, "ring.json")?;
    let phases: Vec<&Value> = ring["keys"].as_array().context("no keys")?.iter().map(|key| &key["phase"]).collect();
    ensure!(phases == ["Published", "Active"], "{phases:?}");
    let published = Installation::document(&installation.published("SigningKey", namespace, "ring").await?)?;
    ensure!(published["spec"]["keys"][1]["kid"] == ring["keys"][1]["kid"], "the published ring is another");
    let path = format!("/api/v1/auth/tenants/{namespace}");
    let id = installation.secret_value(namespace, "app-oidc", "client_id").await?;
    let secret = installation.secret_value(namespace, "app-oidc", "client_secret").await?;
    installation.providers()[0].token(&path, &id, &secret).await?;
    for (place, expected) in [(OPERATOR, 2), (PUBLISHED, 4)] {
        let list = installation.kubectl().in_namespace(place).json(&["get", "secrets"]).await?;
        let items = list["items"].as_array().context("no list")?.iter();
        let ours = items.filter(|secret| {
            let owner = secret["metadata"]["annotations"]["claviger.dev/owner"].as_str().unwrap_or_default();
            owner.starts_with(&format!("{namespace}/"))
        });
        ensure!(ours.count() == expected, "{place} holds others than expected: {list}");
    }
    Ok(())
}

/// An installation whose internal certificates are made, without an operator.
async fn prepared() -> Result<Installation> {
    let installation = Installation::start(1).await?;
    let operator = installation.start_operator("first").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    operator.terminate()?;
    operator.wait_for_exit(PATIENCE).await?;
    Ok(installation)
}

/// An operator that is killed after the `nth` of the writes that `story` makes it do. Whether there
/// were so many.
async fn killed_after(
    nth: usize,
    installation: &Installation,
    story: impl AsyncFnOnce() -> Result<()>,
) -> Result<bool> {
    installation.proxy().restore();
    let operator = installation.start_operator(&format!("doomed-{nth}")).await?;
    installation.wait_until_leading(&operator).await?;
    installation.proxy().cut_at_write(nth, Moment::After);
    story().await?;
    let cut = installation.proxy().wait_for_cut(Duration::from_secs(8)).await.is_ok();
    operator.kill().await?;
    installation.proxy().restore();
    // The dead one never gave its lease back, and nobody waits fifteen seconds here.
    let leases = installation.kubectl().in_namespace(OPERATOR);
    leases.run(&["delete", "lease", "claviger-operator", "--ignore-not-found"]).await?;
    Ok(cut)
}

/// What an operator makes of it that is not killed.
async fn finished(nth: usize, installation: &Installation, check: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let successor = installation.start_operator(&format!("successor-{nth}")).await?;
    check().await.with_context(|| format!("killed after write {nth}"))?;
    successor.terminate()?;
    ensure!(successor.wait_for_exit(PATIENCE).await? == 0, "{}", successor.log());
    Ok(())
}

#[tokio::test]
async fn killed_after_any_of_its_writes_it_finishes_the_work_when_it_is_back() -> Result<()> {
    let installation = prepared().await?;
    let mut writes = 0;
    for nth in 1.. {
        let namespace = format!("story-{nth}");
        let apply = async || installation.kubectl().apply(&manifest(&namespace)).await.map(drop);
        let cut = killed_after(nth, &installation, apply).await?;
        finished(nth, &installation, async || is_whole(&installation, &namespace).await).await?;
        installation.kubectl().run(&["delete", "namespace", &namespace, "--wait=false"]).await?;
        if !cut {
            break;
        }
        writes = nth;
    }
    println!("killed after each of {writes} writes");
    ensure!(writes >= 10, "a story of {writes} writes tells nothing");
    Ok(())
}

#[tokio::test]
async fn killed_while_everything_is_deleted_it_withdraws_the_rest_and_all_of_it_comes_back() -> Result<()> {
    let installation = prepared().await?;
    let provider = &installation.providers()[0];
    let mut writes = 0;
    for nth in 1.. {
        let namespace = format!("story-{nth}");
        let path = format!("/api/v1/auth/tenants/{namespace}");
        installation.kubectl().apply(&manifest(&namespace)).await?;
        finished(nth, &installation, async || is_whole(&installation, &namespace).await).await?;
        let before =
            (provider.kids(&path).await?, installation.secret_value(&namespace, "app-oidc", "client_secret").await?);

        let kubectl = installation.kubectl().in_namespace(&namespace);
        let delete = async || kubectl.run(&["delete", KINDS, "--all"]).await.map(drop);
        let cut = killed_after(nth, &installation, delete).await?;
        let comes_back = async || {
            eventually(PATIENCE, "the issuer is gone", async || {
                let (status, _) = provider.get(&format!("{path}/.well-known/jwks.json")).await?;
                ensure!(status == 404, "{status}");
                Ok(())
            })
            .await?;
            installation.kubectl().apply(&manifest(&namespace)).await?;
            is_whole(&installation, &namespace).await?;
            let after = (
                provider.kids(&path).await?,
                installation.secret_value(&namespace, "app-oidc", "client_secret").await?,
            );
            ensure!(after == before, "other keys, or another secret");
            Ok(())
        };
        finished(nth, &installation, comes_back).await?;
        installation.kubectl().run(&["delete", "namespace", &namespace, "--wait=false"]).await?;
        if !cut {
            break;
        }
        writes = nth;
    }
    println!("killed after each of {writes} writes");
    ensure!(writes >= 4, "a story of {writes} writes tells nothing");
    Ok(())
}
