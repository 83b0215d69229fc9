//! What the chart's roles grant, as the API server sees it.

use anyhow::{Context as _, Result, bail, ensure};
use claviger_tests::kubectl::Outcome;

use crate::release::{PUBLISHED, Release, SYSTEM};

const OPERATOR: &str = "system:serviceaccount:claviger-system:claviger-operator";
const PROVIDER: &str = "system:serviceaccount:claviger-system:claviger-provider";

#[tokio::test]
async fn the_operator_and_the_providers_may_do_what_they_need_and_no_more() -> Result<()> {
    let release = Release::ready().await?;
    for (who, verb, what, namespace, allowed) in [
        (OPERATOR, "list", "secrets", SYSTEM, true),
        (OPERATOR, "watch", "secrets", PUBLISHED, true),
        (OPERATOR, "get", "secrets", "shop", true),
        (OPERATOR, "list", "secrets", "shop", false),
        (OPERATOR, "watch", "secrets", "shop", false),
        (OPERATOR, "update", "tenants", "identity", false),
        (OPERATOR, "update", "leases/another", SYSTEM, false),
        (OPERATOR, "create", "pods", SYSTEM, false),
        (OPERATOR, "watch", "serviceaccounts", "shop", true),
        (OPERATOR, "update", "serviceaccounts", "shop", false),
        (OPERATOR, "create", "serviceaccounts", "shop", false),
        (OPERATOR, "get", "/openid/v1/jwks", SYSTEM, true),
        (OPERATOR, "get", "/metrics", SYSTEM, false),
        (PROVIDER, "list", "secrets", PUBLISHED, true),
        (PROVIDER, "update", "secrets", PUBLISHED, false),
        (PROVIDER, "get", "secrets", SYSTEM, false),
        (PROVIDER, "get", "secrets", "shop", false),
        (PROVIDER, "list", "tenants", "identity", false),
        (PROVIDER, "list", "serviceaccounts", "shop", false),
    ] {
        may(&release, &["--as", who], verb, what, namespace, allowed).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_editor_writes_clients_an_admin_also_users_and_the_platform_team_the_rest() -> Result<()> {
    let release = Release::ready().await?;
    let kubectl = release.kubectl.in_namespace("shop");
    for role in ["view", "edit", "admin", "claviger-platform"] {
        let (user, role) = (format!("--user=some-{role}"), format!("--clusterrole={role}"));
        let name = user.trim_start_matches("--user=");
        kubectl.run(&["create", "rolebinding", name, &role, &user]).await?;
    }
    for (who, verb, what, allowed) in [
        ("some-view", "list", "tenants", true),
        ("some-view", "create", "oauthclients", false),
        ("some-edit", "create", "oauthclients", true),
        ("some-edit", "update", "users", false),
        ("some-edit", "get", "signingkeys", true),
        ("some-admin", "update", "users", true),
        ("some-admin", "create", "tenants", false),
        ("some-admin", "delete", "signingkeys", false),
        ("some-claviger-platform", "create", "tenants", true),
        ("some-claviger-platform", "delete", "signingkeys", true),
        ("some-claviger-platform", "patch", "identityproviders", true),
        ("some-claviger-platform", "get", "secrets", false),
    ] {
        may(&release, &["--as", who], verb, what, "shop", allowed).await?;
    }
    Ok(())
}

async fn may(release: &Release, who: &[&str], verb: &str, what: &str, namespace: &str, allowed: bool) -> Result<()> {
    let line = [who, &["auth", "can-i", verb, what, "--namespace", namespace]].concat();
    let outcome = release.kubectl.outcome(&line, "").await?;
    let answer = answer(&outcome).with_context(|| format!("{line:?}"))?;
    ensure!(answer == allowed, "{line:?}: {}{}", outcome.output, outcome.errors);
    Ok(())
}

/// What the API server said. A kubectl that could not ask fails as one that was told no does, but
/// says nothing on its standard output.
fn answer(outcome: &Outcome) -> Result<bool> {
    match (outcome.output.split_whitespace().next(), outcome.success) {
        (Some("yes"), true) => Ok(true),
        (Some("no"), false) => Ok(false),
        _ => bail!("neither yes nor no: {}{}", outcome.output, outcome.errors),
    }
}

#[tokio::test]
async fn a_question_that_could_not_be_asked_is_no_denial() -> Result<()> {
    let release = Release::ready().await?;
    let nowhere = ["--server=https://127.0.0.1:1", "auth", "can-i", "create", "tenants"];
    let asked = answer(&release.kubectl.outcome(&nowhere, "").await?);
    ensure!(asked.is_err(), "taken for {asked:?}");
    Ok(())
}
