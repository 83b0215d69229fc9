//! The JWT bearer grant (RFC 7523 §2.1).

use claviger_crds::published::{ClientAuthentication, SubjectToken};
use serde_json::json;

use super::world::*;
use crate::browser::form;
use crate::fixture::*;
use crate::foreign::*;

pub(crate) const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A world in which jobs of the CI system have a client of their own, which cannot prove who it is.
fn world() -> World {
    let world = World::new();
    world.change("ci.app", 1, |client| {
        client.grant_types = vec![BEARER.to_owned()];
        client.authentication = ClientAuthentication::None;
        client.token_exchange = vec![rule(&[SubjectToken::TrustedIssuer])];
    });
    world
}

async fn assert_with(world: &World, fields: &[(&str, &str)]) -> Answer {
    let fields = [&[("grant_type", BEARER), ("client_id", "ci.app")], fields].concat();
    world.fixture.send(token_request("acme").body(form(&fields).into()).unwrap()).await
}

fn refused() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_job_that_has_nothing_but_its_token_gets_one_for_an_api() {
    let world = world();
    let token = world.ci.sign(&job(&issuer("acme")));
    let answer = assert_with(&world, &[("assertion", &token), ("scope", "read")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let claims = answer.claims();
    let subject = format!("{CI}#repo:acme/shop:environment:production");
    assert_eq!((&claims["sub"], &claims["aud"], &claims["scope"]), (&json!(subject), &json!(STOCK), &json!("read")));
    assert_eq!((&claims["client_id"], &claims["exp"]), (&json!("ci.app"), &json!(NOW + 300)));
    assert_eq!(answer.json().get("issued_token_type"), None, "that is of exchanges");
    let seen = world.introspect("stock.app", &text(&answer.json(), "access_token")).await;
    assert_eq!((&seen["active"], &seen["sub"]), (&json!(true), &json!(subject)));
}

#[tokio::test]
async fn the_same_policy_bounds_it() {
    let world = world();
    let good = world.ci.sign(&job(&issuer("acme")));
    let pod = world.cluster.sign(&account("shop", "billing", &api_of("ci.app")));
    for (what, fields, error) in [
        ("no assertion", vec![], (400, "invalid_request")),
        ("nonsense", vec![("assertion", "x")], (400, "invalid_grant")),
        ("a pod's, for an API", vec![("assertion", pod.as_str())], (400, "invalid_grant")),
        ("an API that refuses", vec![("assertion", good.as_str()), ("audience", CLOSED)], (400, "invalid_target")),
        ("too much scope", vec![("assertion", good.as_str()), ("scope", "admin")], (400, "invalid_scope")),
    ] {
        let answer = assert_with(&world, &fields).await;
        assert_eq!(answer.error(), (error.0, error.1.to_owned()), "{what}");
    }
    for (what, claims) in [
        ("another repository", with(&job(&issuer("acme")), "sub", json!("repo:evil/shop"))),
        ("another audience", job("https://elsewhere.example")),
        // Whoever runs that API could bring it, to any tenant that has such a one.
        ("an API's", job(&api_of("ci.app"))),
        ("expired", with(&job(&issuer("acme")), "exp", json!(NOW))),
    ] {
        let token = world.ci.sign(&claims);
        assert_eq!(assert_with(&world, &[("assertion", &token)]).await.error(), refused(), "{what}");
    }
    let names_another = world.ci.sign(&with(&job(&issuer("acme")), "may_act", json!({"sub": "robot"})));
    let answer = assert_with(&world, &[("assertion", &names_another)]).await;
    assert_eq!(answer.error(), refused());
    let told = text(&answer.json(), "error_description");
    assert!(told.starts_with("the assertion is not valid"), "it speaks of what was sent: {told}");
    let foreign = crate::assertions::ClientKey::new().sign(&job(&issuer("acme")));
    assert_eq!(assert_with(&world, &[("assertion", &foreign)]).await.error(), refused());
}

#[tokio::test]
async fn our_own_tokens_are_no_assertions() {
    let world = world();
    world.change("ci.app", 2, |client| {
        client.grant_types.push(BEARER.to_owned());
        client.token_exchange = vec![rule(&every_kind())];
    });
    for (name, brought) in Brought::ALL.into_iter().take(3) {
        let token = world.token_for(brought, "allowed.app").await;
        let fields = [("grant_type", BEARER), ("assertion", token.as_str())];
        let answer = world.fixture.token("acme", ("ci.app", SECRET), &form(&fields)).await;
        assert_eq!(answer.error(), refused(), "{name}");
    }
}

#[tokio::test]
async fn a_pod_may_assert_what_its_own_client_may_exchange() {
    let world = world();
    world.change("pods.app", 1, |client| {
        client.grant_types = vec![BEARER.to_owned()];
        client.authentication = by_accounts(&["shop/billing"]);
    });
    let pod = world.cluster.sign(&account("shop", "billing", &issuer("acme")));
    let fields = [("grant_type", BEARER), ("assertion", pod.as_str())];
    let answer = crate::assertions::asserted(&world.fixture, "/oauth/token", &pod, &fields).await;
    assert_eq!(answer.claims()["sub"], "system:serviceaccount:shop:billing", "{}", answer.text());
    world.change("ci.app", 2, |client| {
        client.grant_types.push(BEARER.to_owned());
        client.token_exchange = vec![rule(&every_kind())];
    });
    let answer = world.fixture.token("acme", ("ci.app", SECRET), &form(&fields)).await;
    assert_eq!(answer.error(), refused(), "another client has it from there");
}

#[tokio::test]
async fn a_client_without_the_grant_may_not() {
    let world = world();
    let token = world.ci.sign(&job(&issuer("acme")));
    let fields = [("grant_type", BEARER), ("assertion", token.as_str())];
    let answer = world.fixture.token("acme", ALLOWED, &form(&fields)).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".to_owned()));
}
