//! Who acts for whom: `act`, `actor_token`, `may_act` (RFC 8693 §1.1, §4).

use claviger_crds::published::{ActorToken, SubjectToken};
use serde_json::{Value, json};

use super::world::*;
use crate::fixture::*;
use crate::foreign::*;

/// Fields of an actor token.
fn actor<'a>(token: &'a str, kind: &'a str) -> [(&'a str, &'a str); 2] {
    [("actor_token", token), ("actor_token_type", kind)]
}

/// The client's own token, which it got for itself.
async fn own_token(world: &World, client: &str) -> String {
    let answer = world
        .fixture
        .token("acme", (client, SECRET), "grant_type=client_credentials&audience=https%3A%2F%2Fstock.example")
        .await;
    text(&answer.json(), "access_token")
}

fn refused() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

#[tokio::test]
async fn with_an_actor_token_the_new_token_says_who_acts_and_for_whom() {
    let world = World::new();
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let (access_token, jwt) = (token_type("access_token"), token_type("jwt"));
    let pod = world.cluster.sign(&account("shop", "billing", &api_of("allowed.app")));
    let job = world.ci.sign(&job(&api_of("allowed.app")));
    for (token, kind, expected) in [
        (own_token(&world, "allowed.app").await, &access_token, "allowed.app".to_owned()),
        (own_token(&world, "allowed.app").await, &jwt, "allowed.app".to_owned()),
        (pod, &jwt, "system:serviceaccount:shop:billing".to_owned()),
        (job, &jwt, format!("{CI}#repo:acme/shop:environment:production")),
    ] {
        let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(&token, kind)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!((&answer.claims()["sub"], &answer.claims()["act"]), (&json!("usr_ada"), &json!({"sub": expected})));
        let seen = world.introspect("stock.app", &text(&answer.json(), "access_token")).await;
        assert_eq!(seen["act"], json!({"sub": expected}), "an API that asks learns it too");
    }
}

#[tokio::test]
async fn who_acted_before_stays_in_the_chain_and_a_chain_has_an_end() {
    let world = World::new();
    // A client that is the API which it exchanges for: what it gets it can bring again.
    world.change("allowed.app", 2, |client| {
        client.audiences[0].audience = api_of("allowed.app");
        client.token_exchange[0].audiences = vec![api_of("allowed.app")];
    });
    let mut token = world.token_for(Brought::AccessToken, "allowed.app").await;
    let jwt = token_type("jwt");
    for depth in 1..=5 {
        let name = format!("job-{depth}");
        let pod = world.cluster.sign(&account("shop", &name, &api_of("allowed.app")));
        let answer = world.exchange("allowed.app", Brought::AccessToken, &token, &actor(&pod, &jwt)).await;
        assert_eq!(answer.status, 200, "{depth}: {}", answer.text());
        let act = answer.claims()["act"].clone();
        assert_eq!(act["sub"], format!("system:serviceaccount:shop:{name}"));
        let before =
            if depth == 1 { Value::Null } else { json!(format!("system:serviceaccount:shop:job-{}", depth - 1)) };
        assert_eq!(act["act"]["sub"], before);
        token = text(&answer.json(), "access_token");
    }
    let pod = world.cluster.sign(&account("shop", "job-6", &api_of("allowed.app")));
    let deeper = world.exchange("allowed.app", Brought::AccessToken, &token, &actor(&pod, &jwt)).await;
    assert_eq!(deeper.error(), refused());
    let plain = world.exchange("allowed.app", Brought::AccessToken, &token, &[]).await;
    assert_eq!(plain.claims()["act"]["sub"], "system:serviceaccount:shop:job-5", "nobody is forgotten without one");
}

#[tokio::test]
async fn an_actor_is_the_requesters_and_its_token_bounds_the_new_one() {
    let world = World::new();
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let (access_token, jwt) = (token_type("access_token"), token_type("jwt"));
    let elsewhere = world.cluster.sign(&account("shop", "billing", &api_of("stranger.app")));
    let strangers = own_token(&world, "stranger.app").await;
    let refresh = text(&world.login("allowed.app").await, "refresh_token");
    for (what, token, kind) in [
        ("another's ServiceAccount token", &elsewhere, &jwt),
        ("another client's own", &strangers, &access_token),
        ("a refresh token", &refresh, &token_type("refresh_token")),
        ("nonsense", &"x".to_owned(), &jwt),
        ("an unknown type", &elsewhere, &token_type("saml2")),
    ] {
        let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(token, kind)).await;
        assert_eq!(answer.error(), refused(), "{what}");
    }
    for half in [[("actor_token", "x")], [("actor_token_type", jwt.as_str())]] {
        let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &half).await;
        assert_eq!(answer.error(), refused(), "{half:?}");
    }
    // Whom that one acts for would be forgotten.
    let acting = with(&job(&api_of("allowed.app")), "act", json!({"sub": "bot"}));
    let acting = world.ci.sign(&acting);
    let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(&acting, &jwt)).await;
    assert_eq!(answer.error(), refused());
    let short = world.cluster.sign(&with(&account("shop", "billing", &api_of("allowed.app")), "exp", json!(NOW + 60)));
    let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(&short, &jwt)).await;
    assert_eq!(answer.json()["expires_in"], 60);
}

#[tokio::test]
async fn a_rule_may_demand_an_actor_or_want_none() {
    let world = World::new();
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let pod = world.cluster.sign(&account("shop", "billing", &api_of("allowed.app")));
    let jwt = token_type("jwt");
    for (revision, policy, without, with) in
        [(2, ActorToken::Required, 400, 200), (3, ActorToken::Forbidden, 200, 400), (4, ActorToken::Optional, 200, 200)]
    {
        world.change("allowed.app", revision, |client| client.token_exchange[0].actor_token = policy);
        let plain = world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await;
        let acting = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(&pod, &jwt)).await;
        assert_eq!((plain.status.as_u16(), acting.status.as_u16()), (without, with), "{policy:?}");
    }
}

#[tokio::test]
async fn may_act_lets_a_stranger_bring_a_token_and_no_other_act() {
    let world = World::new();
    let (us, elsewhere) = (issuer("acme"), "https://elsewhere.example");
    // For allowed.app; stranger.app brings it.
    for (may_act, expected) in [
        (json!({"iss": us, "sub": "stranger.app"}), 200),
        (json!({"iss": us, "sub": "other.app"}), 400),
        // A name without an issuer is one of the CI system's own: its stranger.app is another.
        (json!({"sub": "stranger.app"}), 400),
        (json!({"iss": elsewhere, "sub": "stranger.app"}), 400),
    ] {
        let token = world.ci.sign(&with(&job(&api_of("allowed.app")), "may_act", may_act.clone()));
        let answer = world.exchange("stranger.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.status, expected, "{may_act}: {}", answer.text());
    }
    let jwt = token_type("jwt");
    let pod = world.cluster.sign(&account("shop", "billing", &api_of("allowed.app")));
    let by_job = world.ci.sign(&with(&job(&api_of("allowed.app")), "sub", json!("repo:acme/robot")));
    let names = |iss: &str, sub: &str| json!({"iss": iss, "sub": sub});
    for (may_act, token, expected) in [
        (names(CLUSTER, "system:serviceaccount:shop:billing"), &pod, 200),
        (names(&us, "system:serviceaccount:shop:billing"), &pod, 400),
        (names(CLUSTER, "system:serviceaccount:shop:other"), &pod, 400),
        (json!({"sub": "repo:acme/robot"}), &by_job, 200),
        (json!({"sub": "repo:acme/other"}), &by_job, 400),
        (names(&us, "allowed.app"), &pod, 200),
    ] {
        let subject = world.ci.sign(&with(&job(&api_of("allowed.app")), "may_act", may_act.clone()));
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &subject, &actor(token, &jwt)).await;
        assert_eq!(answer.status, expected, "{may_act}: {}", answer.text());
    }
}

#[tokio::test]
async fn where_may_act_names_another_nobody_else_brings_the_token_either() {
    let world = World::new();
    let (own, other) = (json!({"iss": issuer("acme"), "sub": "allowed.app"}), json!({"sub": "robot"}));
    for (may_act, expected) in [(own, 200), (other, 400)] {
        let token = world.ci.sign(&with(&job(&api_of("allowed.app")), "may_act", may_act.clone()));
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.status, expected, "{may_act}");
    }
}

#[tokio::test]
async fn a_rule_says_who_may_act_beside_the_client_itself() {
    let world = World::new();
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let (jwt, access_token) = (token_type("jwt"), token_type("access_token"));
    let pod = world.cluster.sign(&account("shop", "billing", &api_of("allowed.app")));
    let by_job = world.ci.sign(&job(&api_of("allowed.app")));
    let person = world.token_for(Brought::AccessToken, "allowed.app").await;
    let itself = own_token(&world, "allowed.app").await;
    use SubjectToken::{AccessToken, ServiceAccount, TrustedIssuer};
    let mut revision = 1;
    for (kinds, issuers, actors, expected) in [
        (vec![], vec![], vec![], [400, 400, 400, 200]),
        (vec![ServiceAccount], vec![], vec![], [200, 400, 400, 200]),
        (vec![ServiceAccount], vec![], vec!["system:serviceaccount:shop:*"], [200, 400, 400, 200]),
        (vec![ServiceAccount], vec![], vec!["system:serviceaccount:other:*", "repo:*"], [400, 400, 400, 200]),
        (vec![TrustedIssuer], vec![CI], vec![], [400, 200, 400, 200]),
        (vec![TrustedIssuer], vec![CI], vec!["repo:acme/shop:*"], [400, 200, 400, 200]),
        (vec![TrustedIssuer], vec![CI], vec!["repo:acme/other:*"], [400, 400, 400, 200]),
        (vec![TrustedIssuer], vec!["https://other.example"], vec![], [400, 400, 400, 200]),
        (vec![AccessToken], vec![], vec![], [400, 400, 200, 200]),
        (vec![AccessToken], vec![], vec!["somebody-else"], [400, 400, 200, 200]),
    ] {
        revision += 1;
        world.change("allowed.app", revision, |client| {
            client.token_exchange[0].actor_tokens = kinds.clone();
            client.token_exchange[0].trusted_issuers = issuers.iter().map(|&issuer| issuer.to_owned()).collect();
            client.token_exchange[0].actors = actors.iter().map(|&actor| actor.to_owned()).collect();
        });
        let mut seen = [0; 4];
        let tokens = [(&pod, &jwt), (&by_job, &jwt), (&person, &access_token), (&itself, &access_token)];
        for (status, (token, kind)) in seen.iter_mut().zip(tokens) {
            let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &actor(token, kind)).await;
            *status = answer.status.as_u16();
        }
        assert_eq!(seen, expected, "{kinds:?} {issuers:?} {actors:?}");
    }
}

#[tokio::test]
async fn who_acts_in_a_trusted_issuers_token_is_that_issuers() {
    let world = World::new();
    let token =
        world.ci.sign(&with(&job(&api_of("allowed.app")), "act", json!({"sub": "bot", "act": {"sub": "cron"}})));
    let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
    let expected = json!({"sub": format!("{CI}#bot"), "act": {"sub": format!("{CI}#cron")}});
    assert_eq!(answer.claims()["act"], expected);
    let mut deep = json!({"sub": "x"});
    for _ in 0..5 {
        deep = json!({"sub": "x", "act": deep});
    }
    for bad in [deep, json!("bot"), json!({"act": {"sub": "x"}})] {
        let token = world.ci.sign(&with(&job(&api_of("allowed.app")), "act", bad.clone()));
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.error(), refused(), "{bad}");
    }
}
