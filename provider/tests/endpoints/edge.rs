use std::sync::Arc;

use axum::body::Body;
use claviger_crds::published::{Content, TenantDocument};
use claviger_provider::Provider;
use claviger_provider::clock::Clock;
use claviger_provider::served::Pod;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use serde_json::json;
use tower::ServiceExt as _;

use crate::fixture::*;

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_wrong_method_is_told_the_right_ones() {
    let fixture = Fixture::acme();
    for (rest, allow, wrong) in [
        (DISCOVERY, "GET, HEAD, OPTIONS", vec!["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"]),
        ("/.well-known/jwks.json", "GET, HEAD, OPTIONS", vec!["POST"]),
        ("/oauth/token", "POST, OPTIONS", vec!["GET", "PUT", "HEAD"]),
    ] {
        for method in wrong {
            let request = Request::builder().method(method).uri(path("acme", rest)).body(Body::empty()).unwrap();
            let answer = fixture.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some(allow)), "{method} {rest}");
            if method != "HEAD" {
                assert_eq!(
                    answer.json(),
                    json!({"error": "method_not_allowed", "error_description": "see the Allow header"})
                );
            }
        }
    }
}

#[tokio::test]
async fn every_answer_bears_a_request_id_and_security_headers() {
    let fixture = Fixture::acme();
    let token = path("acme", "/oauth/token");
    for (method, path, status) in [
        (Method::GET, path("acme", DISCOVERY), 200),
        (Method::POST, path("acme", DISCOVERY), 405),
        (Method::OPTIONS, path("acme", DISCOVERY), 204),
        (Method::POST, token, 422),
        (Method::GET, path("acme", "/oauth/authorize"), 422),
        (Method::OPTIONS, path("acme", "/oauth/authorize"), 204),
        (Method::POST, path("acme", "/backchannel-logout"), 404),
        (Method::GET, path("acme", "/nothing"), 404),
        (Method::GET, path("nobody", DISCOVERY), 404),
        (Method::GET, "/".to_owned(), 404),
    ] {
        for (sent, kept) in [(None, None), (Some("req-1.a:b"), Some("req-1.a:b")), (Some("a b"), None)] {
            let mut request = Request::builder().method(method.clone()).uri(&path).header("accept", "application/json");
            if let Some(sent) = sent {
                request = request.header("x-request-id", sent);
            }
            let answer = fixture.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}");
            let id = answer.header("x-request-id").unwrap();
            assert!(kept.map_or(id.len() == 33 && !id.contains(' '), |kept| id == kept), "{id}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        }
    }
}

#[tokio::test]
async fn strict_transport_security_is_for_https_alone() {
    let plain =
        TenantDocument { issuer: format!("http://127.0.0.1:8080{}", path("plain", "")), ..tenant_document("plain") };
    let fixture = Fixture::acme();
    fixture.apply(&serving("plain", "plain", Content::Tenant(plain)), 1);
    let hsts = async |slug| {
        let answer = fixture.get(&path(slug, DISCOVERY)).await;
        answer.header("strict-transport-security").map(str::to_owned)
    };
    assert_eq!(hsts("acme").await.as_deref(), Some("max-age=31536000"));
    assert_eq!(hsts("plain").await, None);
}

#[tokio::test]
async fn nothing_is_denied_before_everything_is_loaded() {
    let fixture = Fixture::loading();
    for path in [path("acme", DISCOVERY), path("acme", "/.well-known/jwks.json"), DISCOVERY.to_owned()] {
        let answer = fixture.get(&path).await;
        assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()), "{path}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let answer = fixture.token("acme", SHOP, "grant_type=client_credentials").await;
    assert_eq!(answer.status.as_u16(), 503);
    fixture.provider.loaded();
    assert_eq!(fixture.get(&path("acme", DISCOVERY)).await.status.as_u16(), 404);
}

#[tokio::test]
async fn requests_are_counted_by_endpoint_and_outcome() {
    let fixture = Fixture::acme();
    fixture.get(&path("acme", DISCOVERY)).await;
    fixture.get("/nothing").await;
    fixture.token("acme", SHOP, "grant_type=client_credentials").await;
    fixture.token("acme", ("shop.app", "wrong"), "grant_type=client_credentials").await;
    fixture.token("acme", SHOP, "").await;
    let mut text = String::new();
    encode(&mut text, &fixture.provider.metrics()).unwrap();
    for line in [
        r#"claviger_provider_http_requests_total{endpoint="discovery",code="2xx"} 1"#,
        r#"claviger_provider_http_requests_total{endpoint="none",code="4xx"} 1"#,
        r#"claviger_provider_http_requests_total{endpoint="token",code="2xx"} 1"#,
        r#"claviger_provider_http_requests_total{endpoint="token",code="4xx"} 2"#,
        r#"claviger_provider_http_request_duration_seconds_count{endpoint="token"} 3"#,
        "claviger_provider_tokens_issued_total 1",
        r#"claviger_provider_token_errors_total{error="invalid_client"} 1"#,
        r#"claviger_provider_token_errors_total{error="validation"} 1"#,
        "claviger_provider_documents_served 3",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("as the test wants")
    }
}

#[tokio::test]
async fn a_fault_of_the_providers_own_costs_one_request() {
    let pod = Pod { name: "provider-0".to_owned(), uid: "uid-0".to_owned() };
    let provider = Provider::with_clock(options(pod), Arc::new(BrokenClock));
    provider.apply_secret(&tenant("acme").to_secret("published", "uid", 1));
    provider.loaded();
    let request = token_request("acme").body(Body::from("grant_type=client_credentials")).unwrap();
    let answer = provider.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 500);
    assert!(answer.headers().contains_key("x-request-id"));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({"error": "server_error", "error_description": "an internal error"}));
    let mut text = String::new();
    encode(&mut text, &provider.metrics()).unwrap();
    assert!(text.contains("claviger_provider_panics_total 1"), "{text}");
}
