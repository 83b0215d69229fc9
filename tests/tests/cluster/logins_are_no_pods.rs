//! With a PostgreSQL a login is no pod's: what one provider began another goes on with.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::postgres::Server;
use claviger_tests::user_agent::UserAgent;
use serde_json::{Value, json};
use url::Url;

use crate::release::{Release, SYSTEM};
use crate::service::Service;

/// What `tests/cluster/settings.py` calls NODE_IP: pods reach what listens on it.
const NODE: &str = "172.30.255.1";
const PASSWORD: &str = "of-the-database";
/// Of the quick start; nothing answers there.
const CALLBACK: &str = "http://127.0.0.1:8081/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::test]
async fn a_login_and_its_tokens_outlive_every_provider_pod() -> Result<()> {
    let database = Server::start(open_to_pods)?;
    database.run("postgres", &format!("ALTER USER claviger PASSWORD '{PASSWORD}'")).await?;
    let release = Release::ready().await?;
    remember_in(&release, &database).await?;
    let shop = Service::of(&release, "shop-oidc").await?;

    let mut person = UserAgent::scattered("ada", "demo-only-change-me")?;
    let arrival = person.open_until(authorize(&shop)?.as_str(), CALLBACK).await?;
    ensure!(arrival.pages == ["login", "consent"], "{:?}", arrival.pages);
    let tokens = redeem(&shop, &arrival.parameter("code").context("no code")?).await?;
    let subject = subject(&shop, &tokens).await?;

    release.replace_a_pod("provider").await?;
    release.replace_a_pod("provider").await?;
    let refresh = tokens["refresh_token"].as_str().context("no refresh token")?;
    let fresh = shop.tokens(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await?;
    ensure!(self::subject(&shop, &fresh).await? == subject, "somebody else's: {fresh}");
    let again = person.open_until(authorize(&shop)?.as_str(), CALLBACK).await?;
    ensure!(again.pages.is_empty(), "the session is known: {:?}", again.pages);
    redeem(&shop, &again.parameter("code").context("no code")?).await?;
    Ok(())
}

/// Who has the password may come from a pod.
fn open_to_pods(data: &Path) -> &'static str {
    let rules = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all 0.0.0.0/0 scram-sha-256\n";
    // A failure shows at once: the server would refuse every pod.
    let _ = std::fs::write(data.join("pg_hba.conf"), rules);
    "listen_addresses = '*'\n"
}

/// Gives the providers the database, as a platform team does.
async fn remember_in(release: &Release, database: &Server) -> Result<()> {
    let url = format!("postgres://claviger:{PASSWORD}@{NODE}:{}/postgres?sslmode=disable", database.port());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "namespace": SYSTEM},
        "stringData": {"url": url},
    });
    release.kubectl.apply(&secret.to_string()).await?;
    release.install(&["provider.store.existingSecret.name=database"]).await?;
    release.all_ready().await
}

fn authorize(shop: &Service) -> Result<Url> {
    Ok(Url::parse_with_params(
        &format!("{}/oauth/authorize", shop.issuer),
        [
            ("response_type", "code"),
            ("client_id", &shop.client_id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile"),
            ("state", "try"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ],
    )?)
}

async fn redeem(shop: &Service, code: &str) -> Result<Value> {
    let verifier = ("code_verifier", VERIFIER);
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), verifier];
    shop.tokens(&form).await
}

/// Whom UserInfo names.
async fn subject(shop: &Service, tokens: &Value) -> Result<String> {
    let access = tokens["access_token"].as_str().context("no access token")?;
    let request = shop.http.get(format!("{}/oauth/userinfo", shop.issuer)).bearer_auth(access);
    let claims: Value = request.send().await?.error_for_status()?.json().await?;
    Ok(claims["sub"].as_str().context("no sub")?.to_owned())
}
