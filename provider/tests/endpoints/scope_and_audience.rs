use claviger_crds::published::{ClientDocument, Content};

use crate::fixture::*;

const A: &str = "https://a.example";
const B: &str = "https://b.example";

/// A client of two APIs that share a scope, and with one of the tenant's own scopes.
fn fixture() -> Fixture {
    let client = ClientDocument {
        scopes: vec!["openid".to_owned(), "employee".to_owned()],
        audiences: vec![audience(A, &["a:read", "a:write", "both"]), audience(B, &["b:read", "both"])],
        ..client_document("shop.app")
    };
    let client = serving("acme", "shop.app", Content::OAuthClient(client));
    Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), client])
}

async fn ask(fixture: &Fixture, rest: &str) -> Answer {
    fixture.token("acme", SHOP, &format!("grant_type=client_credentials{rest}")).await
}

#[tokio::test]
async fn the_audience_is_the_one_asked_for_else_that_of_the_scopes_else_the_first() {
    let fixture = fixture();
    let issuer = issuer("acme");
    let of_issuer = format!("&resource={issuer}");
    for (rest, audience, scope) in [
        ("", A, "a:read a:write both"),
        ("&scope=a:read", A, "a:read"),
        ("&scope=b:read", B, "b:read"),
        ("&scope=b%3Aread+both", B, "b:read both"),
        ("&scope=both", A, "both"),
        ("&scope=both&audience=https://b.example", B, "both"),
        ("&resource=https%3A%2F%2Fb.example", B, "b:read both"),
        ("&resource=https://b.example&audience=https://b.example", B, "b:read both"),
        ("&resource=https://b.example&resource=https://b.example", B, "b:read both"),
        ("&scope=employee", A, "employee"),
        ("&scope=employee+b:read", B, "employee b:read"),
        ("&scope=a:read++a:read+", A, "a:read"),
        (&of_issuer, &issuer, "employee"),
    ] {
        let answer = ask(&fixture, rest).await;
        let claims = answer.claims();
        assert_eq!((claims["aud"].as_str(), claims["scope"].as_str()), (Some(audience), Some(scope)), "{rest}");
        assert_eq!(answer.json()["scope"], scope, "the answer says what the token says");
    }
}

#[tokio::test]
async fn an_api_that_has_the_scope_is_meant_though_the_tenant_has_one_of_that_name() {
    let client = ClientDocument {
        scopes: vec!["orders:write".to_owned(), "employee".to_owned()],
        audiences: vec![audience(A, &["a:read"]), audience(B, &["orders:write", "b:read"])],
        ..client_document("shop.app")
    };
    let client = serving("acme", "shop.app", Content::OAuthClient(client));
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), client]);
    for (rest, audience) in [
        ("&scope=orders:write", B),
        ("&scope=orders:write+employee", B),
        ("&scope=orders:write+b:read", B),
        // The tenant's own goes with any API that is asked for by name.
        ("&scope=orders:write+a:read&audience=https://a.example", A),
        ("&scope=orders:write&resource=https://a.example", A),
        ("&scope=employee", A),
    ] {
        assert_eq!(ask(&fixture, rest).await.claims()["aud"], audience, "{rest}");
    }
    for rest in ["&scope=a:read+b:read", "&scope=a:read+orders:write"] {
        assert_eq!(ask(&fixture, rest).await.error(), (400, "invalid_target".to_owned()), "{rest}");
    }
}

#[tokio::test]
async fn what_was_not_granted_is_refused() {
    let fixture = fixture();
    for (rest, error) in [
        ("&scope=a:delete", "invalid_scope"),
        ("&scope=a:read+a:delete", "invalid_scope"),
        ("&scope=A:read", "invalid_scope"),
        ("&scope=a:read%0Ab:read", "invalid_scope"),
        ("&scope=a%22b", "invalid_scope"),
        ("&scope=%C3%A9", "invalid_scope"),
        ("&scope=openid", "invalid_scope"),
        ("&scope=a:read+offline_access", "invalid_scope"),
        ("&scope=profile", "invalid_scope"),
        ("&resource=https://c.example", "invalid_target"),
        ("&audience=https://a.example/", "invalid_target"),
        ("&audience=shop.app", "invalid_target"),
        ("&resource=https://a.example&resource=https://b.example", "invalid_target"),
        ("&resource=https://a.example&audience=https://b.example", "invalid_target"),
        ("&scope=a:read+b:read", "invalid_target"),
        ("&scope=a:read&resource=https://b.example", "invalid_target"),
    ] {
        let answer = ask(&fixture, rest).await;
        assert_eq!(answer.error(), (400, error.to_owned()), "{rest}");
        assert!(answer.json().get("access_token").is_none());
    }
    let of_issuer = format!("&scope=a:read&resource={}", issuer("acme"));
    assert_eq!(ask(&fixture, &of_issuer).await.error(), (400, "invalid_target".to_owned()));
    let many: String = (0..101).map(|number| format!("s{number}+")).collect();
    let answer = ask(&fixture, &format!("&scope={many}")).await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    assert_eq!(answer.json()["error_description"], "there are too many scopes");
}

#[tokio::test]
async fn an_error_names_the_scope_that_it_is_about() {
    let fixture = fixture();
    let description = |answer: Answer| answer.json()["error_description"].as_str().unwrap().to_owned();
    assert_eq!(description(ask(&fixture, "&scope=a:delete").await), "a:delete is not granted to this client");
    assert_eq!(
        description(ask(&fixture, "&scope=openid").await),
        "openid is about a person, and there is none in this grant"
    );
}
