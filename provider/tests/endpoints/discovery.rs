use axum::body::Body;
use claviger_crds::published::{Content, ScopeDocument, TenantDocument};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::fixture::*;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_document_has_every_required_field_and_tells_what_is_served() {
    let scopes = vec![ScopeDocument { name: "employee".to_owned(), description: String::new(), claims: Vec::new() }];
    let tenant = serving("acme", "acme", Content::Tenant(TenantDocument { scopes, ..tenant_document("acme") }));
    let fixture = Fixture::serving([tenant, ring("acme", "ec", "ES256"), ring("acme", "ed", "EdDSA")]);
    let answer = fixture.get(&path("acme", WELL_KNOWN)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let mut document = answer.json();
    let algorithms = document["id_token_signing_alg_values_supported"].take();
    let mut algorithms: Vec<String> = serde_json::from_value(algorithms).unwrap();
    algorithms.sort();
    assert_eq!(algorithms, ["ES256", "EdDSA"]);
    document.as_object_mut().unwrap().remove("id_token_signing_alg_values_supported");
    let at = |path: &str| format!("https://login.example/api/v1/auth/tenants/acme{path}");
    assert_eq!(
        document,
        json!({
            "issuer": at(""),
            "authorization_endpoint": at("/oauth/authorize"),
            "token_endpoint": at("/oauth/token"),
            "userinfo_endpoint": at("/oauth/userinfo"),
            "jwks_uri": at("/.well-known/jwks.json"),
            "end_session_endpoint": at("/oauth/logout"),
            "revocation_endpoint": at("/oauth/revoke"),
            "introspection_endpoint": at("/oauth/introspect"),
            "scopes_supported":
                ["openid", "profile", "email", "address", "phone", "groups", "offline_access", "employee"],
            "response_types_supported": [],
            "response_modes_supported": [],
            "grant_types_supported": ["client_credentials"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "tenant_id"],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "authorization_response_iss_parameter_supported": false,
            "code_challenge_methods_supported": [],
            "backchannel_logout_supported": false,
            "backchannel_logout_session_supported": false,
            "frontchannel_logout_supported": false,
            "frontchannel_logout_session_supported": false,
        })
    );
}

#[tokio::test]
async fn rfc_8414_finds_the_same_bytes_before_the_issuers_path() {
    let fixture = Fixture::acme();
    let twin = fixture.get("/.well-known/oauth-authorization-server/api/v1/auth/tenants/acme").await;
    assert_eq!(twin.status, StatusCode::OK);
    assert_eq!(twin.body, fixture.get(&path("acme", WELL_KNOWN)).await.body);
    let unknown = fixture.get("/.well-known/oauth-authorization-server/api/v1/auth/tenants/nobody").await;
    assert_eq!(unknown.error(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn every_endpoint_in_the_document_answers_and_those_not_served_say_so() {
    let fixture = Fixture::acme();
    let Value::Object(document) = fixture.get(&path("acme", WELL_KNOWN)).await.json() else { panic!("no object") };
    let mut not_served = 0;
    for (name, url) in document.iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        let path = url.as_str().unwrap().strip_prefix("https://login.example").unwrap();
        if name == "token_endpoint" {
            continue;
        }
        for method in ["GET", "POST"] {
            let answer = fixture.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
            let error =
                json!({"error": "not_found", "error_description": "this endpoint is not served by this release"});
            assert_eq!((answer.status, answer.json()), (StatusCode::NOT_FOUND, error), "{method} {name}");
        }
        not_served += 1;
    }
    assert_eq!(not_served, 5);
}

#[tokio::test]
async fn who_has_the_document_is_sent_no_body() {
    let fixture = Fixture::acme();
    let etag = fixture.get(&path("acme", WELL_KNOWN)).await.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 30, "{etag}");
    for (sent, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (etag.trim_matches('"').to_owned(), 200),
    ] {
        let request = Request::get(path("acme", WELL_KNOWN)).header("if-none-match", &sent);
        let answer = fixture.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{sent}");
        assert_eq!(answer.body.is_empty(), status == 304, "{sent}");
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }
}

#[tokio::test]
async fn head_tells_the_length_without_the_body() {
    let fixture = Fixture::acme();
    let length = fixture.get(&path("acme", WELL_KNOWN)).await.body.len().to_string();
    let head = fixture.send(Request::head(path("acme", WELL_KNOWN)).body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), Some(length.as_str()));
}
