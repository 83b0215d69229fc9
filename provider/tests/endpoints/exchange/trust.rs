//! Whose tokens may be brought, by whom: other issuers' keys and subjects, and tokens that are for somebody else.

use claviger_crds::published::{ClientAuthentication, Content, SubjectToken, TenantDocument};
use serde_json::json;

use super::world::*;
use crate::assertions::ClientKey;
use crate::fixture::*;
use crate::foreign::*;

fn refused() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

#[tokio::test]
async fn a_foreign_subject_bears_its_issuers_name_and_a_pod_kubernetes_own() {
    let world = World::new();
    for (brought, expected) in [
        (Brought::TrustedIssuer, format!("{CI}#repo:acme/shop:environment:production")),
        (Brought::ServiceAccount, "system:serviceaccount:shop:billing".to_owned()),
    ] {
        let token = world.token_for(brought, "allowed.app").await;
        let claims = world.exchange("allowed.app", brought, &token, &[]).await.claims();
        assert_eq!(claims["sub"], expected);
        for claim in ["auth_time", "acr", "sid"] {
            assert_eq!(claims.get(claim), None, "{claim}: nobody has logged in");
        }
    }
}

#[tokio::test]
async fn a_trusted_issuers_token_is_its_own_for_us_and_about_those_who_are_trusted() {
    let world = World::new();
    let good = job(&api_of("allowed.app"));
    for (what, claims) in [
        ("for somebody else", with(&good, "aud", json!("https://elsewhere.example"))),
        ("for nobody", without(&good, "aud")),
        // Another tenant may have a client of that name.
        ("for a client ID", with(&good, "aud", json!("allowed.app"))),
        ("of another repository", with(&good, "sub", json!("repo:evil/shop"))),
        ("of a name that only looks so", with(&good, "sub", json!("repo:acme-evil/shop"))),
        ("of another environment", with(&good, "environment", json!("staging"))),
        ("of no environment", without(&good, "environment")),
        ("of nobody", without(&good, "sub")),
        ("expired", with(&good, "exp", json!(NOW))),
        ("without an end", without(&good, "exp")),
        ("without a beginning", without(&good, "iat")),
        ("longer than a day", with(&good, "exp", json!(NOW + 86_401))),
        ("not valid yet", with(&good, "nbf", json!(NOW + 31))),
        ("by somebody who is not trusted", with(&good, "iss", json!("https://elsewhere.example"))),
        ("by nobody", without(&good, "iss")),
        (
            "bound to a key of its holder's",
            with(&good, "cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
        ),
        ("with a scope that is none", with(&good, "scp", json!({"read": true}))),
        ("with scopes that are none", with(&good, "scp", json!(["read", 1]))),
        ("by the cluster", with(&good, "iss", json!(CLUSTER))),
        ("by the tenant itself", with(&good, "iss", json!(issuer("acme")))),
        ("by another tenant", with(&good, "iss", json!(issuer("other")))),
    ] {
        let token = world.ci.sign(&claims);
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.error(), refused(), "{what}");
    }
    for (what, claims) in [
        ("the tenant", with(&good, "aud", json!(issuer("acme")))),
        ("several", with(&good, "aud", json!(["x", api_of("allowed.app")]))),
        ("the client's API", with(&good, "aud", json!(api_of("allowed.app")))),
        ("one of several", with(&good, "environment", json!(["staging", "production"]))),
    ] {
        let token = world.ci.sign(&claims);
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_key_is_one_issuers_alone() {
    let world = World::new();
    let of_cluster = account("shop", "billing", &api_of("allowed.app"));
    for (what, token) in [
        ("the cluster's key for the CI's token", world.cluster.sign(&job(&api_of("allowed.app")))),
        ("the CI's key for the cluster's token", world.ci.sign(&of_cluster)),
        ("nobody's key", ClientKey::new().sign(&of_cluster)),
        ("nobody's key", ClientKey::new().sign(&job(&api_of("allowed.app")))),
    ] {
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.error(), refused(), "{what}");
    }
}

#[tokio::test]
async fn a_rule_may_be_of_some_issuers_only() {
    let world = World::new();
    let token = world.token_for(Brought::TrustedIssuer, "allowed.app").await;
    for (revision, issuers, status) in [(2, vec!["https://other.example"], 400), (3, vec![CI], 200), (4, vec![], 200)] {
        world.change("allowed.app", revision, |client| {
            client.token_exchange[0].trusted_issuers = issuers.iter().map(|&issuer| issuer.to_owned()).collect();
        });
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.status, status, "{issuers:?}");
    }
}

/// A document of before may have patterns that do not say whose: they are about no trusted issuer's subjects.
#[tokio::test]
async fn a_rule_may_be_of_some_subjects_only() {
    use SubjectToken::{AccessToken, ServiceAccount, TrustedIssuer};
    let world = World::new();
    let both = vec![AccessToken, ServiceAccount, TrustedIssuer];
    let (pods, jobs) = (vec![AccessToken, ServiceAccount], vec![AccessToken, TrustedIssuer]);
    for (revision, (kinds, issuers, subjects, expected)) in (2..).zip([
        (&pods, vec![], vec!["system:serviceaccount:shop:*"], [200, 400]),
        (&pods, vec![], vec!["system:serviceaccount:other:*", "repo:acme/*"], [400, 400]),
        (&jobs, vec![CI], vec!["repo:acme/shop:*"], [400, 200]),
        (&jobs, vec![CI], vec!["repo:acme/other:*"], [400, 400]),
        (&jobs, vec![], vec!["repo:acme/shop:*"], [400, 400]),
        (&both, vec![CI], vec!["system:serviceaccount:shop:*", "repo:acme/shop:*"], [200, 400]),
        (&both, vec![], vec![], [200, 200]),
    ]) {
        world.change("allowed.app", revision, |client| {
            let rule = &mut client.token_exchange[0];
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            rule.subject_tokens.clone_from(kinds);
            (rule.trusted_issuers, rule.subjects) = (texts(&issuers), texts(&subjects));
        });
        for (brought, expected) in [Brought::ServiceAccount, Brought::TrustedIssuer].into_iter().zip(expected) {
            let token = world.token_for(brought, "allowed.app").await;
            let answer = world.exchange("allowed.app", brought, &token, &[]).await;
            assert_eq!(answer.status, expected, "{brought:?} {subjects:?}");
        }
        let person = world.token_for(Brought::AccessToken, "allowed.app").await;
        let answer = world.exchange("allowed.app", Brought::AccessToken, &person, &[]).await;
        assert_eq!(answer.status, 200, "of the tenant's own nothing is said");
    }
}

#[tokio::test]
async fn a_token_that_is_for_others_too_is_not_for_the_tenant() {
    let world = World::new();
    let both = json!([issuer("acme"), "https://elsewhere.example"]);
    let token = world.ci.sign(&with(&job(""), "aud", both.clone()));
    assert_eq!(world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await.error(), refused());
    world.change("pods.app", 1, |client| client.authentication = by_accounts(&["shop/billing"]));
    let pod = account("shop", "billing", &issuer("acme"));
    let (proof, subject) = (world.cluster.sign(&pod), world.cluster.sign(&with(&pod, "aud", both)));
    let fields = [("grant_type", EXCHANGE), ("subject_token", &*subject), ("subject_token_type", &token_type("jwt"))];
    let answer = crate::assertions::asserted(&world.fixture, "/oauth/token", &proof, &fields).await;
    assert_eq!(answer.error(), refused());
}

#[tokio::test]
async fn an_api_that_is_called_as_the_issuer_has_no_tokens_of_others_for_itself() {
    let world = World::new();
    let itself = issuer("acme");
    world.change("stranger.app", 2, |client| {
        client.resource_server.as_mut().unwrap().audience = itself.clone();
    });
    let pod = world.cluster.sign(&account("shop", "billing", &itself));
    assert_eq!(world.exchange("stranger.app", Brought::ServiceAccount, &pod, &[]).await.error(), refused());
    let plain = app_token(&world).await;
    assert_eq!(part(&plain, 1)["aud"], itself);
    assert_eq!(world.exchange("stranger.app", Brought::AccessToken, &plain, &[]).await.error(), refused());
    assert_eq!(world.introspect("stranger.app", &plain).await, json!({"active": false}));
}

/// An access token of Ada's for no API.
async fn app_token(world: &World) -> String {
    world.fixture.apply(&crate::code_flow::app("acme", "shop.app", |_| {}), 2);
    text(&crate::code_flow::tokens(&world.fixture, &[]).await, "access_token")
}

#[tokio::test]
async fn a_users_declared_subject_is_no_foreign_one() {
    let world = World::new();
    let mut ada = user("acme", "eve", "x");
    let Content::User(document) = &mut ada.content else { panic!("no user") };
    document.subject = format!("{CI}#repo:acme/shop:environment:production");
    world.fixture.apply(&ada, 1);
    let token = world.token_for(Brought::TrustedIssuer, "allowed.app").await;
    assert_eq!(world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await.error(), refused());
}

#[tokio::test]
async fn a_service_accounts_token_for_the_issuer_counts_from_its_own_client_alone() {
    let world = World::new();
    let token = world.cluster.sign(&account("shop", "billing", &issuer("acme")));
    let stolen = world.exchange("allowed.app", Brought::ServiceAccount, &token, &[]).await;
    assert_eq!(stolen.error(), refused());
    world.change("pods.app", 1, |client| client.authentication = by_accounts(&["shop/billing"]));
    let fields = [("grant_type", EXCHANGE), ("subject_token", &*token), ("subject_token_type", &token_type("jwt"))];
    let own = crate::assertions::asserted(&world.fixture, "/oauth/token", &token, &fields).await;
    assert_eq!(own.claims()["sub"], "system:serviceaccount:shop:billing", "{}", own.text());
    // The same account, made again: what is published of it says so to everybody.
    let inside = json!({"namespace": "shop", "serviceaccount": {"name": "billing", "uid": "other"}});
    let again = world.cluster.sign(&with(&account("shop", "billing", &api_of("allowed.app")), "kubernetes.io", inside));
    let answer = world.exchange("allowed.app", Brought::ServiceAccount, &again, &[]).await;
    assert_eq!(answer.error(), refused());
}

/// Its token lives on for a while, and is signed by the cluster; a client that names it makes the operator look.
#[tokio::test]
async fn a_deleted_account_is_nobody_whoever_brings_its_token() {
    let world = World::new();
    let token = world.cluster.sign(&account("shop", "billing", &api_of("allowed.app")));
    let person = world.token_for(Brought::AccessToken, "allowed.app").await;
    let jwt = token_type("jwt");
    let actor = [("actor_token", token.as_str()), ("actor_token_type", jwt.as_str())];
    let ask = async || {
        let subject = world.exchange("allowed.app", Brought::ServiceAccount, &token, &[]).await;
        let acting = world.exchange("allowed.app", Brought::AccessToken, &person, &actor).await;
        [subject, acting].map(|answer| answer.status.as_u16())
    };
    world.change("pods.app", 1, |client| client.authentication = by_accounts(&["shop/billing"]));
    assert_eq!(ask().await, [200, 200]);
    world.change("pods.app", 2, |client| {
        let mut named = by_accounts(&["shop/billing"]);
        if let ClientAuthentication::ServiceAccounts { accounts } = &mut named {
            accounts[0].uid.clear();
        }
        client.authentication = named;
    });
    assert_eq!(ask().await, [400, 400]);
}

#[tokio::test]
async fn whoever_a_token_is_for_may_let_another_bring_it() {
    let world = World::new();
    for (revision, brought) in [(2, Brought::AccessToken), (4, Brought::IdToken)] {
        let token = world.token_for(brought, "allowed.app").await;
        let ask = async || world.exchange("stranger.app", brought, &token, &[]).await.status.as_u16();
        assert_eq!(ask().await, 400, "{brought:?}");
        world.change("allowed.app", revision, |client| client.exchangeable_by = vec!["stranger.app".to_owned()]);
        assert_eq!(ask().await, 200, "{brought:?}");
        world.change("allowed.app", revision + 1, |client| client.exchangeable_by = vec!["other.app".to_owned()]);
        assert_eq!(ask().await, 400, "{brought:?}");
    }
}

#[tokio::test]
async fn a_stranger_learns_of_no_token_whether_it_lives_whatever_else_he_sends() {
    let world = World::new();
    for (name, brought) in Brought::ALL {
        let live = world.token_for(brought, "allowed.app").await;
        let stale = world.stale(brought, "allowed.app").await;
        let actor = world.token_for(Brought::ServiceAccount, "stranger.app").await;
        let jwt = token_type("jwt");
        for more in [
            &[][..],
            &[("audience", CLOSED)],
            &[("audience", "x")],
            &[("scope", "x")],
            &[("actor_token", "x"), ("actor_token_type", jwt.as_str())],
            &[("actor_token", actor.as_str()), ("actor_token_type", jwt.as_str())],
        ] {
            let told = async |token: &str| {
                let answer = world.exchange("stranger.app", brought, token, more).await;
                (answer.status.as_u16(), answer.json())
            };
            assert_eq!(told(&live).await, told(&stale).await, "{name} {more:?}");
        }
    }
}

#[tokio::test]
async fn a_client_may_ask_for_less_than_it_has_and_nobody_else_for_that() {
    let world = World::new();
    let own = world.fixture.token("acme", ALLOWED, "grant_type=client_credentials&scope=read+write").await;
    let own = text(&own.json(), "access_token");
    assert_eq!((&part(&own, 1)["aud"], &part(&own, 1)["scope"]), (&json!(STOCK), &json!("read write")));
    let less = world.exchange("allowed.app", Brought::AccessToken, &own, &[("scope", "read")]).await;
    assert_eq!((&less.claims()["scope"], &less.claims()["sub"]), (&json!("read"), &json!("allowed.app")));
    let less = text(&less.json(), "access_token");
    let more = world.exchange("allowed.app", Brought::AccessToken, &less, &[("scope", "write")]).await;
    assert_eq!(more.error(), (400, "invalid_scope".to_owned()));
    world.change("allowed.app", 2, |client| client.audiences[1].token_exchange = true);
    let elsewhere = world.exchange("allowed.app", Brought::AccessToken, &own, &[("audience", CLOSED)]).await;
    assert_eq!(elsewhere.error(), (400, "invalid_target".to_owned()), "it is for that API alone");
    let taken = world.exchange("stranger.app", Brought::AccessToken, &own, &[("scope", "read")]).await;
    assert_eq!(taken.error(), refused(), "it was issued to another");
    let fields = [("token", own.as_str())];
    world.fixture.post_form("acme", "/oauth/revoke", ALLOWED, &fields).await;
    assert_eq!(world.exchange("allowed.app", Brought::AccessToken, &own, &[]).await.error(), refused());
}

#[tokio::test]
async fn what_is_said_to_be_another_kind_of_token_is_none() {
    let world = World::new();
    for (brought, right) in Brought::ALL.map(|(_, brought)| (brought, brought.type_uri())) {
        let token = world.token_for(brought, "allowed.app").await;
        for kind in ["access_token", "id_token", "refresh_token", "jwt", "saml1", "saml2"].map(token_type) {
            let fields = [("grant_type", EXCHANGE), ("subject_token", &token), ("subject_token_type", &kind)];
            let answer = world.fixture.token("acme", ALLOWED, &crate::browser::form(&fields)).await;
            // An access token of ours is a JWT, and somebody else's ID token is one too.
            let also = (brought == Brought::AccessToken && kind.ends_with(":jwt"))
                || (matches!(brought, Brought::ServiceAccount | Brought::TrustedIssuer) && kind.ends_with("id_token"));
            let expected = if kind == right || also { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{brought:?} as {kind}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn what_the_request_lacks_is_said() {
    let world = World::new();
    let token = world.token_for(Brought::AccessToken, "allowed.app").await;
    let kind = token_type("access_token");
    let ask = async |fields: &[(&str, &str)]| {
        let fields = [&[("grant_type", EXCHANGE)], fields].concat();
        world.fixture.token("acme", ALLOWED, &crate::browser::form(&fields)).await
    };
    let description = |answer: Answer| text(&answer.json(), "error_description");
    for (fields, missing) in [
        (&[][..], "subject_token is missing"),
        (&[("subject_token", &*token)], "subject_token_type is missing"),
        (&[("subject_token_type", &*kind)], "subject_token is missing"),
    ] {
        let answer = ask(fields).await;
        assert_eq!(answer.error(), refused());
        assert_eq!(description(answer), missing);
    }
    let two = [("subject_token", &*token), ("subject_token_type", &*kind), ("audience", STOCK), ("audience", CLOSED)];
    assert_eq!(ask(&two).await.error(), (400, "invalid_target".to_owned()));
    let same = [("subject_token", &*token), ("subject_token_type", &*kind), ("audience", STOCK), ("resource", STOCK)];
    assert_eq!(ask(&same).await.status, 200);
}

#[tokio::test]
async fn a_tenant_takes_nothing_that_another_may_take() {
    let world = World::new();
    let key = ClientKey::new();
    let mut other: TenantDocument = tenant_document("other");
    trust_ci(&mut other, &key);
    world.fixture.apply(&serving("other", "other", Content::Tenant(other)), 1);
    world.fixture.apply(&ring("other", "es256", "ES256"), 1);
    let mut requester = exchanger("allowed.app", |_| {});
    requester.tenant = "other".to_owned();
    requester.owner = claviger_crds::names::ObjectName::new("ns-other", "allowed.app");
    world.fixture.apply(&requester, 1);
    for (_, brought) in Brought::ALL {
        let token = world.token_for(brought, "allowed.app").await;
        let kind = brought.type_uri();
        let fields = [("grant_type", EXCHANGE), ("subject_token", &*token), ("subject_token_type", &kind)];
        let answer = world.fixture.token("other", ALLOWED, &crate::browser::form(&fields)).await;
        assert_eq!(answer.error(), refused(), "{brought:?}");
    }
    let theirs = key.sign(&job(&api_of("allowed.app")));
    let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &theirs, &[]).await;
    assert_eq!(answer.error(), refused(), "the same issuer, by the key that another tenant trusts");
}

#[tokio::test]
async fn a_public_client_exchanges_nothing() {
    let world = World::new();
    let token = world.token_for(Brought::AccessToken, "allowed.app").await;
    world.change("allowed.app", 2, |client| {
        client.authentication = claviger_crds::published::ClientAuthentication::None;
        client.token_exchange = vec![rule(&[SubjectToken::AccessToken])];
    });
    let fields = [
        ("grant_type", EXCHANGE),
        ("client_id", "allowed.app"),
        ("subject_token", &*token),
        ("subject_token_type", &token_type("access_token")),
    ];
    let answer = world.fixture.send(token_request("acme").body(crate::browser::form(&fields).into()).unwrap()).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".to_owned()));
}

#[tokio::test]
async fn a_tenant_that_trusts_itself_or_somebody_twice_is_not_taken_in() {
    let world = World::new();
    let key = ClientKey::new();
    let (mut itself, mut twice, mut cluster) =
        (tenant_document("acme"), tenant_document("acme"), tenant_document("acme"));
    trust_ci(&mut itself, &key);
    itself.trusted_issuers[0].issuer = issuer("acme");
    trust_ci(&mut twice, &key);
    trust_ci(&mut twice, &ClientKey::new());
    trust_cluster(&mut cluster, &key);
    trust_ci(&mut cluster, &key);
    cluster.trusted_issuers[0].issuer = CLUSTER.to_owned();
    for (revision, document) in (2..).zip([itself, twice, cluster]) {
        world.fixture.apply(&serving("acme", "acme", Content::Tenant(document)), revision);
        let token = world.token_for(Brought::TrustedIssuer, "allowed.app").await;
        assert_eq!(world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await.status, 200);
    }
    assert_eq!(world.fixture.acknowledged().await.1.len(), 1, "and the operator is told why");
}
