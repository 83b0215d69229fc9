//! `helm uninstall` by mistake: what cannot be made again has to stay.

use anyhow::{Result, ensure};
use claviger_tests::token_verifier::verify_token;

use crate::release::{PUBLISHED, Release, SYSTEM, helm};
use crate::service::{API, Service};

#[tokio::test]
async fn a_token_from_before_an_uninstall_is_good_after_the_next_install() -> Result<()> {
    let release = Release::ready().await?;
    let before = Service::new(&release).await?;
    let token = before.token().await?;

    let outcome = helm(&["uninstall", "claviger", "--namespace", SYSTEM, "--wait", "--timeout", "120s"]).await?;
    ensure!(outcome.success, "helm: {}", outcome.errors);
    let kubectl = &release.kubectl;
    for kept in [
        ["crd", "tenants.claviger.dev", "default"],
        ["namespace", PUBLISHED, "default"],
        ["tenant", "acme", "identity"],
        ["secret", "reports-oidc", "shop"],
    ] {
        let [kind, name, namespace] = kept;
        kubectl.run(&["get", kind, name, "--namespace", namespace]).await?;
    }
    kubectl.run(&["wait", "--for=delete", "pods", "--all", "--namespace", SYSTEM, "--timeout=60s"]).await?;

    let after = Service::new(&Release::ready().await?).await?;
    verify_token(&after.issuer, &token, Some(API)).await?;
    // The secret that the application has mounted is accepted as before.
    before.token().await.map(drop)
}
