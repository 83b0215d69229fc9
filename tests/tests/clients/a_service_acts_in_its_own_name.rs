//! Client credentials, with each way to authenticate that the library offers.

use anyhow::{Context as _, Result, ensure};
use claviger_tests::relying_party::{Language, RelyingParty};
use serde_json::json;

use crate::tenant::Tenant;

async fn service(language: Language, client: &str, authentication: &str) -> Result<()> {
    let tenant = Tenant::shared().await?;
    let mut settings = tenant.settings(client, authentication)?;
    settings["grant"] = json!("client_credentials");
    settings["scope"] = json!("orders:read");
    let report = RelyingParty::start(language, &settings).await?.report().await?;
    let check = || {
        let (before, after) = (&report["introspection"], &report["introspection_after_revocation"]);
        ensure!(before["active"] == true && before["sub"] == settings["client_id"], "what introspection says");
        ensure!(before["scope"] == "orders:read", "what it may do");
        let audience = "https://orders.example";
        ensure!(before["aud"] == audience || before["aud"] == json!([audience]), "where it may do that");
        ensure!(report["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "how long it lives");
        ensure!(after["active"] == false, "a revoked token still works");
        Ok(())
    };
    check().with_context(|| format!("{language:?} with {authentication} saw {report:#}"))
}

#[tokio::test]
async fn in_python() -> Result<()> {
    service(Language::Python, "service", "client_secret_basic").await
}

#[tokio::test]
async fn in_python_with_a_key() -> Result<()> {
    service(Language::Python, "signed", "private_key_jwt").await
}

#[tokio::test]
async fn in_javascript() -> Result<()> {
    service(Language::JavaScript, "service", "client_secret_post").await
}

#[tokio::test]
async fn in_javascript_with_a_key() -> Result<()> {
    service(Language::JavaScript, "signed", "private_key_jwt").await
}

#[tokio::test]
async fn in_go() -> Result<()> {
    service(Language::Go, "service", "client_secret_basic").await
}

#[tokio::test]
async fn in_java() -> Result<()> {
    service(Language::Java, "service", "client_secret_post").await
}

#[tokio::test]
async fn in_java_with_a_key() -> Result<()> {
    service(Language::Java, "signed", "private_key_jwt").await
}

#[tokio::test]
async fn in_rust() -> Result<()> {
    service(Language::Rust, "service", "client_secret_basic").await
}
