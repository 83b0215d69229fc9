use axum::body::Body;
use claviger_crds::published::{ClientDocument, Content};
use http::header::AUTHORIZATION;
use http::{Method, Request};

use crate::fixture::*;

const SPA: &str = "https://spa.example";
const GRANT: &str = "grant_type=client_credentials";

fn fixture() -> Fixture {
    let spa = ClientDocument { allowed_origins: vec![SPA.to_owned()], ..client_document("spa.app") };
    let fixture = Fixture::acme();
    fixture.apply(&serving("acme", "spa.app", Content::OAuthClient(spa)), 1);
    fixture
}

async fn preflight(fixture: &Fixture, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST");
    fixture.send(request.body(Body::empty()).unwrap()).await
}

async fn token(fixture: &Fixture, id: &str, secret: &str, origin: &str) -> Answer {
    let request = token_request("acme").header(AUTHORIZATION, basic(id, secret)).header("origin", origin);
    fixture.send(request.body(GRANT.into()).unwrap()).await
}

#[tokio::test]
async fn any_page_may_read_what_is_public_even_an_error() {
    let fixture = fixture();
    for (slug, status) in [("acme", 200), ("nobody", 404)] {
        for rest in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
            let answer = fixture.get(&path(slug, rest)).await;
            assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (status, Some("*")));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
    let asked = preflight(&fixture, &path("acme", "/.well-known/jwks.json"), "https://any.example").await;
    assert_eq!((asked.status.as_u16(), asked.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(asked.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_page_may_ask_for_tokens_where_some_client_names_it() {
    let fixture = fixture();
    let good = preflight(&fixture, &path("acme", "/oauth/token"), SPA).await;
    assert_eq!((good.status.as_u16(), good.header("access-control-allow-origin")), (204, Some(SPA)));
    assert_eq!(good.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert!(good.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(good.header("vary"), Some("Origin"));
    for origin in ["https://evil.example", "null", "https://spa.example.evil", "http://spa.example"] {
        let bad = preflight(&fixture, &path("acme", "/oauth/token"), origin).await;
        assert_eq!((bad.status.as_u16(), bad.header("access-control-allow-origin")), (204, None), "{origin}");
        assert_eq!(bad.header("access-control-allow-methods"), None);
    }
}

#[tokio::test]
async fn a_page_reads_a_token_only_of_a_client_that_names_it() {
    let fixture = fixture();
    let origin = |answer: &Answer| answer.header("access-control-allow-origin").map(str::to_owned);
    assert_eq!(origin(&token(&fixture, "spa.app", SECRET, SPA).await), Some(SPA.to_owned()));
    assert_eq!(origin(&token(&fixture, "shop.app", SECRET, SPA).await), None);
    assert_eq!(origin(&token(&fixture, "spa.app", SECRET, "https://evil.example").await), None);
    let error = token(&fixture, "spa.app", "wrong", SPA).await;
    assert_eq!((error.status.as_u16(), origin(&error)), (401, Some(SPA.to_owned())));
}

#[tokio::test]
async fn an_origin_that_no_client_names_any_more_may_not_ask() {
    let fixture = fixture();
    let two = ClientDocument { allowed_origins: vec![SPA.to_owned()], ..client_document("two.app") };
    let two = serving("acme", "two.app", Content::OAuthClient(two));
    fixture.apply(&two, 1);
    fixture.apply(&client("acme", "spa.app"), 2);
    let asked = preflight(&fixture, &path("acme", "/oauth/token"), SPA).await;
    assert_eq!(asked.header("access-control-allow-origin"), Some(SPA), "the second client names it");
    fixture.apply(&withdrawn(&two), 2);
    let asked = preflight(&fixture, &path("acme", "/oauth/token"), SPA).await;
    assert_eq!(asked.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_page_that_some_client_names_may_ask_for_userinfo_and_is_let_see_why_it_gets_none() {
    let fixture = fixture();
    let userinfo = path("acme", "/oauth/userinfo");
    for (origin, allowed) in [(SPA, Some(SPA)), ("https://evil.example", None)] {
        let asked = preflight(&fixture, &userinfo, origin).await;
        assert_eq!((asked.status.as_u16(), asked.header("access-control-allow-origin")), (204, allowed));
        let headers = asked.header("access-control-allow-headers");
        assert_eq!(headers.is_some_and(|headers| headers.contains("authorization")), allowed.is_some());
        let request = Request::get(&userinfo).header("origin", origin).header(AUTHORIZATION, "Bearer x");
        let answer = fixture.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (401, allowed));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
    for rest in ["authorize", "authorize/complete", "login", "consent", "select-account", "introspect", "logout"] {
        let asked = preflight(&fixture, &path("acme", &format!("/oauth/{rest}")), SPA).await;
        assert_eq!((asked.status.as_u16(), asked.header("access-control-allow-origin")), (204, None), "{rest}");
    }
}
