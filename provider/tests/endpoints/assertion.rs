//! `private_key_jwt` (RFC 7523 §2.2 and §3).

use claviger_crds::published::{ClientAuthentication, ClientDocument, Content};
use claviger_jose::{Algorithm, PrivateKey};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::browser::form;
use crate::capture::Capture;
use crate::fixture::*;

const ID: &str = "shop.signed";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client with a key of its own.
struct Signed {
    fixture: Fixture,
    key: PrivateKey,
}

impl Signed {
    fn new() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let jwks = Some(json!({ "keys": [key.public_jwk()] }));
        let algorithms = vec!["ES256".to_owned()];
        let authentication = ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri: None, algorithms };
        let document = ClientDocument { authentication, ..client_document(ID) };
        let client = serving("acme", ID, Content::OAuthClient(document));
        Self { fixture: Fixture::serving([tenant("acme"), ring("acme", "es256", "ES256"), client]), key }
    }

    /// An assertion with these claims beside those that each has.
    fn assertion(&self, claims: &Value) -> String {
        let mut all = json!({ "iss": ID, "sub": ID, "aud": format!("{}/oauth/token", issuer("acme")) });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let mut header = Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some(self.key.public_jwk().kid().to_string());
        jsonwebtoken::encode(&header, &all, &EncodingKey::from_ec_der(&self.key.to_pkcs8())).unwrap()
    }

    /// The status of a token request with it.
    async fn ask(&self, assertion: &str) -> u16 {
        let fields =
            [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", assertion)];
        self.fixture.send(token_request("acme").body(form(&fields).into()).unwrap()).await.status.as_u16()
    }
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let signed = Signed::new();
    let assertion = signed.assertion(&json!({ "iat": NOW, "exp": NOW + 60, "jti": "a" }));
    assert_eq!(signed.ask(&assertion).await, 200);
    assert_eq!(signed.ask(&assertion).await, 401);
    assert_eq!(signed.ask(&signed.assertion(&json!({ "iat": NOW, "exp": NOW + 60, "jti": "b" }))).await, 200);
}

#[tokio::test]
async fn an_assertion_that_does_not_count_is_told_of_the_client_that_it_names() {
    let signed = Signed::new();
    let capture = Capture::begin();
    assert_eq!(signed.ask(&signed.assertion(&json!({ "exp": NOW - 60, "jti": "a" }))).await, 401);
    let told = capture.take_audit();
    let told: Vec<_> = told.iter().map(|line| (&line["event"], &line["client"], &line["outcome"])).collect();
    assert_eq!(told, [(&json!("client_authentication"), &json!(ID), &json!("refused"))]);
    assert_eq!(signed.ask(&signed.assertion(&json!({ "sub": "nobody", "exp": NOW + 60, "jti": "b" }))).await, 401);
    assert_eq!(capture.take_audit(), [] as [Value; 0]);
}

#[tokio::test]
async fn times_may_have_fractions() {
    let signed = Signed::new();
    let claims = json!({ "iat": 1_800_000_000.25, "exp": 1_800_000_060.75, "jti": "a" });
    assert_eq!(signed.ask(&signed.assertion(&claims)).await, 200);
}

/// As some libraries make them: with an hour to live, for one request.
#[tokio::test]
async fn an_assertion_that_would_live_for_an_hour_counts_for_five_minutes_since_it_was_made() {
    let signed = Signed::new();
    let claims = |jti: &str| json!({ "iat": NOW, "exp": NOW + 3600, "jti": jti });
    assert_eq!(signed.ask(&signed.assertion(&claims("a"))).await, 200);
    // Five minutes, and what its clock may be off: remembered as long as it is taken.
    signed.fixture.advance(329);
    assert_eq!(signed.ask(&signed.assertion(&claims("a"))).await, 401);
    assert_eq!(signed.ask(&signed.assertion(&claims("b"))).await, 200);
    signed.fixture.advance(1);
    assert_eq!(signed.ask(&signed.assertion(&claims("c"))).await, 401);
}

#[tokio::test]
async fn an_assertion_that_does_not_say_when_it_was_made_may_live_for_five_minutes() {
    let signed = Signed::new();
    assert_eq!(signed.ask(&signed.assertion(&json!({ "exp": NOW + 300, "jti": "a" }))).await, 200);
    assert_eq!(signed.ask(&signed.assertion(&json!({ "exp": NOW + 331, "jti": "b" }))).await, 401);
}

#[tokio::test]
async fn an_assertion_by_or_for_somebody_else_or_without_its_claims_is_refused() {
    let signed = Signed::new();
    for (wrong, value) in [
        ("iss", json!("shop.app")),
        ("sub", json!("shop.app")),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!([issuer("acme"), "https://elsewhere.example"])),
        ("exp", Value::Null),
        ("exp", json!(NOW - 31)),
        ("iat", json!(NOW + 31)),
        ("nbf", json!(NOW + 31)),
        ("jti", Value::Null),
        ("jti", json!("")),
    ] {
        let mut claims = json!({ "iat": NOW, "exp": NOW + 60, "jti": "a" });
        claims[wrong] = value;
        assert_eq!(signed.ask(&signed.assertion(&claims)).await, 401, "{claims}");
    }
    for us in [json!(issuer("acme")), json!([format!("{}/oauth/token", issuer("acme"))])] {
        let claims = json!({ "iat": NOW, "exp": NOW + 60, "jti": us.to_string(), "aud": us });
        assert_eq!(signed.ask(&signed.assertion(&claims)).await, 200, "{claims}");
    }
}
