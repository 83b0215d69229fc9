use axum::body::Body;
use claviger_crds::published::{ClientAuthentication, ClientDocument, Content};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};

use crate::fixture::*;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const RFC_8414: &str = "/.well-known/oauth-authorization-server";

async fn get_at(fixture: &Fixture, host: &str, path: &str) -> Answer {
    fixture.send(Request::get(path).header(HOST, host).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn credentials_and_tokens_of_one_tenant_are_worth_nothing_at_another() {
    let authentication = ClientAuthentication::Secret { hashes: vec![hash("other", None)] };
    let other = ClientDocument { authentication, ..client_document("shop.app") };
    let other = serving("beta", "shop.app", Content::OAuthClient(other));
    let fixture = Fixture::serving([
        tenant("acme"),
        ring("acme", "ring", "ES256"),
        client("acme", "shop.app"),
        client("acme", "acme.only"),
        tenant("beta"),
        ring("beta", "ring", "ES256"),
        other,
    ]);
    const GRANT: &str = "grant_type=client_credentials";
    for (slug, id, secret, status) in [
        ("acme", "shop.app", SECRET, 200),
        ("beta", "shop.app", "other", 200),
        ("beta", "shop.app", SECRET, 401),
        ("acme", "shop.app", "other", 401),
        ("acme", "acme.only", SECRET, 200),
        ("beta", "acme.only", SECRET, 401),
    ] {
        assert_eq!(fixture.token(slug, (id, secret), GRANT).await.status.as_u16(), status, "{slug} {id} {secret}");
    }
    let answer = fixture.token("acme", SHOP, GRANT).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let acme = fixture.get(&path("acme", "/.well-known/jwks.json")).await.body;
    let beta = fixture.get(&path("beta", "/.well-known/jwks.json")).await.body;
    let (issuer_acme, issuer_beta) = (issuer("acme"), issuer("beta"));
    assert!(verify(token, &acme, &issuer_acme, &issuer_acme).is_ok());
    assert!(verify(token, &acme, &issuer_beta, &issuer_acme).is_err());
    assert!(verify(token, &beta, &issuer_acme, &issuer_acme).is_err());
    let beyond = format!("{GRANT}&resource={issuer_beta}");
    assert_eq!(fixture.token("acme", SHOP, &beyond).await.error(), (400, "invalid_target".to_owned()));
}

#[tokio::test]
async fn an_unknown_tenant_is_404_at_every_endpoint() {
    let fixture = Fixture::acme();
    for slug in ["nobody", "ACME", "%61cme", "acme%00", ""] {
        for rest in [DISCOVERY, "/.well-known/jwks.json", "/oauth/authorize"] {
            let answer = fixture.get(&path(slug, rest)).await;
            assert_eq!(answer.error(), (404, "not_found".to_owned()), "{slug}{rest}");
        }
    }
    let answer = fixture.token("nobody", SHOP, "grant_type=client_credentials").await;
    assert_eq!(answer.error(), (404, "not_found".to_owned()));
    assert_eq!(answer.json()["error_description"], "there is no such tenant at this address");
}

#[tokio::test]
async fn a_tenant_with_a_host_is_served_at_its_root_and_nowhere_else() {
    let fixture = Fixture::serving([
        tenant_at("bank", "login.bank.example"),
        ring("bank", "ring", "ES256"),
        client("bank", "shop.app"),
        tenant("acme"),
        ring("acme", "ring", "ES256"),
    ]);
    for (host, path, status) in [
        ("login.bank.example", DISCOVERY.to_owned(), 200),
        ("login.bank.example", RFC_8414.to_owned(), 200),
        ("LOGIN.bank.example", DISCOVERY.to_owned(), 200),
        ("login.bank.example:443", DISCOVERY.to_owned(), 200),
        ("login.bank.example:80", DISCOVERY.to_owned(), 404),
        ("login.bank.example:8443", DISCOVERY.to_owned(), 404),
        ("bank.example", DISCOVERY.to_owned(), 404),
        ("login.example", DISCOVERY.to_owned(), 404),
        ("login.example", RFC_8414.to_owned(), 404),
        // Its slug is no address, neither elsewhere nor at home.
        ("login.example", path("bank", DISCOVERY), 404),
        ("login.bank.example", path("bank", DISCOVERY), 404),
        // And others are not served where it lives.
        ("login.bank.example", path("acme", DISCOVERY), 404),
        ("LOGIN.BANK.EXAMPLE:443", path("acme", DISCOVERY), 404),
        ("login.bank.example", format!("{RFC_8414}{}", path("acme", "")), 404),
        ("login.example", path("acme", DISCOVERY), 200),
    ] {
        assert_eq!(get_at(&fixture, host, &path).await.status.as_u16(), status, "{host}{path}");
    }
    let document = get_at(&fixture, "login.bank.example", DISCOVERY).await.json();
    assert_eq!(document["issuer"], "https://login.bank.example");
    assert_eq!(document["token_endpoint"], "https://login.bank.example/oauth/token");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/oauth/token")
        .header(HOST, "login.bank.example")
        .header(CONTENT_TYPE, FORM)
        .header(AUTHORIZATION, basic("shop.app", SECRET));
    let claims = fixture.send(request.body("grant_type=client_credentials".into()).unwrap()).await.claims();
    assert_eq!(
        (claims["iss"].as_str(), claims["tenant_id"].as_str()),
        (Some("https://login.bank.example"), Some("bank"))
    );
}

#[tokio::test]
async fn the_host_of_http_2_is_in_the_uri_and_two_hosts_are_none() {
    let fixture = Fixture::serving([tenant_at("bank", "login.bank.example"), ring("bank", "ring", "ES256")]);
    let http_2 = Request::get(format!("https://login.bank.example{DISCOVERY}")).body(Body::empty()).unwrap();
    assert_eq!(fixture.send(http_2).await.status, StatusCode::OK);
    let two = Request::get(DISCOVERY).header(HOST, "login.bank.example").header(HOST, "login.bank.example");
    assert_eq!(fixture.send(two.body(Body::empty()).unwrap()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_tenant_that_is_withdrawn_is_gone_and_comes_back_as_it_was() {
    let fixture = Fixture::acme();
    let before = fixture.get(&path("acme", "/.well-known/jwks.json")).await.body;
    fixture.apply(&withdrawn(&tenant("acme")), 2);
    for rest in [DISCOVERY, "/.well-known/jwks.json"] {
        assert_eq!(fixture.get(&path("acme", rest)).await.status, StatusCode::NOT_FOUND);
    }
    let refused = fixture.token("acme", SHOP, "grant_type=client_credentials").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    fixture.apply(&tenant("acme"), 3);
    assert_eq!(fixture.get(&path("acme", "/.well-known/jwks.json")).await.body, before);
    assert_eq!(fixture.token("acme", SHOP, "grant_type=client_credentials").await.status, StatusCode::OK);
}
