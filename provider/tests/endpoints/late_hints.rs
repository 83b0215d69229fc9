//! An ID token that comes back as a hint when the key that signed it is out of use.

use claviger_crds::published::{Content, Document, KeyDocument, KeyPhase};

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

const AFTER: (&str, &str) = ("post_logout_redirect_uri", "https://shop.example/");

fn of(keys: Vec<KeyDocument>) -> Document {
    serving("acme", "es256", Content::SigningKey(ring_document("ES256", keys)))
}

/// The key that signed, in a later phase of its life.
fn later(old: &KeyDocument, phase: KeyPhase) -> KeyDocument {
    KeyDocument { phase, private_key: None, ..old.clone() }
}

/// A fixture whose tokens a key of the test's signs.
fn with(key: &KeyDocument) -> Fixture {
    let fixture = shop(|_| {});
    fixture.apply(&of(vec![key.clone()]), 2);
    fixture
}

async fn logged_in(fixture: &Fixture) -> (Browser<'_>, String) {
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[])).await;
    let id_token = redeem(fixture, &code).await.json()["id_token"].as_str().unwrap().to_owned();
    (browser, id_token)
}

fn logout(hint: &str) -> String {
    format!("{}/oauth/logout?{}", issuer("acme"), form(&[("id_token_hint", hint), AFTER]))
}

async fn is_in_jwks(fixture: &Fixture, key: &KeyDocument) -> bool {
    let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await.json();
    jwks["keys"].as_array().unwrap().iter().any(|jwk| jwk["kid"] == key.kid.to_string())
}

#[tokio::test]
async fn a_key_that_signs_no_more_and_one_that_is_shown_no_more_speak_still() {
    for (phase, shown) in [(KeyPhase::Retiring, true), (KeyPhase::VerifyOnly, false)] {
        let old = key("ES256", KeyPhase::Active);
        let fixture = with(&old);
        let (mut browser, hint) = logged_in(&fixture).await;
        fixture.apply(&of(vec![later(&old, phase), key("ES256", KeyPhase::Active)]), 3);
        assert_eq!(is_in_jwks(&fixture, &old).await, shown, "{phase:?}");
        // Expired as well: that is when a late hint comes.
        fixture.advance(3_601);
        let none = [("prompt", "none"), ("id_token_hint", hint.as_str())];
        assert!(browser.get(&authorize(&none)).await.redirected("code").is_some(), "{phase:?}");
        let named = authorize(&[("id_token_hint", hint.as_str())]);
        assert!(browser.get(&named).await.redirected("code").is_some(), "it is her own session: {phase:?}");
        let answer = browser.get(&logout(&hint)).await;
        assert_eq!(answer.header("location"), Some("https://shop.example/"), "{phase:?}: nobody is asked");
        let again = browser.get(&authorize(&[("prompt", "none")])).await;
        assert_eq!(again.redirected("error").as_deref(), Some("login_required"));
    }
}

#[tokio::test]
async fn such_a_hint_names_somebody_else_as_well_as_any() {
    let old = key("ES256", KeyPhase::Active);
    let fixture = with(&old);
    let (_, hint) = logged_in(&fixture).await;
    let mut bob = Browser::new(&fixture);
    let page = bob.open(&authorize(&[])).await;
    bob.log_in(&page, "bob", "bobs password").await;
    fixture.apply(&of(vec![later(&old, KeyPhase::VerifyOnly), key("ES256", KeyPhase::Active)]), 3);
    let none = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    assert_eq!(bob.get(&authorize(&none)).await.redirected("error").as_deref(), Some("login_required"));
    assert!(bob.get(&logout(&hint)).await.is_page("logout-confirm"), "it is not Bob's");
}

#[tokio::test]
async fn a_key_that_was_revoked_or_removed_speaks_for_nobody() {
    let old = key("ES256", KeyPhase::Active);
    let new = key("ES256", KeyPhase::Active);
    for keys in [vec![later(&old, KeyPhase::Revoked), new.clone()], vec![new.clone()]] {
        let fixture = with(&old);
        let (mut browser, hint) = logged_in(&fixture).await;
        fixture.apply(&of(keys), 3);
        let none = [("prompt", "none"), ("id_token_hint", hint.as_str())];
        assert_eq!(browser.get(&authorize(&none)).await.redirected("error").as_deref(), Some("login_required"));
        assert_eq!(browser.get(&logout(&hint)).await.shown(), (400, "invalid_request".to_owned()));
        let posted =
            browser.post(&format!("{}/oauth/logout", issuer("acme")), &[("id_token_hint", &hint), AFTER]).await;
        assert_eq!(posted.shown(), (400, "invalid_request".to_owned()));
        assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some(), "nobody is out");
    }
}

#[tokio::test]
async fn what_a_revoked_key_signed_opens_nothing() {
    let old = key("ES256", KeyPhase::Active);
    let fixture = with(&old);
    let tokens = tokens(&fixture, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", token).await.status, 200);
    fixture.apply(&of(vec![later(&old, KeyPhase::Revoked), key("ES256", KeyPhase::Active)]), 3);
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", token).await.status, 401, "whoever has the key forges");
    let seen = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", token)]).await;
    assert_eq!(seen.json(), serde_json::json!({"active": false}));
}
