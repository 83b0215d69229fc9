//! `mod_auth_openidc` logs a person in, refreshes, introspects, revokes, and ends its session when it
//! is told to, by its own page or by the provider.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::apache::{Apache, Registration};
use claviger_tests::relying_party::Language;
use claviger_tests::user_agent::{Arrival, UserAgent};
use claviger_tests::wait::eventually;
use serde_json::Value;
use url::Url;

use crate::login::{Home, log_in};
use crate::tenant::Tenant;

/// What Apache tells the application, by the name of its header.
fn told<'a>(page: &'a Arrival, header: &str) -> Option<&'a str> {
    page.body.lines().find_map(|line| line.strip_prefix(header)?.strip_prefix(": "))
}

/// A bearer token at the API behind Apache: the status.
async fn call_api(base: &str, token: &str) -> Result<u16> {
    let caller = reqwest::Client::builder().no_proxy().build()?;
    Ok(caller.get(format!("{base}/api")).bearer_auth(token).send().await?.status().as_u16())
}

/// Opens the application: the page, with who Apache says is there.
async fn visit(agent: &mut UserAgent, base: &str) -> Result<Arrival> {
    let page = agent.open(&format!("{base}/intranet")).await?;
    ensure!(page.url.as_str() == format!("{base}/intranet"), "at {}", page.url);
    ensure!(told(&page, "path") == Some("/intranet"), "{}", page.body);
    Ok(page)
}

/// Gets a new access token by the refresh token that Apache keeps.
async fn refresh(agent: &mut UserAgent, base: &str, access_token: &str) -> Result<Arrival> {
    let back = format!("{base}/intranet");
    let parameters = [("refresh", back.as_str()), ("access_token", access_token)];
    let url = Url::parse_with_params(&format!("{base}/callback"), parameters)?;
    let page = agent.open(url.as_str()).await?;
    ensure!(page.url.as_str() == back, "refused: {}", page.url);
    Ok(page)
}

/// One test, since the tenant knows one address of one proxy.
#[tokio::test]
async fn a_person_comes_in_and_goes_by_either_door() -> Result<()> {
    let tenant = Tenant::shared().await?;
    let (issuer, secret) = (tenant.issuer(), tenant.client_secret("proxy")?);
    let ca = tenant.dev().ca();
    let registration = Registration { issuer: &issuer, ca: &ca, client_id: "clients.proxy", client_secret: &secret };
    let apache = Apache::start(tenant.proxy_port, &registration).await?;
    let base = format!("http://127.0.0.1:{}", tenant.proxy_port);
    let mut agent = tenant.ada()?;
    let walked = async {
        goes_by_the_proxys_own_door(&mut agent, &base).await.context("by the proxy's own door")?;
        revoked_what_it_had(tenant).await?;
        goes_by_another_door(tenant, &mut agent, &base).await.context("by another application's door")
    };
    walked.await.with_context(|| apache.log())
}

async fn goes_by_the_proxys_own_door(agent: &mut UserAgent, base: &str) -> Result<()> {
    let page = visit(agent, base).await?;
    ensure!(page.pages == ["login", "consent"], "{:?}", page.pages);
    ensure!(told(&page, "oidc_claim_email") == Some("ada@clients.example"), "{}", page.body);
    ensure!(told(&page, "oidc_claim_sub").is_some_and(|subject| subject.starts_with("usr_")), "{}", page.body);
    ensure!(visit(agent, base).await?.pages.is_empty(), "a session is a session");

    let first = told(&page, "oidc_access_token").context("no access token")?.to_owned();
    let page = refresh(agent, base, &first).await?;
    let second = told(&page, "oidc_access_token").context("no access token")?.to_owned();
    ensure!(first != second, "the same access token");
    ensure!(call_api(base, &first).await? == 200, "the API refuses the token");
    ensure!(call_api(base, "nonsense").await? == 401, "the API takes anything");

    let goodbye = format!("{base}/goodbye");
    let leave = Url::parse_with_params(&format!("{base}/callback"), [("logout", &goodbye)])?;
    let left = agent.open(leave.as_str()).await?;
    ensure!(left.url.as_str().starts_with(&goodbye), "ended at {}", left.url);
    ensure!(!left.pages.contains(&"logout-confirm".to_owned()), "it sends a hint: {:?}", left.pages);
    // Not `first`: Apache may remember what it was told of that one.
    ensure!(call_api(base, &second).await? == 401, "the token outlived the logout");
    let again = visit(agent, base).await?;
    ensure!(again.pages.first().is_some_and(|page| page == "login"), "still logged in: {:?}", again.pages);
    Ok(())
}

/// Apache gives its tokens back before it sends the browser to the provider: what ends with the session is not all.
async fn revoked_what_it_had(tenant: &Tenant) -> Result<()> {
    eventually(Duration::from_secs(10), "the audit stream tells of it", async || {
        let audit = tenant.dev().audit()?;
        let events = audit.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let of_proxy = events.iter().filter(|event| event["client"] == "clients.proxy");
        let told: Vec<_> = of_proxy.filter_map(|event| event["event"].as_str()).collect();
        let at = |name| told.iter().position(|event| *event == name).with_context(|| format!("no {name}: {told:?}"));
        ensure!(at("revoke")? < at("logout")?, "{told:?}");
        Ok(())
    })
    .await
}

/// Another application of the same session logs out: the provider tells Apache by itself.
async fn goes_by_another_door(tenant: &Tenant, agent: &mut UserAgent, base: &str) -> Result<()> {
    ensure!(visit(agent, base).await?.pages.is_empty(), "not logged in");
    let home =
        Home { callback: "https://web.example/callback".to_owned(), goodbye: "https://web.example/goodbye".to_owned() };
    let settings = tenant.settings("web", "client_secret_basic")?;
    let report = log_in(Language::Go, agent, settings, &home).await?;
    let pages = report["pages"].as_array().context("pages")?;
    ensure!(!pages.contains(&"login".into()), "no single sign-on: {pages:?}");
    let logout_url = report["logout_url"].as_str().context("logout_url")?;
    agent.open_until(logout_url, &home.goodbye).await?;
    eventually(Duration::from_secs(20), "Apache's session is over", async || {
        let page = visit(agent, base).await?;
        ensure!(page.pages.first().is_some_and(|page| page == "login"), "{:?}", page.pages);
        Ok(())
    })
    .await
}
