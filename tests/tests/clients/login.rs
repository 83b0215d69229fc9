//! A person's way through one client, and what every client sees on it.

use anyhow::{Context as _, Result, ensure};
use claviger_tests::relying_party::{Language, RelyingParty};
use claviger_tests::user_agent::UserAgent;
use serde_json::{Value, json};
use url::Url;

use crate::tenant::Tenant;

/// Where an application has its pages.
pub(crate) struct Home {
    pub(crate) callback: String,
    pub(crate) goodbye: String,
}

/// Logs Ada in with `agent`, and returns what the client saw.
pub(crate) async fn log_in(language: Language, agent: &mut UserAgent, settings: Value, home: &Home) -> Result<Value> {
    let mut settings = settings;
    settings["grant"] = json!("authorization_code");
    settings["scope"] = json!("openid profile email");
    settings["redirect_uri"] = json!(home.callback);
    settings["post_logout_redirect_uri"] = json!(home.goodbye);
    let mut party = RelyingParty::start(language, &settings).await?;
    let authorization_url = party.hear().await?;
    let callback = agent.open_until(&authorization_url, &home.callback).await?;
    party.say(callback.url.as_str()).await?;
    let mut report = party.report().await?;
    report["pages"] = json!(callback.pages);
    report["authorization_url"] = json!(authorization_url);
    Ok(report)
}

/// Logs Ada in, checks what the client saw of it, and logs her out by the client's own URL. The authorization URL.
pub(crate) async fn in_and_out(language: Language, client: &str, authentication: &str, home: &Home) -> Result<Url> {
    let tenant = Tenant::shared().await?;
    let mut agent = tenant.ada()?;
    let settings = tenant.settings(client, authentication)?;
    let report = log_in(language, &mut agent, settings.clone(), home).await?;
    check(&report, &tenant.issuer(), settings["client_id"].as_str().context("client_id")?)
        .with_context(|| format!("{language:?} with {authentication} saw {report:#}"))?;
    ensure!(report["introspection"].is_null() == (authentication == "none"), "introspection: {report:#}");

    let logout_url = report["logout_url"].as_str().context("logout_url")?;
    let goodbye = agent.open_until(logout_url, &home.goodbye).await?;
    ensure!(goodbye.parameter("state").as_deref() == Some("signed-out"), "{}", goodbye.url);
    ensure!(!goodbye.pages.contains(&"logout-confirm".to_owned()), "a hint needs no question: {:?}", goodbye.pages);
    let authorization_url = report["authorization_url"].as_str().context("authorization_url")?;
    let again = agent.open_until(authorization_url, &home.callback).await?;
    ensure!(again.pages.first().is_some_and(|page| page == "login"), "still logged in: {:?}", again.pages);
    Ok(Url::parse(authorization_url)?)
}

fn check(report: &Value, issuer: &str, client_id: &str) -> Result<()> {
    let (claims, refreshed, userinfo) = (&report["claims"], &report["refreshed"], &report["userinfo"]);
    let subject = claims["sub"].as_str().context("sub")?;
    ensure!(report["pages"][0] == "login", "no login was asked for");
    ensure!(claims["iss"] == issuer && is_for(&claims["aud"], client_id), "the ID token's issuer and audience");
    // A library may show a time as a number or as text.
    ensure!(!claims["nonce"].is_null() && !claims["auth_time"].is_null(), "the ID token's nonce and auth_time");
    ensure!(refreshed["sub"] == subject && refreshed["auth_time"] == claims["auth_time"], "the second ID token");
    ensure!(userinfo["sub"] == subject, "who UserInfo is about");
    ensure!(userinfo["email"] == "ada@clients.example", "the e-mail address");
    ensure!(userinfo["name"] == "Ada Lovelace" || userinfo["name"][""] == "Ada Lovelace", "the name");
    ensure!(report["rotated"] == true, "the refresh token stayed the same");
    ensure!(report["refresh_after_revocation"] == "invalid_grant", "the revoked refresh token still works");
    if !report["introspection"].is_null() {
        let (before, after) = (&report["introspection"], &report["introspection_after_revocation"]);
        ensure!(before["active"] == true && before["sub"] == subject, "what introspection says");
        ensure!(before["client_id"] == client_id, "whose token it is");
        ensure!(after["active"] == false, "the access token outlived its grant");
    }
    Ok(())
}

/// `aud` is a string, or an array of one.
fn is_for(audience: &Value, client_id: &str) -> bool {
    *audience == client_id || *audience == json!([client_id])
}
