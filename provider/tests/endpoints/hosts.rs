//! A tenant at a host of its own: a whole login there, and nothing of it anywhere else.

use claviger_crds::published::{Content, Document, TenantDocument};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST as HOST_HEADER};
use serde_json::Value;

use crate::browser::{ADAS_PASSWORD, Browser, HOST, form};
use crate::code_flow::*;
use crate::fixture::*;
use crate::operations::operations;

const BANK: &str = "https://login.bank.example";
const SHIP: &str = "https://login.ship.example";

fn at_host(slug: &str, home: &str) -> [Document; 4] {
    let host = home.strip_prefix("https://").unwrap().to_owned();
    let mut document = TenantDocument { issuer: home.to_owned(), host: Some(host), ..tenant_document(slug) };
    document.login.passwords = true;
    [
        serving(slug, slug, Content::Tenant(document)),
        ring(slug, "es256", "ES256"),
        app(slug, "shop.app", |_| {}),
        user(slug, "ada", ADAS_PASSWORD),
    ]
}

fn fixture() -> Fixture {
    let acme = [
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        app("acme", "shop.app", |_| {}),
        user("acme", "ada", ADAS_PASSWORD),
    ];
    Fixture::serving(at_host("bank", BANK).into_iter().chain(at_host("ship", SHIP)).chain(acme))
}

fn authorize(home: &str, more: &[(&str, &str)]) -> String {
    format!("{home}/oauth/authorize?{}", form(&request(more)))
}

async fn post(fixture: &Fixture, home: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(path).header(HOST_HEADER, home.strip_prefix("https://").unwrap());
    let request = request.header(CONTENT_TYPE, FORM).header(AUTHORIZATION, basic("shop.app", SECRET));
    fixture.send(request.body(form(fields).into()).unwrap()).await
}

async fn redeem_at(fixture: &Fixture, home: &str, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    post(fixture, home, "/oauth/token", &fields).await
}

async fn userinfo(fixture: &Fixture, home: &str, token: &str) -> u16 {
    let request = Request::get(format!("{home}/oauth/userinfo")).header(AUTHORIZATION, format!("Bearer {token}"));
    fixture.send(request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

#[tokio::test]
async fn a_login_at_a_host_goes_from_page_to_page_and_ends_in_tokens_of_that_issuer() {
    let fixture = fixture();
    let mut browser = Browser::at(&fixture, BANK);
    let first = browser.get(&authorize(BANK, &[])).await;
    let page = first.header("location").unwrap();
    assert!(page.starts_with(&format!("{BANK}/oauth/login?flow=")), "{page}");
    let page = browser.follow(first).await;
    assert!(page.is_page("login") && page.text().contains("action=\"/oauth/login\""), "{}", page.text());
    let answer = browser.log_in(&page, "ada", ADAS_PASSWORD).await;
    assert_eq!(answer.redirected("iss").as_deref(), Some(BANK));
    let tokens = redeem_at(&fixture, BANK, &answer.redirected("code").unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let tokens = tokens.json();
    for name in ["access_token", "id_token"] {
        assert_eq!(part(text(&tokens, name), 1)["iss"], BANK, "{name}");
    }
    assert_eq!(userinfo(&fixture, BANK, text(&tokens, "access_token")).await, 200);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(post(&fixture, BANK, "/oauth/token", &refresh).await.status, 200);
    let hint = [("id_token_hint", text(&tokens, "id_token")), ("post_logout_redirect_uri", "https://shop.example/")];
    let left = browser.get(&format!("{BANK}/oauth/logout?{}", form(&hint))).await;
    assert_eq!(left.header("location"), Some("https://shop.example/"));
    // Only that a login was finished here is remembered for a while.
    let left: Vec<&String> = browser.cookies.keys().collect();
    assert_eq!(left, ["__Host-claviger-finished-bank"]);
}

#[tokio::test]
async fn its_cookies_are_for_its_host_alone() {
    let fixture = fixture();
    let mut browser = Browser::at(&fixture, BANK);
    let page = browser.open(&authorize(BANK, &[])).await;
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", ADAS_PASSWORD)];
    let answer = browser.post(&format!("{BANK}/oauth/login"), &fields).await;
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for cookie in cookies {
        // RFC 6265bis §4.1.3.2: with this prefix, and without Domain, no other host gets or sets it.
        assert!(cookie.starts_with("__Host-claviger-") && cookie.contains("-bank"), "{cookie}");
        let attributes = cookie.to_lowercase();
        assert!(
            !attributes.contains("domain=") && attributes.contains("; path=/; ") && attributes.contains("; secure")
        );
    }
    // Whoever carries it elsewhere all the same is nobody there.
    let session = browser.cookies.iter().find(|(name, _)| name.contains("session")).unwrap().1.clone();
    for (home, url, name) in [
        (SHIP, authorize(SHIP, &[("prompt", "none")]), "__Host-claviger-session-ship"),
        (HOST, crate::code_flow::authorize(&[("prompt", "none")]), "__Host-claviger-session-acme"),
    ] {
        let mut thief = Browser::at(&fixture, home);
        thief.cookies.insert(name.to_owned(), session.clone());
        thief.cookies.insert("__Host-claviger-session-bank".to_owned(), session.clone());
        assert_eq!(thief.get(&url).await.redirected("error").as_deref(), Some("login_required"), "{home}");
    }
    let none = authorize(BANK, &[("prompt", "none")]);
    assert!(browser.get(&none).await.redirected("code").is_some());
    // A form that another tenant's page sends is a foreign one, though the provider is the same.
    let page = browser.open(&authorize(BANK, &[("prompt", "login")])).await;
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", ADAS_PASSWORD)];
    for origin in [SHIP, HOST] {
        let refused = browser.post_from(origin, &format!("{BANK}/oauth/login"), &fields).await;
        assert_eq!(refused.shown(), (403, "foreign_origin".to_owned()), "{origin}");
    }
}

#[tokio::test]
async fn nothing_of_one_host_is_worth_anything_at_another() {
    let fixture = fixture();
    let code = async |home| {
        let mut browser = Browser::at(&fixture, home);
        let page = browser.open(&authorize(home, &[])).await;
        browser.log_in(&page, "ada", ADAS_PASSWORD).await.redirected("code").unwrap()
    };
    let banks = code(BANK).await;
    let refused = redeem_at(&fixture, SHIP, &banks).await;
    assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    let tokens = redeem_at(&fixture, BANK, &banks).await.json();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(post(&fixture, SHIP, "/oauth/token", &refresh).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(userinfo(&fixture, SHIP, text(&tokens, "access_token")).await, 401);
    assert_eq!(userinfo(&fixture, BANK, text(&tokens, "access_token")).await, 200);
}

#[tokio::test]
async fn every_endpoint_is_at_its_host_and_at_no_other_address() {
    let fixture = fixture();
    let status = async |host: &str, method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header(HOST_HEADER, host);
        fixture.send(request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
    };
    for operation in operations(&fixture).await {
        let (method, rest) = operation.name.split_once(' ').unwrap();
        // Its twin has no tenant in the path, once there is a host.
        let is_not_served = rest == "/backchannel-logout";
        let at_home = status("login.bank.example", method, rest).await;
        assert_eq!(at_home == 404, is_not_served, "{method} {rest}: {at_home}");
        for (host, path) in [
            ("login.example", rest.to_owned()),
            ("login.bank.example.evil", rest.to_owned()),
            ("login.bank.example", path("bank", rest)),
            ("login.bank.example", path("acme", rest)),
            ("login.bank.example", path("ship", rest)),
            ("login.example", path("bank", rest)),
        ] {
            assert_eq!(status(host, method, &path).await, 404, "{method} {host}{path}");
        }
    }
}
