//! Conflicts, conditions and the two-sided attachment, as `kubectl` shows them.

use anyhow::{Result, ensure};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::wait::eventually;

const RIVALS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: rival, labels: {identity.acme.example/tenant: acme}}
---
apiVersion: claviger.dev/v1alpha1
kind: Tenant
metadata: {name: impostor, namespace: rival}
spec: {slug: acme}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: thief, namespace: rival}
spec:
  tenantRef: {name: acme, namespace: identity}
  clientId: shop.reports
  grantTypes: [client_credentials]
  authentication: {secret: {}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: reader, namespace: rival}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  audiences: ["https://orders.shop.example"]
  authentication: {secret: {}}
---
apiVersion: v1
kind: Secret
metadata: {name: taken, namespace: rival}
stringData: {password: somebody-else-made-this}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: careless, namespace: rival}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {name: taken}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: weak, namespace: rival}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {existingSecretRef: {name: taken, key: password}}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: lost, namespace: rival}
spec:
  tenantRef: {name: nowhere, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {}}
"#;

#[tokio::test]
async fn each_object_that_may_not_be_served_says_why() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let before = installation.secret_value("rival", "taken", "password").await;
    ensure!(before.is_err(), "a new namespace");
    installation.kubectl().apply(RIVALS).await?;
    for (kind, name, type_, reason) in [
        ("tenant", "impostor", "Accepted", "SlugConflict"),
        ("oauthclient", "thief", "Accepted", "ClientIdNotAllowed"),
        ("oauthclient", "reader", "ReferencesResolved", "AudienceNotGranted"),
        ("oauthclient", "careless", "CredentialsReady", "SecretNotOwned"),
        ("oauthclient", "weak", "CredentialsReady", "SecretTooShort"),
        ("oauthclient", "lost", "ReferencesResolved", "TenantNotFound"),
    ] {
        let condition = installation.wait_for_condition([kind, "rival", name], type_, ["False", reason]).await?;
        let message = condition["message"].as_str().unwrap_or_default();
        ensure!(message.len() > 15, "{name}: a message for people: {condition}");
        installation.wait_for_condition([kind, "rival", name], "Ready", ["False", reason]).await?;
    }
    ensure!(installation.secret_value("rival", "taken", "password").await? == "somebody-else-made-this");
    // Who was there first goes on.
    installation.token(&installation.providers()[0], "shop", "reports-oidc").await?;
    Ok(())
}

#[tokio::test]
async fn a_client_is_served_while_both_sides_want_it() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let kubectl = installation.kubectl();
    let provider = &installation.providers()[0];
    let id = installation.secret_value("shop", "reports-oidc", "client_id").await?;
    let secret = installation.secret_value("shop", "reports-oidc", "client_secret").await?;
    let reports = ["oauthclient", "shop", "reports"];

    kubectl.run(&["label", "namespace", "shop", "identity.acme.example/tenant-"]).await?;
    installation.wait_for_condition(reports, "Accepted", ["False", "NotAllowedByTenant"]).await?;
    eventually(claviger_tests::installation::PATIENCE, "it is refused", async || {
        ensure!(provider.token(ACME, &id, &secret).await.is_err(), "still served");
        Ok(())
    })
    .await?;
    kubectl.run(&["label", "namespace", "shop", "identity.acme.example/tenant=acme"]).await?;
    installation.wait_for_condition(reports, "Ready", ["True", "Ready"]).await?;
    ensure!(installation.secret_value("shop", "reports-oidc", "client_secret").await? == secret, "the same secret");
    provider.token(ACME, &id, &secret).await?;
    Ok(())
}
