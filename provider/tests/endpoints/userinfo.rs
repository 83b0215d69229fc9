use claviger_crds::published::Document;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::browser::form;
use crate::code_flow::*;
use crate::fixture::*;

const USERINFO: &str = "/oauth/userinfo";

async fn access_token(fixture: &Fixture, more: &[(&str, &str)]) -> String {
    tokens(fixture, more).await["access_token"].as_str().unwrap().to_owned()
}

fn machine() -> Document {
    client("acme", "machine.app")
}

async fn post(fixture: &Fixture, token: Option<&str>, body: String) -> Answer {
    let mut request = Request::post(path("acme", USERINFO)).header(CONTENT_TYPE, FORM);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    fixture.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_token_comes_in_the_header_or_in_a_form() {
    let fixture = shop(|_| {});
    let token = access_token(&fixture, &[]).await;
    let expected = json!({
        "sub": "usr_ada", "name": "ada", "email": "ada@acme.example", "email_verified": true,
        "groups": ["engineering"],
    });
    let get = fixture.bearer("acme", USERINFO, &token).await;
    assert_eq!((get.status.as_u16(), get.json()), (200, expected.clone()));
    assert_eq!(get.header("content-type"), Some("application/json"));
    assert_eq!(get.header("cache-control"), Some("no-store"));
    assert_eq!(post(&fixture, Some(&token), String::new()).await.json(), expected);
    assert_eq!(post(&fixture, None, form(&[("access_token", &token)])).await.json(), expected);
    let both = post(&fixture, Some(&token), form(&[("access_token", &token)])).await;
    assert_eq!(both.status, 400);
    assert!(both.header("www-authenticate").unwrap().contains("error=\"invalid_request\""));
    let query = fixture.get(&format!("{}?access_token={token}", path("acme", USERINFO))).await;
    assert_eq!(query.status, 401, "URLs are logged (RFC 6750 §2.3)");
}

#[tokio::test]
async fn whoever_brings_no_token_is_told_no_error() {
    let fixture = shop(|_| {});
    let realm = format!("Bearer realm=\"{}\"", issuer("acme"));
    let answer = fixture.get(&path("acme", USERINFO)).await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, Some(realm.as_str())));
    for token in ["x", "a.b.c", ""] {
        let answer = fixture.bearer("acme", USERINFO, token).await;
        assert_eq!(answer.status, 401, "{token}");
        let invalid = answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\"");
        assert_eq!(invalid, !token.is_empty());
    }
}

#[tokio::test]
async fn a_token_without_openid_or_without_a_person_is_not_enough() {
    let fixture = shop(|_| {});
    fixture.apply(&machine(), 1);
    let machines = fixture.token("acme", ("machine.app", SECRET), "grant_type=client_credentials").await.json();
    let machines = machines["access_token"].as_str().unwrap().to_owned();
    for token in [access_token(&fixture, &[("scope", "email")]).await, machines] {
        let answer = fixture.bearer("acme", USERINFO, &token).await;
        assert_eq!(answer.status, 403);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"openid\""));
    }
}

#[tokio::test]
async fn no_other_token_of_the_issuer_opens_it() {
    let fixture = shop(|_| {});
    let tokens = tokens(&fixture, &[]).await;
    for name in ["id_token", "refresh_token"] {
        assert_eq!(fixture.bearer("acme", USERINFO, tokens[name].as_str().unwrap()).await.status, 401, "{name}");
    }
    let token = tokens["access_token"].as_str().unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(fixture.bearer("acme", USERINFO, &forged).await.status, 401);
    fixture.advance(600);
    assert_eq!(fixture.bearer("acme", USERINFO, token).await.status, 401, "it is expired");
}

#[tokio::test]
async fn whatever_its_audience_a_persons_token_opens_it() {
    let fixture = shop(|shop| shop.audiences = vec![audience("https://api.example", &["read"])]);
    let token = access_token(&fixture, &[("scope", "openid read")]).await;
    assert_eq!(part(&token, 1)["aud"], "https://api.example");
    assert_eq!(fixture.bearer("acme", USERINFO, &token).await.json(), json!({"sub": "usr_ada"}));
    fixture.apply(&app("acme", "shop.app", |_| {}), 3);
    assert_eq!(
        fixture.bearer("acme", USERINFO, &token).await.status,
        401,
        "the audience was withdrawn from the client"
    );
}

#[tokio::test]
async fn single_claims_are_released_as_far_as_the_client_may_see_them() {
    let claims = |names: Value| json!({ "userinfo": names }).to_string();
    let fixture = shop(|shop| shop.scopes = ["openid", "email"].map(str::to_owned).to_vec());
    let asked = claims(json!({"email": null, "name": {"essential": true}, "iss": null, "nothing": null}));
    let token = access_token(&fixture, &[("scope", "openid"), ("claims", &asked)]).await;
    let seen = fixture.bearer("acme", USERINFO, &token).await.json();
    assert_eq!(seen, json!({"sub": "usr_ada", "email": "ada@acme.example"}), "profile is not the client's");
    let other = claims(json!({"email": {"value": "other@acme.example"}}));
    let token = access_token(&fixture, &[("claims", &other)]).await;
    assert_eq!(fixture.bearer("acme", USERINFO, &token).await.json().get("email"), None);
}

#[tokio::test]
async fn what_a_client_was_given_after_the_consent_nobody_was_asked_about() {
    let with = |scopes: &'static [&'static str]| {
        app("acme", "shop.app", |shop| shop.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect())
    };
    let fixture = shop(|_| {});
    fixture.apply(&with(&["openid", "email"]), 3);
    let asked = json!({"userinfo": {"name": null, "email": null}, "id_token": {"name": null}}).to_string();
    let tokens = tokens(&fixture, &[("scope", "openid"), ("claims", &asked)]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let seen = async || fixture.bearer("acme", USERINFO, token).await.json();
    fixture.apply(&with(&["openid", "email", "profile"]), 4);
    assert_eq!(seen().await, json!({"sub": "usr_ada", "email": "ada@acme.example"}));
    let again = refresh(&fixture, tokens["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(part(again["id_token"].as_str().unwrap(), 1).get("name"), None);
    fixture.apply(&with(&["openid", "profile"]), 5);
    assert_eq!(seen().await, json!({"sub": "usr_ada"}), "and what was taken from it is gone");
}

#[tokio::test]
async fn a_scope_that_is_withdrawn_is_served_no_more() {
    let fixture = shop(|_| {});
    let token = access_token(&fixture, &[("scope", "openid email profile")]).await;
    fixture.apply(&app("acme", "shop.app", |shop| shop.scopes.retain(|scope| scope != "email")), 3);
    let seen = fixture.bearer("acme", USERINFO, &token).await.json();
    assert_eq!(seen, json!({"sub": "usr_ada", "name": "ada"}));
    fixture.apply(&app("acme", "shop.app", |shop| shop.scopes.retain(|scope| scope != "openid")), 4);
    let answer = fixture.bearer("acme", USERINFO, &token).await;
    assert_eq!(answer.status, 403, "without openid not even who it is");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"openid\""));
}

/// RFC 6750 §3.1 names a parameter that comes twice.
#[tokio::test]
async fn a_form_that_is_none_is_answered_by_a_challenge() {
    let fixture = shop(|_| {});
    let request = http::Request::post(path("acme", USERINFO)).header("content-type", FORM);
    let answer = fixture.send(request.body("access_token=a&access_token=b".into()).unwrap()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.header("www-authenticate").is_some_and(|told| told.contains("error=\"invalid_request\"")));
}
