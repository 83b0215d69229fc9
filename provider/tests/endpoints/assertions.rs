//! `private_key_jwt` (RFC 7523): an assertion that the client signed, at every endpoint that asks who
//! the client is.

pub(crate) mod jwks_uri;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_crds::published::{ClientAuthentication, Content, Document, ResourceServerDocument};
use claviger_jose::{Algorithm, PrivateKey};
use http::Request;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::browser::form;
use crate::code_flow::*;
use crate::fixture::*;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key of a client's.
pub(crate) struct ClientKey {
    private: PrivateKey,
    signing: jsonwebtoken::EncodingKey,
    pub(crate) kid: String,
}

impl ClientKey {
    pub(crate) fn new() -> Self {
        let private = PrivateKey::generate(Algorithm::Es256).unwrap();
        let signing = jsonwebtoken::EncodingKey::from_ec_der(&private.to_pkcs8());
        let kid = private.public_jwk().kid().to_string();
        Self { private, signing, kid }
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.private.public_jwk()]})
    }

    /// The private half, as text.
    pub(crate) fn secret(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.private.to_pkcs8())
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.signing).unwrap()
    }
}

/// What a good assertion of `client` for the tenant `slug` says.
pub(crate) fn claims(slug: &str, client: &str) -> Value {
    let jti = claviger_jose::random::hex128();
    json!({"iss": client, "sub": client, "aud": issuer(slug), "iat": NOW, "exp": NOW + 60, "jti": jti})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// A machine of `slug` with this key, which is an API too.
pub(crate) fn machine(slug: &str, id: &str, key: &ClientKey) -> Document {
    declared(slug, id, Some(key.jwks()), None)
}

fn declared(slug: &str, id: &str, jwks: Option<Value>, jwks_uri: Option<String>) -> Document {
    let mut document = client_document(id);
    document.resource_server =
        Some(ResourceServerDocument { audience: format!("https://{id}.example"), scopes: Vec::new() });
    let algorithms = vec!["ES256".to_owned()];
    document.authentication = ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri, algorithms };
    serving(slug, id, Content::OAuthClient(document))
}

/// Posts `fields` to `path` of the tenant acme, with this assertion.
pub(crate) async fn asserted(fixture: &Fixture, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Answer {
    asserted_at(fixture, "acme", path, assertion, fields).await
}

pub(crate) async fn asserted_at(
    fixture: &Fixture,
    slug: &str,
    to: &str,
    assertion: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let fields = [&[("client_assertion_type", TYPE), ("client_assertion", assertion)], fields].concat();
    let request = Request::post(path(slug, to)).header(CONTENT_TYPE, FORM);
    fixture.send(request.body(form(&fields).into()).unwrap()).await
}

const GRANT: &[(&str, &str)] = &[("grant_type", "client_credentials")];

fn refused() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

#[tokio::test]
async fn it_counts_at_every_endpoint_that_asks_who_the_client_is() {
    let key = ClientKey::new();
    let fixture = shop(|_| {});
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    for aud in [json!(issuer("acme")), json!([issuer("acme")]), json!(format!("{}/oauth/token", issuer("acme")))] {
        let assertion = || key.sign(&with(claims("acme", "machine.app"), "aud", aud.clone()));
        let issued = asserted(&fixture, "/oauth/token", &assertion(), GRANT).await;
        assert_eq!(issued.status, 200, "{aud}: {}", issued.text());
        let token = issued.json()["access_token"].as_str().unwrap().to_owned();
        let named = [("client_id", "machine.app"), ("token", token.as_str())];
        let seen = asserted(&fixture, "/oauth/introspect", &assertion(), &named).await;
        assert_eq!((&seen.json()["active"], &seen.json()["sub"]), (&json!(true), &json!("machine.app")), "{aud}");
        assert_eq!(asserted(&fixture, "/oauth/revoke", &assertion(), &named).await.status, 200, "{aud}");
        let seen = asserted(&fixture, "/oauth/introspect", &assertion(), &named).await;
        assert_eq!(seen.json(), json!({"active": false}), "{aud}");
    }
    // Each endpoint is an audience of its own, and of no other.
    for (path, status) in [("/oauth/introspect", 200), ("/oauth/revoke", 401), ("/oauth/token", 401)] {
        let aud = json!(format!("{}/oauth/introspect", issuer("acme")));
        let assertion = key.sign(&with(claims("acme", "machine.app"), "aud", aud));
        let fields = [&[("token", "x")], GRANT].concat();
        assert_eq!(asserted(&fixture, path, &assertion, &fields).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn where_the_tenant_is_strict_an_assertion_is_for_the_issuer_alone() {
    let (fixture, key) = (shop(|_| {}), ClientKey::new());
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    let mut tenant = tenant_document("acme");
    tenant.strict_audience = true;
    fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    for (aud, status) in [(issuer("acme"), 200), (format!("{}/oauth/token", issuer("acme")), 401)] {
        let assertion = key.sign(&with(claims("acme", "machine.app"), "aud", json!(aud)));
        assert_eq!(asserted(&fixture, "/oauth/token", &assertion, GRANT).await.status, status, "{aud}");
    }
}

#[tokio::test]
async fn a_code_and_a_refresh_token_are_redeemed_with_it() {
    let key = ClientKey::new();
    let authentication = ClientAuthentication::PrivateKeyJwt {
        jwks: Some(key.jwks()),
        jwks_uri: None,
        algorithms: vec!["ES256".to_owned()],
    };
    let fixture = shop(|shop| shop.authentication = authentication);
    let code = crate::browser::Browser::new(&fixture).code(&authorize(&[])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    let assertion = || key.sign(&claims("acme", "shop.app"));
    let tokens = asserted(&fixture, "/oauth/token", &assertion(), &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let token = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    assert_eq!(asserted(&fixture, "/oauth/token", &assertion(), &fields).await.status, 200);
}

#[tokio::test]
async fn an_assertion_is_used_once_wherever_it_was_used() {
    let key = ClientKey::new();
    let fixture = shop(|_| {});
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    let fields = [&[("token", "x")], GRANT].concat();
    for first in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        let assertion = key.sign(&claims("acme", "machine.app"));
        assert_eq!(asserted(&fixture, first, &assertion, &fields).await.status, 200, "{first}");
        for again in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
            assert_eq!(asserted(&fixture, again, &assertion, &fields).await.error(), refused(), "{first} {again}");
        }
    }
    // Signed anew it is the same one; another client's with the same jti is not.
    let same = claims("acme", "machine.app");
    assert_eq!(asserted(&fixture, "/oauth/token", &key.sign(&same), GRANT).await.status, 200);
    assert_eq!(asserted(&fixture, "/oauth/token", &key.sign(&same), GRANT).await.error(), refused());
    fixture.apply(&machine("acme", "other.app", &key), 1);
    let other = with(claims("acme", "other.app"), "jti", same["jti"].clone());
    assert_eq!(asserted(&fixture, "/oauth/token", &key.sign(&other), GRANT).await.status, 200);
    // For as long as it is not expired, and what a clock may be off.
    fixture.advance(89);
    assert_eq!(asserted(&fixture, "/oauth/token", &key.sign(&same), GRANT).await.error(), refused());
}

#[tokio::test]
async fn whatever_is_wrong_with_an_assertion_is_refused_in_the_same_words_and_uses_nothing_up() {
    let (key, other) = (ClientKey::new(), ClientKey::new());
    let fixture = shop(|_| {});
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    fixture.apply(&machine("acme", "other.app", &other), 1);
    let good = claims("acme", "machine.app");
    let changed = |name: &str, value: Value| key.sign(&with(good.clone(), name, value));
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        key.sign(&claims)
    };
    let since = |made: Option<i64>, end: i64| {
        let mut claims = with(good.clone(), "exp", json!(end));
        claims["iat"] = json!(made);
        if made.is_none() {
            claims.as_object_mut().unwrap().remove("iat");
        }
        key.sign(&claims)
    };
    let unsigned = |algorithm: &str| {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": key.kid}).to_string();
        [header, good.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    };
    let good_signed = key.sign(&good);
    let signature = good_signed.rsplit('.').next().unwrap();
    for (what, assertion) in [
        ("another's key", other.sign(&good)),
        ("alg none", format!("{}.", unsigned("none"))),
        ("alg none, signed", format!("{}.{signature}", unsigned("none"))),
        ("alg HS256", format!("{}.{signature}", unsigned("HS256"))),
        ("changed", format!("{}.{signature}", unsigned("ES256"))),
        ("another sub", changed("sub", json!("other.app"))),
        ("another iss", changed("iss", json!("other.app"))),
        ("another tenant", changed("aud", json!(issuer("other")))),
        ("also for another", changed("aud", json!([issuer("acme"), "https://elsewhere.example"]))),
        ("for nobody", changed("aud", json!([]))),
        ("a longer path", changed("aud", json!(format!("{}/oauth/token/", issuer("acme"))))),
        ("expired", changed("exp", json!(NOW - 31))),
        ("too long, and nobody knows since when", since(None, NOW + 331)),
        ("too old, though it would live", since(Some(NOW - 331), NOW + 3_600)),
        ("from far in the future", since(Some(NOW + 331), NOW + 3_600)),
        ("not yet", changed("nbf", json!(NOW + 31))),
        ("long jti", changed("jti", json!("j".repeat(257)))),
        ("empty jti", changed("jti", json!(""))),
        ("no jti", without("jti")),
        ("no exp", without("exp")),
        ("no aud", without("aud")),
        ("no sub", without("sub")),
        ("no iss", without("iss")),
        ("nobody's", changed("sub", json!("nobody.app"))),
        ("no JWT", "x.y.z".to_owned()),
    ] {
        for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
            let answer = asserted(&fixture, path, &assertion, &[&[("token", "x")], GRANT].concat()).await;
            assert_eq!(answer.error(), refused(), "{what} at {path}");
            assert_eq!(answer.json()["error_description"], "client authentication failed", "{what} at {path}");
        }
    }
    assert_eq!(asserted(&fixture, "/oauth/token", &good_signed, GRANT).await.status, 200, "it is good still");
}

#[tokio::test]
async fn a_clock_may_be_off_by_half_a_minute_and_a_long_life_counts_for_five() {
    let key = ClientKey::new();
    let fixture = shop(|_| {});
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    // Libraries let theirs live for an hour: it counts for five minutes.
    for (name, second) in [("exp", NOW - 29), ("exp", NOW + 3_600), ("nbf", NOW + 30), ("iat", NOW - 299)] {
        let fresh = with(claims("acme", "machine.app"), name, json!(second));
        assert_eq!(asserted(&fixture, "/oauth/token", &key.sign(&fresh), GRANT).await.status, 200, "{name} {second}");
    }
}

#[tokio::test]
async fn a_client_id_beside_it_has_to_be_its_own() {
    let key = ClientKey::new();
    let fixture = shop(|_| {});
    fixture.apply(&machine("acme", "machine.app", &key), 1);
    fixture.apply(&machine("acme", "other.app", &key), 1);
    let assertion = key.sign(&claims("acme", "machine.app"));
    for (named, status) in [("other.app", 401), ("nobody.app", 401), ("machine.app", 200)] {
        let fields = [&[("client_id", named)], GRANT].concat();
        assert_eq!(asserted(&fixture, "/oauth/token", &assertion, &fields).await.status, status, "{named}");
    }
}
