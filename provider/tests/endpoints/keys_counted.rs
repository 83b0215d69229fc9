//! What `/metrics` says of keys: how much each signed, and of tokens that none of ours signed.

use claviger_crds::published::{Content, Document, KeyDocument, KeyPhase};

use crate::code_flow::*;
use crate::fixture::*;

fn of(keys: Vec<KeyDocument>) -> Document {
    serving("acme", "es256", Content::SigningKey(ring_document("ES256", keys)))
}

/// The key in a later phase of its life.
fn later(old: &KeyDocument, phase: KeyPhase) -> KeyDocument {
    KeyDocument { phase, private_key: None, ..old.clone() }
}

fn signed(fixture: &Fixture, key: &KeyDocument) -> Option<u64> {
    let line = format!("claviger_provider_tokens_signed_total{{kid=\"{}\"}} ", key.kid);
    let metrics = fixture.metrics();
    let rest = metrics.split(&line).nth(1)?;
    Some(rest.lines().next().unwrap().parse().unwrap())
}

fn unknown(fixture: &Fixture, token: &str) -> u64 {
    let line = format!("claviger_provider_tokens_of_unknown_keys_total{{token=\"{token}\"}} ");
    let metrics = fixture.metrics();
    metrics.split(&line).nth(1).unwrap().lines().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn each_key_counts_what_it_signed_until_it_leaves_the_jwk_set() {
    let (old, new) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Active));
    let fixture = shop(|_| {});
    fixture.apply(&of(vec![old.clone()]), 2);
    assert_eq!(signed(&fixture, &old), Some(0));
    // An access token and an ID token, and an access token of the client's own.
    tokens(&fixture, &[("scope", "openid")]).await;
    assert_eq!(signed(&fixture, &old), Some(2));

    fixture.apply(&of(vec![later(&old, KeyPhase::Retiring), new.clone()]), 3);
    tokens(&fixture, &[("scope", "openid")]).await;
    assert_eq!((signed(&fixture, &old), signed(&fixture, &new)), (Some(2), Some(2)));

    fixture.apply(&of(vec![later(&old, KeyPhase::VerifyOnly), new.clone()]), 4);
    assert_eq!((signed(&fixture, &old), signed(&fixture, &new)), (None, Some(2)));
    fixture.apply(&withdrawn(&of(vec![new.clone()])), 5);
    assert_eq!(signed(&fixture, &new), None, "a ring that is gone takes its keys' series along");
}

#[tokio::test]
async fn a_token_of_a_key_that_is_not_ours_is_counted_and_refused() {
    let old = key("ES256", KeyPhase::Active);
    let fixture = shop(|_| {});
    fixture.apply(&of(vec![old.clone()]), 2);
    let tokens = tokens(&fixture, &[("scope", "openid")]).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", &text("access_token")).await.status, 200);
    assert_eq!((unknown(&fixture, "access_token"), unknown(&fixture, "id_token_hint")), (0, 0));

    fixture.apply(&of(vec![later(&old, KeyPhase::Revoked), key("ES256", KeyPhase::Active)]), 3);
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", &text("access_token")).await.status, 401);
    let asked = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", &text("access_token"))]).await;
    assert_eq!(asked.json(), serde_json::json!({"active": false}));
    let hint = [("prompt", "none"), ("id_token_hint", &text("id_token"))];
    crate::browser::Browser::new(&fixture).get(&authorize(&hint)).await;
    assert_eq!((unknown(&fixture, "access_token"), unknown(&fixture, "id_token_hint")), (2, 1));
    // What is no token of any key says nothing of keys.
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", "nonsense").await.status, 401);
    assert_eq!(unknown(&fixture, "access_token"), 2);
}

#[tokio::test]
async fn the_charts_alerts_ask_for_what_there_is() {
    let metrics = shop(|_| {}).metrics();
    let alerts = include_str!("../../../charts/claviger/files/alerts.yaml");
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: Vec<_> = words.filter(|word| word.starts_with("claviger_provider_")).collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        assert!(metrics.lines().any(|line| line.split(['{', ' ']).next() == Some(name)), "{name} in {metrics}");
    }
}
