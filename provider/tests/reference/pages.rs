//! How the document and its page are served.

use axum::body::Body;
use http::Request;
use http::header::{HOST, IF_NONE_MATCH};

use crate::fixture::*;

const FILES: [(&str, &str); 3] = [
    ("/openapi.json", "application/json"),
    ("/api", "text/html; charset=utf-8"),
    ("/api/style.css", "text/css; charset=utf-8"),
];

async fn at(fixture: &Fixture, host: &str, path: &str) -> Answer {
    fixture.send(Request::get(path).header(HOST, host).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn each_file_is_kept_and_asked_for_again_by_its_etag() {
    let fixture = Fixture::acme();
    for (path, content_type) in FILES {
        let answer = fixture.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("x-request-id").is_some());
        let etag = answer.header("etag").unwrap();
        let again = Request::get(path).header(IF_NONE_MATCH, etag).body(Body::empty()).unwrap();
        let again = fixture.send(again).await;
        assert_eq!((again.status.as_u16(), again.body.is_empty()), (304, true), "{path}");
        let post = fixture.send(Request::post(path).body(Body::empty()).unwrap()).await;
        assert_eq!((post.status.as_u16(), post.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{path}");
    }
}

#[tokio::test]
async fn the_page_may_load_its_stylesheet_and_nothing_else() {
    let answer = Fixture::acme().get("/api").await;
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    assert_eq!(answer.header("content-security-policy"), Some(policy));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.text().contains("/api/v1/auth/tenants/{tenant_slug}/oauth/token"));
}

#[tokio::test]
async fn any_page_may_read_the_document() {
    let answer = Fixture::acme().get("/openapi.json").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn at_a_host_of_its_own_a_tenants_paths_have_no_slug() {
    let fixture = Fixture::acme();
    fixture.apply(&tenant_at("alone", "alone.example"), 1);
    let (alone, shared) =
        (at(&fixture, "alone.example", "/openapi.json").await, at(&fixture, "login.example", "/openapi.json").await);
    assert_ne!(alone.header("etag"), shared.header("etag"));
    let (alone, shared) = (alone.json(), shared.json());
    let below = |path: &str| format!("/api/v1/auth/tenants/{{tenant_slug}}{path}");
    for path in ["/oauth/token", "/.well-known/openid-configuration"] {
        assert!(alone["paths"][path].is_object() && shared["paths"][path].is_null(), "{path}");
        assert!(shared["paths"][below(path)].is_object() && alone["paths"][below(path)].is_null(), "{path}");
    }
    assert!(!alone.to_string().contains("{tenant_slug}"));
    assert!(at(&fixture, "alone.example", "/api").await.header("strict-transport-security").is_some());
}

#[tokio::test]
async fn nothing_is_described_before_everything_is_loaded() {
    let fixture = Fixture::loading();
    for (path, _) in FILES {
        let answer = fixture.get(path).await;
        assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()), "{path}");
    }
}
