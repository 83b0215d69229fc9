//! Last known good: a published Secret that somebody spoils costs nothing, with the operator there
//! and with the operator away.

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, PATIENCE, PUBLISHED};
use claviger_tests::process::Process;
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

async fn serving() -> Result<(Installation, Process)> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    Ok((installation, operator))
}

fn name(secret: &Value) -> Result<&str> {
    secret["metadata"]["name"].as_str().context("no name")
}

/// Somebody writes nonsense into it.
async fn corrupt(installation: &Installation, secret: &Value) -> Result<()> {
    let patch = json!({"data": {"document.json": "bm9uc2Vuc2U="}}).to_string();
    let kubectl = installation.kubectl().in_namespace(PUBLISHED);
    kubectl.run(&["patch", "secret", name(secret)?, "--type=merge", "--patch", &patch]).await.map(drop)
}

async fn delete(installation: &Installation, secret: &Value) -> Result<()> {
    installation.kubectl().in_namespace(PUBLISHED).run(&["delete", "secret", name(secret)?]).await.map(drop)
}

async fn everyone_issues(installation: &Installation) -> Result<()> {
    for provider in installation.providers() {
        installation.token(provider, "shop", "reports-oidc").await?;
    }
    Ok(())
}

async fn all(installation: &Installation) -> Result<Vec<Value>> {
    Ok(vec![
        installation.published("Tenant", "identity", "acme").await?,
        installation.published("SigningKey", "identity", "acme-rs256").await?,
        installation.published("OAuthClient", "shop", "reports").await?,
        installation.published("User", "identity", "ada").await?,
    ])
}

/// The document, without what stands nowhere else and so is lost with it: the time at which a hash
/// was first published, and a password's salt.
fn meaning(secret: &Value) -> Result<Value> {
    let mut document = Installation::document(secret)?;
    for hash in document["spec"]["authentication"]["hashes"].as_array_mut().into_iter().flatten() {
        hash["createdAt"] = Value::Null;
    }
    if document["spec"]["passwordHash"].is_string() {
        document["spec"]["passwordHash"] = Value::Null;
    }
    Ok(document)
}

async fn repaired(installation: &Installation, before: &[Value]) -> Result<()> {
    eventually(PATIENCE, "everything is as it was", async || {
        for (now, before) in all(installation).await?.iter().zip(before) {
            ensure!(meaning(now)? == meaning(before)?, "{} is not repaired", before["metadata"]["name"]);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_corrupted_or_deleted_secret_is_repaired_and_told_of_while_tokens_are_issued() -> Result<()> {
    let (installation, _operator) = serving().await?;
    let before = all(&installation).await?;
    for secret in &before {
        corrupt(&installation, secret).await?;
    }
    everyone_issues(&installation).await?;
    repaired(&installation, &before).await?;
    for secret in &before {
        delete(&installation, secret).await?;
    }
    everyone_issues(&installation).await?;
    repaired(&installation, &before).await?;
    everyone_issues(&installation).await?;
    installation.wait_until_all_ready().await?;
    eventually(PATIENCE, "an Event tells of it", async || {
        let events = installation.events("OAuthClient", "shop", "reports").await?;
        ensure!(events.iter().any(|reason| reason == "DocumentRepaired"), "{events:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn with_the_operator_away_providers_serve_the_last_good_one() -> Result<()> {
    let (mut installation, operator) = serving().await?;
    operator.kill().await?;
    let before = all(&installation).await?;
    corrupt(&installation, &before[0]).await?;
    delete(&installation, &before[1]).await?;
    delete(&installation, &before[2]).await?;
    delete(&installation, &before[3]).await?;
    eventually(PATIENCE, "the provider has noticed", async || {
        let metrics = installation.providers()[0].metrics().await?;
        let noticed = metrics
            .lines()
            .any(|line| line.starts_with("claviger_provider_documents_refused") && !line.ends_with(" 0"));
        ensure!(noticed, "{metrics}");
        Ok(())
    })
    .await?;
    everyone_issues(&installation).await?;

    // The operator comes back and repairs; then even a provider that starts from nothing serves.
    let _operator = installation.start_operator("two").await?;
    repaired(&installation, &before).await?;
    installation.restart_provider(1).await?;
    everyone_issues(&installation).await?;
    let kids = installation.providers()[0].kids(ACME).await?;
    ensure!(kids.len() == 2 && kids == installation.providers()[1].kids(ACME).await?, "{kids:?}");
    Ok(())
}
