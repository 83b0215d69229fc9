//! The spine: YAML, `kubectl wait`, the credentials in the Secret, a token that a library of
//! somebody else's verifies.

use anyhow::{Result, ensure};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::token_verifier::verify_token;

#[tokio::test]
async fn the_quickstart_becomes_ready_and_its_token_is_verified_by_another_library() -> Result<()> {
    let installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;

    let issuer = format!("{}{ACME}", installation.external_url());
    ensure!(installation.secret_value("shop", "reports-oidc", "issuer").await? == issuer);
    for provider in installation.providers() {
        let token = installation.token(provider, "shop", "reports-oidc").await?;
        let claims = verify_token(&issuer, &token, Some("https://orders.shop.example")).await?;
        ensure!(claims["client_id"] == "shop.reports" && claims["scope"] == "orders:read", "{claims}");
        ensure!(claims["tenant_id"] == "acme" && claims["sub"] == "shop.reports", "{claims}");
    }
    for object in ["tenant/acme", "signingkey/acme-rs256", "user/ada"] {
        let message = installation.kubectl().in_namespace("identity").run(&["get", object]).await?;
        ensure!(message.contains("True"), "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn kubectl_get_reads_as_a_status_board() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let kubectl = installation.kubectl();
    let issuer = format!("{}{ACME}", installation.external_url());
    let active = installation.providers()[0].kids(ACME).await?;
    for (kind, columns, row) in [
        ("tenants", ["SLUG", "ISSUER", "READY", "REASON"].as_slice(), ["acme", &issuer, "True", "Ready"].as_slice()),
        ("oauthclients", &["CLIENT ID", "TENANT", "READY", "REASON"], &["shop.reports", "acme", "True", "Ready"]),
        ("signingkeys", &["ALGORITHM", "ACTIVE KID", "READY", "REASON"], &["RS256", "True", "Ready"]),
        ("users", &["USERNAME", "READY", "REASON"], &["ada", "True", "Ready"]),
    ] {
        let board = kubectl.run(&["get", kind, "--all-namespaces", "-o", "wide"]).await?;
        let lines: Vec<&str> = board.lines().collect();
        for column in columns {
            ensure!(lines[0].contains(column), "{kind} has no column {column}: {board}");
        }
        ensure!(lines.iter().any(|line| row.iter().all(|cell| line.contains(cell))), "{kind}: {row:?}: {board}");
    }
    let board = kubectl.run(&["get", "signingkeys", "--all-namespaces"]).await?;
    ensure!(active.iter().any(|kid| board.contains(kid.as_str())), "{active:?}: {board}");
    // Short names and the category.
    let all = kubectl.run(&["get", "claviger", "--all-namespaces", "-o", "name"]).await?;
    ensure!(all.lines().count() == 6, "{all}");
    Ok(())
}

#[tokio::test]
async fn a_token_bears_the_signature_of_the_active_key_and_the_standby_is_published() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let provider = &installation.providers()[0];
    let key = installation.kubectl().in_namespace("identity").json(&["get", "signingkey", "acme-rs256"]).await?;
    let kids = provider.kids(ACME).await?;
    ensure!(kids.len() == 2, "one Active and one standby: {kids:?}");
    let token = installation.token(provider, "shop", "reports-oidc").await?;
    let header = jsonwebtoken::decode_header(&token)?;
    ensure!(header.kid.as_deref() == key["status"]["activeKid"].as_str(), "{header:?}: {key}");
    let phases: Vec<&str> =
        key["status"]["keys"].as_array().into_iter().flatten().filter_map(|key| key["phase"].as_str()).collect();
    ensure!(phases == ["Published", "Active"], "{phases:?}");
    Ok(())
}
