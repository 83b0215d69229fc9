use claviger_crds::published::ClientAuthentication;
use serde_json::{Value, json};

use crate::browser::form;
use crate::code_flow::*;
use crate::fixture::*;

const OTHER: (&str, &str) = ("other.app", SECRET);

async fn revoke(fixture: &Fixture, client: (&str, &str), token: &str) -> Answer {
    fixture.post_form("acme", "/oauth/revoke", client, &[("token", token)]).await
}

async fn userinfo(fixture: &Fixture, tokens: &Value) -> u16 {
    fixture.bearer("acme", "/oauth/userinfo", text(tokens, "access_token")).await.status.as_u16()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

#[tokio::test]
async fn a_refresh_token_goes_with_its_whole_grant() {
    let fixture = shop(|_| {});
    let (tokens, others) = (tokens(&fixture, &[]).await, tokens(&fixture, &[]).await);
    let answer = revoke(&fixture, SHOP, text(&tokens, "refresh_token")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(refresh(&fixture, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(userinfo(&fixture, &tokens).await, 401);
    assert_eq!(userinfo(&fixture, &others).await, 200, "another grant is another matter");
}

#[tokio::test]
async fn an_access_token_goes_alone() {
    let fixture = shop(|_| {});
    let tokens = tokens(&fixture, &[]).await;
    assert_eq!(revoke(&fixture, SHOP, text(&tokens, "access_token")).await.status, 200);
    assert_eq!(userinfo(&fixture, &tokens).await, 401);
    let seen = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", text(&tokens, "access_token"))]).await;
    assert_eq!(seen.json(), json!({"active": false}));
    let next = refresh(&fixture, text(&tokens, "refresh_token")).await;
    assert_eq!(next.status, 200);
    assert_eq!(userinfo(&fixture, &next.json()).await, 200);
}

#[tokio::test]
async fn a_clients_own_token_can_be_given_back_too() {
    let fixture = shop(|_| {});
    fixture.apply(&client("acme", "machine.app"), 1);
    let machine = ("machine.app", SECRET);
    let tokens = fixture.token("acme", machine, "grant_type=client_credentials").await.json();
    let token = text(&tokens, "access_token");
    assert_eq!(revoke(&fixture, machine, token).await.status, 200);
    let seen = fixture.post_form("acme", "/oauth/introspect", machine, &[("token", token)]).await;
    assert_eq!(seen.json(), json!({"active": false}));
}

#[tokio::test]
async fn another_client_is_told_the_same_and_revokes_nothing() {
    let fixture = shop(|_| {});
    fixture.apply(&app("acme", "other.app", |_| {}), 1);
    let tokens = tokens(&fixture, &[]).await;
    for token in [text(&tokens, "refresh_token"), text(&tokens, "access_token"), "nonsense"] {
        let answer = revoke(&fixture, OTHER, token).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    }
    assert_eq!(userinfo(&fixture, &tokens).await, 200);
    assert_eq!(refresh(&fixture, text(&tokens, "refresh_token")).await.status, 200);
}

#[tokio::test]
async fn who_asks_has_to_say_who_he_is_and_what_he_means() {
    let fixture = shop(|_| {});
    let tokens = tokens(&fixture, &[]).await;
    let wrong = revoke(&fixture, ("shop.app", "wrong"), text(&tokens, "refresh_token")).await;
    assert_eq!(wrong.error(), (401, "invalid_client".to_owned()));
    assert!(wrong.header("www-authenticate").is_some());
    let missing = fixture.post_form("acme", "/oauth/revoke", SHOP, &[("token", "")]).await;
    assert_eq!(missing.error(), (422, "invalid_request".to_owned()));
    assert_eq!(missing.json()["detail"][0]["loc"], json!(["body", "token"]));
    assert_eq!(userinfo(&fixture, &tokens).await, 200);
}

#[tokio::test]
async fn a_public_client_gives_back_by_its_name() {
    let fixture = shop(|shop| shop.authentication = ClientAuthentication::None);
    let code = crate::browser::Browser::new(&fixture).code(&authorize(&[])).await;
    let send = async |endpoint: &str, fields: &[(&str, &str)]| {
        let request = http::Request::post(path("acme", endpoint)).header("content-type", FORM);
        fixture.send(request.body(form(fields).into()).unwrap()).await
    };
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", "shop.app"),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    let tokens = send("/oauth/token", &redeem).await.json();
    assert_eq!(userinfo(&fixture, &tokens).await, 200);
    let fields = [("token", text(&tokens, "refresh_token")), ("client_id", "shop.app")];
    assert_eq!(send("/oauth/revoke", &fields).await.status, 200);
    assert_eq!(userinfo(&fixture, &tokens).await, 401);
}
