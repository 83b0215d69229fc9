//! From the authorization request to a token, and what comes after it.

use claviger_crds::published::{ClientDocument, ConsentPolicy, Content, Document};
use serde_json::{Value, json};

use crate::browser::{Browser, form};
use crate::fixture::*;

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn web_app(id: &str, consent: ConsentPolicy) -> Document {
    app("acme", id, |document| document.consent = consent)
}

/// A web application, as `change` makes it; by itself it asks nobody for consent.
pub(crate) fn app(slug: &str, id: &str, change: impl FnOnce(&mut ClientDocument)) -> Document {
    let mut document = client_document(id);
    document.consent = ConsentPolicy::Skip;
    document.redirect_uris = vec!["https://shop.example/callback".to_owned()];
    document.post_logout_redirect_uris = vec!["https://shop.example/".to_owned()];
    document.grant_types = vec!["authorization_code".to_owned(), "refresh_token".to_owned()];
    let scopes = ["openid", "profile", "email", "groups", "offline_access"];
    document.scopes = scopes.map(str::to_owned).to_vec();
    change(&mut document);
    serving(slug, id, Content::OAuthClient(document))
}

pub(crate) fn tenant_with_logins(slug: &str) -> Document {
    let mut tenant = tenant_document(slug);
    tenant.login.passwords = true;
    serving(slug, slug, Content::Tenant(tenant))
}

/// With the application of [`SHOP`] as `change` makes it.
pub(crate) fn shop(change: impl FnOnce(&mut ClientDocument)) -> Fixture {
    let fixture = fixture(ConsentPolicy::Skip);
    fixture.apply(&app("acme", "shop.app", change), 2);
    fixture.apply(&user("acme", "bob", "bobs password"), 1);
    fixture
}

/// Tokens of Ada's for [`SHOP`].
pub(crate) async fn tokens(fixture: &Fixture, more: &[(&str, &str)]) -> Value {
    let code = Browser::new(fixture).code(&authorize(more)).await;
    redeem(fixture, &code).await.json()
}

pub(crate) fn fixture(consent: ConsentPolicy) -> Fixture {
    Fixture::serving([
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        web_app("shop.app", consent),
        user("acme", "ada", "correct horse"),
    ])
}

pub(crate) fn authorize(more: &[(&str, &str)]) -> String {
    authorize_at("acme", more)
}

pub(crate) fn authorize_at(slug: &str, more: &[(&str, &str)]) -> String {
    format!("{}/oauth/authorize?{}", issuer(slug), form(&request(more)))
}

/// The parameters of a good request, with `more` in place of them; an empty one is left out.
pub(crate) fn request<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", "shop.app"),
        ("redirect_uri", "https://shop.example/callback"),
        ("scope", "openid profile email groups"),
        ("state", "s-1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    fields
}

pub(crate) async fn redeem(fixture: &Fixture, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    fixture.token("acme", SHOP, &form(&fields)).await
}

pub(crate) async fn refresh(fixture: &Fixture, token: &str) -> Answer {
    fixture.token("acme", SHOP, &form(&[("grant_type", "refresh_token"), ("refresh_token", token)])).await
}

#[tokio::test]
async fn a_person_logs_in_and_the_client_gets_tokens_that_say_so() {
    let fixture = fixture(ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    assert!(page.text().contains("id=\"login\""), "{}", page.text());
    let page = browser.log_in(&page, "Ada", "correct horse").await;
    assert!(page.text().contains("id=\"consent\""), "{}", page.text());
    let flow = page.hidden("flow");
    let consent = format!("{}/oauth/consent", issuer("acme"));
    let fields = [("flow", &*flow), ("username", "ada"), ("decision", "allow")];
    let answer = browser.post(&consent, &fields).await;
    assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
    assert_eq!(answer.redirected("iss"), Some(issuer("acme")));
    let code = answer.redirected("code").unwrap();

    let tokens = redeem(&fixture, &code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let tokens = tokens.json();
    let id_token = part(tokens["id_token"].as_str().unwrap(), 1);
    assert_eq!(id_token["nonce"], "n-1");
    assert_eq!(id_token["aud"], "shop.app");
    assert_eq!(id_token["groups"], json!(["engineering"]));
    assert_eq!(tokens["scope"], "openid profile email groups");

    let userinfo = fixture.bearer("acme", "/oauth/userinfo", tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 200, "{:?}", userinfo.headers);
    assert_eq!(userinfo.json()["email"], "ada@acme.example");
    assert_eq!(userinfo.json()["sub"], id_token["sub"]);

    let introspect = [("token", tokens["access_token"].as_str().unwrap())];
    let introspection = fixture.post_form("acme", "/oauth/introspect", SHOP, &introspect).await.json();
    assert_eq!(introspection["active"], true, "{introspection}");
    assert_eq!(introspection["email"], "ada@acme.example");

    let again = refresh(&fixture, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_ne!(again.json()["refresh_token"], tokens["refresh_token"]);
}

#[tokio::test]
async fn a_second_application_needs_no_login() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let answer = browser.log_in(&page, "ada", "correct horse").await;
    assert!(answer.redirected("code").is_some());
    let answer = browser.get(&authorize(&[("prompt", "none")])).await;
    assert!(answer.redirected("code").is_some());
    // Another browser has no session.
    let answer = Browser::new(&fixture).get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_a_second_time_ends_its_grant() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(&fixture, &code).await.json();
    assert_eq!(redeem(&fixture, &code).await.error(), (400, "invalid_grant".to_owned()));
    let refreshed = refresh(&fixture, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant".to_owned()));
    let userinfo = fixture.bearer("acme", "/oauth/userinfo", tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 401);
}

#[tokio::test]
async fn a_logout_ends_the_session_and_its_grants() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(&fixture, &code).await.json();
    let fields = [
        ("id_token_hint", tokens["id_token"].as_str().unwrap()),
        ("post_logout_redirect_uri", "https://shop.example/"),
        ("state", "bye"),
    ];
    let answer = browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&fields))).await;
    assert_eq!(answer.header("location"), Some("https://shop.example/?state=bye"));
    let answer = browser.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"));
    let refreshed = refresh(&fixture, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_tenant_without_a_sealing_key_says_so_and_does_not_blame_the_store() {
    let fixture = shop(|_| {});
    let first = tokens(&fixture, &[]).await;
    let mut tenant = tenant_document("acme");
    tenant.sealing_keys.clear();
    fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    let begun = browser.get(&authorize(&[])).await;
    let asked = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    let refreshed = refresh(&fixture, first["refresh_token"].as_str().unwrap()).await;
    for answer in [begun, asked, refreshed] {
        assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
        assert_eq!(answer.json()["error_description"], "the tenant has no sealing key yet");
    }
}

#[tokio::test]
async fn what_a_request_only_says_in_many_words_fits_a_url() {
    let fixture = fixture(ConsentPolicy::Skip);
    let hint = tokens(&fixture, &[]).await["id_token"].as_str().unwrap().to_owned();
    let unknown: String = (0..80).map(|number| format!(" unknown_scope_{number:030}")).collect();
    let scope = format!("openid{unknown}");
    let acr_values = "urn:x ".repeat(150);
    let url = authorize(&[("id_token_hint", &hint), ("scope", &scope), ("acr_values", &acr_values)]);
    let page = Browser::new(&fixture).open(&url).await;
    let flow = page.hidden("flow");
    assert!(!flow.starts_with("k.") && flow.len() < 1024, "{flow}");
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    for username in ["ada", "nobody"] {
        let page = browser.log_in(&page, username, "wrong").await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("id=\"error\""), "{}", page.text());
    }
}

#[tokio::test]
async fn a_login_page_of_ones_own_completes_by_json() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    let step = browser.get(&authorize(&[])).await.json();
    assert_eq!(step["step"], "login");
    let login = json!({"flow": step["flow"], "username": "ada", "password": "correct horse"});
    let done = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &login).await.json();
    assert_eq!(done["step"], "done", "{done}");
    let mut request = json!({
        "session_id": done["session_id"], "client_id": "shop.app", "response_type": "code", "state": "s-1", "nonce": "n-1",
        "redirect_uri": "https://shop.example/callback", "scope": "openid profile email groups",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let complete = format!("{}/oauth/authorize/complete", issuer("acme"));
    request["nonce"] = json!("another");
    assert_eq!(browser.post_json(&complete, &request).await.status, 400, "another nonce");
    request["nonce"] = json!("n-1");
    let completed = browser.post_json(&complete, &request).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let code = completed.json()["code"].as_str().unwrap().to_owned();
    assert_eq!(redeem(&fixture, &code).await.status, 200);
    assert_eq!(browser.post_json(&complete, &request).await.status, 400, "again");
}
