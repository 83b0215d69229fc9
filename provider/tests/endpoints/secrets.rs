//! A whole run, with everything that can go wrong: nothing of what is secret in it is logged at any
//! level, counted, or told to the audit stream.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use claviger_crds::published::{
    BackchannelLogoutDocument, ClientAuthentication, ConsentPolicy, Content, Document, SecretText,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::assertions::{ClientKey, asserted, claims, machine};
use crate::away::finished;
use crate::browser::{ADAS_PASSWORD, Browser, form};
use crate::capture::Capture;
use crate::code_flow::*;
use crate::database::Database;
use crate::fixture::*;
use crate::traffic::Traffic;

const MACHINE: (&str, &str) = ("machine.app", "machines-own-secret");

fn documents(key: &ClientKey) -> Vec<Document> {
    let mut machines = client_document("machine.app");
    machines.authentication = ClientAuthentication::Secret { hashes: vec![hash(MACHINE.1, None)] };
    let asking = app("acme", "asking.app", |app| app.consent = ConsentPolicy::Required);
    // Nobody listens there.
    let uri = "http://127.0.0.1:1/logout".to_owned();
    let told = app("acme", "shop.app", |app| {
        app.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    });
    let public = app("acme", "public.app", |app| app.authentication = ClientAuthentication::None);
    vec![
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        ring("acme", "eddsa", "EdDSA"),
        told,
        asking,
        public,
        serving("acme", "machine.app", Content::OAuthClient(machines)),
        machine("acme", "jwt.app", key),
        user("acme", "ada", ADAS_PASSWORD),
    ]
}

/// What the documents hold that is published to providers alone.
fn held(documents: &[Document]) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    let mut put = |text: &SecretText| {
        held.insert(text.expose().to_owned());
        // However it might be written.
        if let Ok(bytes) = STANDARD.decode(text.expose()) {
            held.insert(URL_SAFE_NO_PAD.encode(&bytes));
            held.insert(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
            held.insert(format!("{bytes:?}"));
        }
    };
    for document in documents {
        match &document.content {
            Content::Tenant(tenant) => tenant.sealing_keys.iter().for_each(|key| put(&key.key)),
            Content::SigningKey(ring) => ring.keys.iter().filter_map(|key| key.private_key.as_ref()).for_each(&mut put),
            Content::User(user) => user.password_hash.iter().for_each(&mut put),
            _ => {}
        }
    }
    held
}

fn url(path: &str) -> String {
    format!("{}/oauth/{path}", issuer("acme"))
}

async fn people(fixture: &Fixture) -> Value {
    let mut browser = Browser::new(fixture);
    let page = browser.open(&authorize(&[("client_id", "asking.app"), ("state", &"s".repeat(2_048))])).await;
    browser.log_in(&page, "ada", "a-wrong-password").await;
    // Into the wrong field.
    browser.log_in(&page, "another-password-as-a-name", "x").await;
    let page = browser.log_in(&page, "ada", ADAS_PASSWORD).await;
    browser.press(&page, "decision", "allow").await;
    let page = browser.open(&authorize(&[("prompt", "select_account")])).await;
    let answer = browser.press(&page, "choice", "continue").await;
    let code = answer.redirected("code").unwrap();
    let tokens = redeem(fixture, &code).await.json();
    redeem(fixture, &code).await;
    let (mut other, body) = finished(fixture).await;
    other.post_json(&url("authorize/complete"), &body).await;
    other.post_json(&url("authorize/complete"), &body).await;
    for mode in ["form_post", "fragment"] {
        browser.get(&authorize(&[("response_mode", mode), ("nonce", &"n".repeat(1_000))])).await;
    }
    let hint = tokens["id_token"].as_str().unwrap();
    browser.get(&authorize(&[("prompt", "none"), ("id_token_hint", hint)])).await;
    browser.get(&authorize(&[("prompt", "none"), ("id_token_hint", &hint[..hint.len() - 4])])).await;
    tokens
}

async fn clients(fixture: &Fixture, key: &ClientKey) {
    let grant = "grant_type=client_credentials";
    let tokens = tokens(fixture, &[]).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access_token, refresh_token) = (text("access_token"), text("refresh_token"));
    fixture.bearer("acme", "/oauth/userinfo", &access_token).await;
    fixture.get(&format!("{}?access_token={access_token}", path("acme", "/oauth/userinfo"))).await;
    fixture.bearer("acme", "/oauth/userinfo", &access_token[..access_token.len() - 4]).await;
    for client in [SHOP, MACHINE, ("machine.app", "a-wrong-secret"), ("nobody.app", "nobodys-secret")] {
        fixture.token("acme", client, grant).await;
        for token in [&access_token, &refresh_token] {
            fixture.post_form("acme", "/oauth/introspect", client, &[("token", token)]).await;
        }
    }
    let public = browser_code(fixture).await;
    for verifier in ["a-verifier-that-is-wrong-and-long-enough-to-be-one-12", VERIFIER] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "public.app"),
            ("code", &*public),
            ("redirect_uri", "https://shop.example/callback"),
            ("code_verifier", verifier),
        ];
        fixture.send(token_request("acme").body(form(&fields).into()).unwrap()).await;
    }
    let posted = form(&[("grant_type", "client_credentials"), ("client_id", MACHINE.0), ("client_secret", MACHINE.1)]);
    fixture.send(token_request("acme").body(posted.into()).unwrap()).await;
    let assertion = key.sign(&claims("acme", "jwt.app"));
    for _ in 0..2 {
        asserted(fixture, "/oauth/token", &assertion, &[("grant_type", "client_credentials")]).await;
    }
    asserted(fixture, "/oauth/token", "a-secret.that-is.no-jwt", &[("grant_type", "client_credentials")]).await;
    refresh(fixture, &refresh_token).await;
    fixture.advance(11);
    refresh(fixture, &refresh_token).await;
    for token in [&access_token, &refresh_token] {
        fixture.post_form("acme", "/oauth/revoke", SHOP, &[("token", token)]).await;
    }
    // What is not well formed.
    for body in [format!("token={access_token}&token={access_token}"), format!("%zz={refresh_token}")] {
        fixture.send(token_request("acme").body(body.into()).unwrap()).await;
    }
    fixture.get(&path("acme", &format!("/oauth/nowhere/{access_token}"))).await;
}

async fn browser_code(fixture: &Fixture) -> String {
    Browser::new(fixture).code(&authorize(&[("client_id", "public.app")])).await
}

async fn logouts(fixture: &Fixture) {
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(fixture, &code).await.json();
    let hint = tokens["id_token"].as_str().unwrap();
    browser.post(&url("logout"), &[("client_id", "shop.app")]).await;
    let page = browser.get(&url("logout")).await;
    browser.press(&page, "decision", "no").await;
    browser.get(&format!("{}?{}", url("logout"), form(&[("id_token_hint", &hint[..hint.len() - 4])]))).await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    browser.get(&format!("{}?{}", url("logout"), form(&[("id_token_hint", hint)]))).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    shutdown.cancel();
    work.await.unwrap();
}

#[tokio::test]
async fn no_secret_of_a_whole_run_is_logged_counted_or_told() {
    let capture = Capture::begin();
    let (database, key) = (Database::new(), ClientKey::new());
    let documents = documents(&key);
    let fixture = Fixture::remembering_in(database.store.clone(), &documents);
    let traffic = Arc::new(Traffic::default());
    let watching = Arc::clone(&traffic);
    let around = Box::new(move |router| Arc::clone(&watching).around(router));
    assert!(fixture.around.set(around).is_ok());
    // A document that cannot be taken in is logged.
    let mut garbled = documents[1].to_secret("claviger-published", "uid", 2);
    garbled.data.as_mut().unwrap().values_mut().for_each(|bytes| bytes.0.truncate(bytes.0.len() - 9));
    fixture.provider.apply_secret(&garbled);

    let tokens = people(&fixture).await;
    clients(&fixture, &key).await;
    logouts(&fixture).await;
    database.take_away();
    Browser::new(&fixture).open(&authorize(&[("state", &"s".repeat(2_048)), ("claims", &long_claims())])).await;
    refresh(&fixture, tokens["refresh_token"].as_str().unwrap()).await;
    fixture.bearer("acme", "/oauth/userinfo", tokens["access_token"].as_str().unwrap()).await;

    let mut secrets = traffic.secrets();
    assert!(secrets.len() > 60, "the run is a whole one: {}", secrets.len());
    for known in [ADAS_PASSWORD, "a-wrong-password", SECRET, MACHINE.1, VERIFIER, "a-wrong-secret"] {
        assert!(secrets.contains(known), "{known}");
    }
    let found: Vec<&String> = secrets.iter().filter(|secret| secret.starts_with("k.")).collect();
    assert!(!found.is_empty(), "something was kept");
    secrets.extend(held(&documents));
    secrets.extend([key.secret(), "another-password-as-a-name".to_owned()]);

    let (logged, counted) = (capture.text(), fixture.metrics());
    for needed in [
        "\"target\":\"audit\"",
        "\"level\":\"DEBUG\"",
        "a login or logout does not go on",
        "no token",
        "the store does not",
    ] {
        assert!(logged.contains(needed), "{needed} was not logged: {logged}");
    }
    for secret in &secrets {
        for (place, text) in [("logs", &logged), ("metrics", &counted)] {
            let at = text.find(secret.as_str());
            assert!(at.is_none(), "{secret} is in the {place}: {:?}", at.map(|at| &text[at.saturating_sub(300)..at]));
        }
        // The ID in a handle that is kept is as good as the handle.
        if let Some(id) = secret.strip_prefix("k.") {
            assert!(!logged.contains(id), "{id}");
        }
    }
}

fn long_claims() -> String {
    serde_json::json!({"userinfo": {"email": {"value": "x".repeat(1_500)}}}).to_string()
}
