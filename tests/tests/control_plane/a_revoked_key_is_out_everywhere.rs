//! An emergency: the key that signs may not be trusted any more, and somebody says so.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, Provider};
use claviger_tests::process::Process;
use claviger_tests::token_verifier::verify_token;
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
const AUDIENCE: &str = "https://orders.shop.example";

/// What introspection says of `token`, asked by its own client.
async fn introspect(installation: &Installation, provider: &Provider, token: &str) -> Result<Value> {
    let id = installation.secret_value("shop", "reports-oidc", "client_id").await?;
    let secret = installation.secret_value("shop", "reports-oidc", "client_secret").await?;
    let request =
        reqwest::Client::builder().no_proxy().build()?.post(format!("{}{ACME}/oauth/introspect", provider.url()));
    let answer = request.basic_auth(id, Some(secret)).form(&[("token", token)]).send().await?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}

async fn userinfo(provider: &Provider, token: &str) -> Result<u16> {
    let request =
        reqwest::Client::builder().no_proxy().build()?.get(format!("{}{ACME}/oauth/userinfo", provider.url()));
    Ok(request.bearer_auth(token).send().await?.status().as_u16())
}

async fn status(installation: &Installation) -> Result<Value> {
    let key = installation.kubectl().in_namespace("identity").json(&["get", "signingkey", "acme-rs256"]).await?;
    Ok(key["status"].clone())
}

/// Revokes them as a person does who keeps a file of it.
async fn revoke(installation: &Installation, kids: &[&str]) -> Result<()> {
    let reason = "a laptop with a copy was stolen";
    let revoked: Vec<_> = kids.iter().map(|kid| json!({"kid": kid, "reason": reason})).collect();
    let manifest = json!({
        "apiVersion": "claviger.dev/v1alpha1",
        "kind": "SigningKey",
        "metadata": {"name": "acme-rs256", "namespace": "identity"},
        "spec": {
            "tenantRef": {"name": "acme"},
            "revoked": revoked,
        },
    });
    let apply = ["apply", "--server-side", "--field-manager=ada", "-f", "-"];
    let outcome = installation.kubectl().outcome(&apply, &manifest.to_string()).await?;
    ensure!(outcome.success, "{}", outcome.errors);
    Ok(())
}

/// Until no provider shows `kid`, asked every few milliseconds.
async fn gone_everywhere(installation: &Installation, kid: &str) -> Result<()> {
    for provider in installation.providers() {
        let end = Instant::now() + PATIENCE;
        while provider.kids(ACME).await?.iter().any(|shown| shown == kid) {
            ensure!(Instant::now() < end, "{kid} is still in the JWK Set of {}", provider.url());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

async fn is_in_the_audit_stream(operator: &Process, kid: &str) -> Result<()> {
    let line = operator.wait_for_line(PATIENCE, "\"signing_key_revoked\"").await?;
    for part in [kid, "identity/acme-rs256", "a laptop with a copy was stolen", "ada", "\"tenant\":\"acme\""] {
        ensure!(line.contains(part), "{part} is not in {line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_revoked_is_out_on_every_pod_and_its_tokens_are_refused() -> Result<()> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let kid = status(&installation).await?["activeKid"].as_str().context("no activeKid")?.to_owned();
    let mut tokens = Vec::new();
    for provider in installation.providers() {
        let token = installation.token(provider, "shop", "reports-oidc").await?;
        ensure!(introspect(&installation, provider, &token).await?["active"] == true, "it is good now");
        // Nobody's claims are behind it, which is said only of a token that is good.
        ensure!(userinfo(provider, &token).await? == 403, "it is a client's");
        tokens.push(token);
    }

    let begun = Instant::now();
    revoke(&installation, &[&kid]).await?;
    let applied = begun.elapsed();
    gone_everywhere(&installation, &kid).await?;
    println!("revoked: kubectl took {applied:?}, and after {:?} no provider showed the key", begun.elapsed());

    for provider in installation.providers() {
        for token in &tokens {
            ensure!(
                introspect(&installation, provider, token).await? == json!({"active": false}),
                "{}",
                provider.url()
            );
            ensure!(userinfo(provider, token).await? == 401, "{}", provider.url());
        }
        let metrics = provider.metrics().await?;
        let unknown = "claviger_provider_tokens_of_unknown_keys_total{token=\"access_token\"} 4";
        ensure!(metrics.contains(unknown), "{metrics}");
        ensure!(!metrics.contains(&format!("{{kid=\"{kid}\"}}")), "{metrics}");
        // And another signs.
        let token = installation.token(provider, "shop", "reports-oidc").await?;
        verify_token(&format!("{}{ACME}", installation.external_url()), &token, Some(AUDIENCE)).await?;
    }

    let key = eventually(PATIENCE, "status tells of it", async || {
        let now = status(&installation).await?;
        ensure!(now["activeKid"].as_str().is_some_and(|active| active != kid), "{now}");
        let keys = now["keys"].as_array().context("no keys")?;
        let key = keys.iter().find(|key| key["kid"] == *kid).cloned().context("the key is gone")?;
        ensure!(key["phase"] == "Revoked", "{key}");
        Ok(key)
    })
    .await?;
    ensure!(key["revokedBy"] == "ada" && key["revokedReason"] == "a laptop with a copy was stolen", "{key}");
    ensure!(key["revokedAt"].as_str() < key["trustedUntil"].as_str() && key["revokedAt"].is_string(), "{key}");
    is_in_the_audit_stream(&operator, &kid).await?;
    // Another one a moment later is a story of its own: who, why and which are not lost.
    let next = status(&installation).await?["activeKid"].as_str().context("no activeKid")?.to_owned();
    revoke(&installation, &[&kid, &next]).await?;
    gone_everywhere(&installation, &next).await?;
    eventually(PATIENCE, "an Event for each", async || {
        let kubectl = installation.kubectl().in_namespace("identity");
        let told = kubectl.run(&["describe", "signingkey", "acme-rs256"]).await?;
        for kid in [&kid, &next] {
            let words = format!("The key {kid} was revoked by ada: a laptop with a copy was stolen");
            ensure!(told.lines().any(|line| line.contains("KeyRevoked") && line.contains(&words)), "{told}");
        }
        Ok(())
    })
    .await
}
