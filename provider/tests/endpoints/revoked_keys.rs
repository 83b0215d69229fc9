//! A signing key that must not be trusted any more.

use claviger_crds::published::{Content, Document, KeyDocument, KeyPhase, KeysDocument};
use serde_json::{Value, json};

use crate::code_flow::*;
use crate::fixture::*;

fn of(keys: &[KeyDocument], revoked: &[&KeyDocument]) -> Document {
    let revoked = revoked.iter().map(|key| key.kid.clone()).collect();
    serving("acme", "es256", Content::SigningKey(KeysDocument { revoked, ..ring_document("ES256", keys.to_vec()) }))
}

fn in_phase(key: &KeyDocument, phase: KeyPhase) -> KeyDocument {
    let private_key = key.private_key.clone().filter(|_| matches!(phase, KeyPhase::Active | KeyPhase::Published));
    KeyDocument { phase, private_key, ..key.clone() }
}

async fn kids(fixture: &Fixture) -> Vec<Value> {
    let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await.json();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

#[tokio::test]
async fn its_tokens_open_nothing_from_then_on() {
    let (old, next) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let fixture = shop(|_| {});
    fixture.apply(&of(&[next.clone(), old.clone()], &[]), 2);
    let tokens = tokens(&fixture, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let userinfo = async || fixture.bearer("acme", "/oauth/userinfo", token).await.status;
    let introspected = async || {
        fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", token)]).await.json()["active"].clone()
    };
    assert_eq!((userinfo().await.as_u16(), introspected().await), (200, json!(true)));

    let keys = [in_phase(&next, KeyPhase::Active), in_phase(&old, KeyPhase::Revoked)];
    fixture.apply(&of(&keys, &[&old]), 3);
    assert_eq!(kids(&fixture).await, [json!(next.kid.to_string())]);
    assert_eq!((userinfo().await.as_u16(), introspected().await), (401, json!(false)));
    let refresh =
        tokens["refresh_token"].as_str().map(|token| [("grant_type", "refresh_token"), ("refresh_token", token)]);
    if let Some(refresh) = refresh {
        let answer = fixture.post_form("acme", "/oauth/token", SHOP, &refresh).await;
        assert_eq!(answer.status, 200, "the grant itself is as good as before: {}", answer.text());
    }
}

#[tokio::test]
async fn a_later_document_that_knows_nothing_of_it_does_not_bring_it_back() {
    let (old, next) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let fixture = Fixture::acme();
    fixture.apply(&of(&[in_phase(&next, KeyPhase::Active), in_phase(&old, KeyPhase::Revoked)], &[&old]), 2);
    let shown = [json!(next.kid.to_string())];
    fixture.apply(&of(&[in_phase(&next, KeyPhase::Active), in_phase(&old, KeyPhase::Retiring)], &[]), 3);
    assert_eq!(kids(&fixture).await, shown);
    // With the key as the one that signs it is not taken at all.
    fixture.apply(&of(&[next.clone(), old.clone()], &[]), 4);
    assert_eq!(kids(&fixture).await, shown);
    let token = fixture.token("acme", SHOP, "grant_type=client_credentials").await;
    let header: Value = part(token.json()["access_token"].as_str().unwrap(), 0);
    assert_eq!(header["kid"], json!(next.kid.to_string()));
}

/// The `kid` of a token that is signed now.
async fn signs(fixture: &Fixture) -> Value {
    let token = fixture.token("acme", SHOP, "grant_type=client_credentials").await;
    let header: Value = part(token.json()["access_token"].as_str().unwrap(), 0);
    header["kid"].clone()
}

fn shown(keys: &[&KeyDocument]) -> Vec<Value> {
    keys.iter().map(|key| json!(key.kid.to_string())).collect()
}

#[tokio::test]
async fn an_older_ring_and_another_of_the_same_revision_revoke_keys_and_nothing_else_of_them_counts() {
    let (old, active, standby) =
        (key("ES256", KeyPhase::Retiring), key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let restored = [key("ES256", KeyPhase::Published), key("ES256", KeyPhase::Active)];
    for revision in [3, 7] {
        let fixture = Fixture::acme();
        fixture.apply(&of(&[standby.clone(), active.clone(), in_phase(&old, KeyPhase::Retiring)], &[]), 7);
        let token = fixture.token("acme", SHOP, "grant_type=client_credentials").await.json();
        let token = [("token", token["access_token"].as_str().unwrap())];
        fixture.apply(&of(&restored, &[]), revision);
        assert_eq!(kids(&fixture).await, shown(&[&standby, &active, &old]), "it revokes nothing, and is refused");
        fixture.apply(&of(&restored, &[&active]), revision);
        assert_eq!(kids(&fixture).await, shown(&[&standby, &old]));
        assert_eq!(signs(&fixture).await, json!(standby.kid.to_string()), "there is always a key that signs");
        let asked = fixture.post_form("acme", "/oauth/introspect", SHOP, &token).await;
        assert_eq!(asked.json(), json!({"active": false}));
        fixture.apply(&of(&restored, &[&old]), revision);
        assert_eq!(kids(&fixture).await, shown(&[&standby]), "the revoked keys only grow");
        fixture.apply(&of(&[standby.clone(), active.clone()], &[]), 8);
        assert_eq!(kids(&fixture).await, shown(&[&standby]), "a later one does not bring it back");
    }
}

#[tokio::test]
async fn a_ring_whose_keys_are_all_revoked_by_an_older_one_gives_way_to_it() {
    let (active, standby) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let fixture = Fixture::acme();
    fixture.apply(&of(&[standby.clone(), active.clone()], &[]), 7);
    let [next, signer] = [key("ES256", KeyPhase::Published), key("ES256", KeyPhase::Active)];
    fixture.apply(&of(&[next.clone(), signer.clone()], &[&active, &standby]), 3);
    assert_eq!(kids(&fixture).await, shown(&[&next, &signer]));
    assert_eq!(signs(&fixture).await, json!(signer.kid.to_string()));
}

#[tokio::test]
async fn a_revoked_key_signs_nothing_even_where_no_other_can() {
    let (active, standby) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let fixture = Fixture::acme();
    fixture.apply(&of(&[standby.clone(), active.clone()], &[]), 7);
    // An older document that is of no use itself.
    fixture.apply(&of(&[standby.clone(), active.clone()], &[&active, &standby]), 3);
    let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await;
    assert_eq!(jwks.status.as_u16(), 503, "an empty JWK Set would be kept: {}", jwks.text());
    assert_eq!(fixture.token("acme", SHOP, "grant_type=client_credentials").await.status.as_u16(), 503);
}
