use axum::body::Body;
use claviger_crds::published::{Content, ScopeDocument, TenantDocument};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::fixture::*;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_document_has_every_required_field_and_tells_what_is_served() {
    let scopes = vec![ScopeDocument {
        name: "employee".to_owned(),
        description: String::new(),
        claims: vec!["staff_id".to_owned()],
    }];
    let mut tenant = TenantDocument { scopes, ..tenant_document("acme") };
    tenant.login.passwords = true;
    let tenant = serving("acme", "acme", Content::Tenant(tenant));
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
    let claims = document["claims_supported"].take();
    let claims: Vec<&str> = claims.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for claim in ["sub", "acr", "auth_time", "at_hash", "sid", "email", "groups", "updated_at", "staff_id"] {
        assert!(claims.contains(&claim), "{claim}");
    }
    document.as_object_mut().unwrap().remove("claims_supported");
    assert_eq!(document, expected());
}

#[tokio::test]
async fn where_nobody_can_log_in_no_acr_can_be_had() {
    let fixture = Fixture::serving([serving("acme", "acme", Content::Tenant(tenant_document("acme")))]);
    let document = fixture.get(&path("acme", WELL_KNOWN)).await.json();
    assert_eq!(document.get("acr_values_supported"), None);
}

/// All but the algorithms and the claims.
fn expected() -> Value {
    let at = |path: &str| format!("https://login.example/api/v1/auth/tenants/acme{path}");
    let every = json!(["RS256", "PS256", "ES256", "ES384", "EdDSA"]);
    let authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
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
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": authentication,
        "token_endpoint_auth_signing_alg_values_supported": every,
        "introspection_endpoint_auth_methods_supported": authentication[..3],
        "introspection_endpoint_auth_signing_alg_values_supported": every,
        "revocation_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_signing_alg_values_supported": every,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": ["urn:claviger:acr:password"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en", "de", "fr"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    })
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
async fn every_endpoint_in_the_document_answers() {
    let fixture = Fixture::acme();
    let Value::Object(document) = fixture.get(&path("acme", WELL_KNOWN)).await.json() else { panic!("no object") };
    let expected = [
        ("authorization_endpoint", 422, 422),
        ("token_endpoint", 405, 422),
        ("userinfo_endpoint", 401, 401),
        ("end_session_endpoint", 200, 303),
        ("revocation_endpoint", 405, 422),
        ("introspection_endpoint", 405, 422),
    ];
    assert_eq!(document.keys().filter(|name| name.ends_with("_endpoint")).count(), expected.len());
    for (name, get, post) in expected {
        let path = document[name].as_str().unwrap().strip_prefix("https://login.example").unwrap();
        for (method, status) in [("GET", get), ("POST", post)] {
            let answer = fixture.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {name}");
        }
    }
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
    let known = Request::head(path("acme", WELL_KNOWN)).header("if-none-match", "*");
    let known = fixture.send(known.body(Body::empty()).unwrap()).await;
    assert_eq!((known.status, known.header("content-length")), (StatusCode::NOT_MODIFIED, None));
}
