use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    AccessTokenType, ClientDocument, ClientLifetimes, Content, Document, KeyPhase, KeysDocument, TenantDocument,
};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixture::*;

const GRANT: &str = "grant_type=client_credentials";

fn client_with(change: impl FnOnce(&mut ClientDocument)) -> Document {
    let mut document = client_document("shop.app");
    change(&mut document);
    serving("acme", "shop.app", Content::OAuthClient(document))
}

#[tokio::test]
async fn a_token_says_what_rfc_9068_demands() {
    let client = client_with(|client| client.audiences = vec![audience("https://api.example", &["read", "write"])]);
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "rsa", "RS256"), client]);
    let answer = fixture.token("acme", SHOP, GRANT).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));

    let mut body = answer.json();
    let token = body["access_token"].take().as_str().unwrap().to_owned();
    body.as_object_mut().unwrap().remove("access_token");
    assert_eq!(body, json!({"token_type": "Bearer", "expires_in": 600, "scope": "read write"}));

    let header = part(&token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("at+jwt")));
    let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await;
    let signing_kid = &jwks.json()["keys"][1]["kid"];
    assert_eq!(&header["kid"], signing_kid, "the Active key signs");

    let mut claims = part(&token, 1);
    let jti = claims["jti"].take();
    assert!(jti.as_str().unwrap().len() >= 22, "{jti}");
    claims.as_object_mut().unwrap().remove("jti");
    let issuer = issuer("acme");
    assert_eq!(
        claims,
        json!({
            "iss": issuer,
            "sub": "shop.app",
            "aud": "https://api.example",
            "exp": NOW + 600,
            "iat": NOW,
            "client_id": "shop.app",
            "scope": "read write",
            "tenant_id": "acme",
        })
    );
    let verified = verify(&token, &jwks.body, &issuer, "https://api.example").unwrap();
    assert_eq!(verified["jti"], jti);
    assert!(verify(&token, &jwks.body, &issuer, "https://other.example").is_err());

    let again = fixture.token("acme", SHOP, GRANT).await.claims();
    assert_ne!(again["jti"], jti);
}

#[tokio::test]
async fn every_algorithm_verifies_with_what_jwks_shows() {
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", algorithm), client("acme", "shop.app")]);
        let answer = fixture.token("acme", SHOP, GRANT).await.json();
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(part(token, 0)["alg"], algorithm);
        let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await.body;
        verify(token, &jwks, &issuer("acme"), &issuer("acme")).unwrap();
    }
}

#[tokio::test]
async fn a_client_without_scopes_gets_a_token_without_them() {
    let answer = Fixture::acme().token("acme", SHOP, GRANT).await;
    assert_eq!(answer.json().get("scope"), None);
    assert_eq!(answer.claims().get("scope"), None);
    assert_eq!(answer.claims()["aud"], issuer("acme"));
}

#[tokio::test]
async fn resource_servers_that_refuse_at_jwt_get_the_other_type() {
    let client = client_with(|client| client.access_token_type = AccessTokenType::Jwt);
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), client]);
    let answer = fixture.token("acme", SHOP, GRANT).await.json();
    assert_eq!(part(answer["access_token"].as_str().unwrap(), 0)["typ"], "JWT");
}

#[tokio::test]
async fn the_clients_lifetime_counts_before_the_tenants_and_the_ring_caps_both() {
    for (client, ring, expected) in
        [(None, 3_600, 600), (Some(60), 3_600, 60), (Some(7_200), 3_600, 3_600), (None, 30, 30)]
    {
        let client = client_with(|document| {
            document.lifetimes = ClientLifetimes { access_token: client, ..ClientLifetimes::default() };
        });
        let keys = vec![key("ES256", KeyPhase::Active)];
        let ring = KeysDocument { max_token_lifetime: ring, ..ring_document("ES256", keys) };
        let fixture = Fixture::serving([tenant("acme"), serving("acme", "ring", Content::SigningKey(ring)), client]);
        let answer = fixture.token("acme", SHOP, GRANT).await;
        assert_eq!(answer.json()["expires_in"], expected);
        assert_eq!(answer.claims()["exp"], NOW + expected);
    }
}

#[tokio::test]
async fn json_is_answered_whatever_accept_says() {
    let fixture = Fixture::acme();
    for secret in [SECRET, "wrong"] {
        let request =
            token_request("acme").header(AUTHORIZATION, basic("shop.app", secret)).header(ACCEPT, "text/html");
        let answer = fixture.send(request.body(GRANT.into()).unwrap()).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.json().is_object());
    }
}

#[tokio::test]
async fn a_grant_that_is_unknown_or_not_the_clients_is_refused() {
    let public = client_with(|client| client.grant_types = vec!["authorization_code".to_owned()]);
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), public]);
    let refused = fixture.token("acme", SHOP, GRANT).await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
    let refused = fixture.token("acme", SHOP, "grant_type=refresh_token&refresh_token=x").await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
    for grant in ["password", "AUTHORIZATION_CODE", "CLIENT_CREDENTIALS", "urn:ietf:params:oauth:grant-type:x"] {
        let refused = fixture.token("acme", SHOP, &format!("grant_type={grant}")).await;
        assert_eq!(refused.error(), (400, "unsupported_grant_type".to_owned()), "{grant}");
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn without_a_key_there_is_no_token_for_now() {
    let fixture = Fixture::serving([tenant("acme"), client("acme", "shop.app")]);
    let answer = fixture.token("acme", SHOP, GRANT).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// A ring of which nothing but its name and what decides who signs is of interest.
fn candidate(name: &str, created_at: i64, leaving: bool, phase: KeyPhase) -> (Document, String) {
    let key = key("ES256", phase);
    let kid = key.kid.to_string();
    let created_at = Timestamp::from_second(created_at).unwrap();
    let ring = KeysDocument { created_at, leaving, ..ring_document("ES256", vec![key]) };
    (serving("acme", name, Content::SigningKey(ring)), kid)
}

async fn signing_kid(named: Option<&str>, rings: Vec<Document>) -> Value {
    let default_signing_key = named.map(|name| ObjectName::new("ns-acme", name));
    let tenant = TenantDocument { default_signing_key, ..tenant_document("acme") };
    let fixture = Fixture::serving([serving("acme", "acme", Content::Tenant(tenant)), client("acme", "shop.app")]);
    rings.iter().for_each(|ring| fixture.apply(ring, 1));
    let answer = fixture.token("acme", SHOP, GRANT).await.json();
    part(answer["access_token"].as_str().unwrap(), 0)["kid"].clone()
}

#[tokio::test]
async fn the_named_ring_signs_else_the_oldest_and_a_leaving_one_only_at_last() {
    use KeyPhase::{Active, Published};
    let (oldest, oldest_kid) = candidate("oldest", 1, false, Active);
    let (younger, younger_kid) = candidate("younger", 2, false, Active);
    let (leaving, leaving_kid) = candidate("leaving", 0, true, Active);
    let (left_later, _) = candidate("left-later", 3, true, Active);
    let (standby, _) = candidate("standby", 0, false, Published);
    let all = || vec![younger.clone(), oldest.clone(), leaving.clone(), standby.clone()];
    for (named, rings, expected) in [
        (None, all(), &oldest_kid),
        (Some("younger"), all(), &younger_kid),
        (Some("leaving"), all(), &oldest_kid),
        (Some("standby"), all(), &oldest_kid),
        (Some("nobody"), all(), &oldest_kid),
        (None, vec![left_later.clone(), leaving.clone(), standby.clone()], &leaving_kid),
    ] {
        assert_eq!(signing_kid(named, rings).await, **expected, "{named:?}");
    }
}
