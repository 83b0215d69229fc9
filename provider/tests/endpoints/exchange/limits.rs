//! What an exchange never gives: more scope, more time, more life than what was brought.

use claviger_crds::published::{ClientLifetimes, Content};
use serde_json::{Value, json};

use super::world::*;
use crate::browser::{Browser, form};
use crate::capture::Capture;
use crate::code_flow::*;
use crate::fixture::*;
use crate::foreign::{account, by_accounts, job, with};

const INACTIVE: fn() -> Value = || json!({"active": false});

#[tokio::test]
async fn the_new_token_is_about_the_same_person_for_another_api() {
    let (world, capture) = (World::new(), Capture::begin());
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    capture.take_audit();
    let answer = world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await;
    let (old, new) = (part(&old, 1), answer.claims());
    assert_eq!(
        (&new["sub"], &new["aud"], &new["client_id"]),
        (&json!("usr_ada"), &json!(STOCK), &json!("allowed.app"))
    );
    for claim in ["iss", "auth_time", "acr", "sid", "tenant_id"] {
        assert_eq!(new[claim], old[claim], "{claim}");
    }
    assert_ne!(new["jti"], old["jti"]);
    assert_eq!(new.get("act"), None);
    // What both have: the shop's write is none of the requester's, and openid is never exchanged.
    assert_eq!((&new["scope"], &answer.json()["scope"]), (&json!("email groups read write"), &new["scope"]));
    let told = capture.take_audit();
    let told = ["event", "client", "subject", "grant", "audience", "actor"].map(|name| &told[0][name]);
    assert_eq!(told, ["token", "allowed.app", "usr_ada", EXCHANGE, STOCK, ""]);
}

#[tokio::test]
async fn scope_is_never_more_than_the_old_token_has_nor_than_the_client_was_granted_there() {
    let world = World::new();
    for (had, asked, expected) in [
        ("openid read write", Some("read"), Ok("read")),
        ("openid read", Some("read"), Ok("read")),
        ("openid read", Some("read write"), Err("invalid_scope")),
        ("openid read", None, Ok("read")),
        ("openid", None, Ok("")),
        ("openid email", Some("email"), Ok("email")),
        ("openid read", Some("email"), Err("invalid_scope")),
        ("openid read", Some("openid"), Err("invalid_scope")),
        ("openid profile read", Some("other"), Err("invalid_scope")),
    ] {
        let token = world.access_token("allowed.app", had).await;
        let more: Vec<_> = asked.map(|scope| ("scope", scope)).into_iter().collect();
        let answer = world.exchange("allowed.app", Brought::AccessToken, &token, &more).await;
        match expected {
            Ok(scope) => {
                assert_eq!(answer.status, 200, "{had} {asked:?}: {}", answer.text());
                assert_eq!(answer.json()["scope"].as_str().unwrap_or_default(), scope, "{had} {asked:?}");
            }
            Err(error) => assert_eq!(answer.error(), (400, error.to_owned()), "{had} {asked:?}"),
        }
    }
}

#[tokio::test]
async fn of_what_says_nothing_of_scope_the_client_has_what_it_was_granted_and_nothing_about_a_person() {
    let world = World::new();
    for brought in [Brought::ServiceAccount, Brought::TrustedIssuer] {
        let token = world.token_for(brought, "allowed.app").await;
        let answer = world.exchange("allowed.app", brought, &token, &[]).await;
        assert_eq!(answer.json()["scope"], "read write", "{brought:?}");
        let answer = world.exchange("allowed.app", brought, &token, &[("scope", "email")]).await;
        assert_eq!(answer.error(), (400, "invalid_scope".to_owned()), "{brought:?}");
    }
    // An ID token and a refresh token have those of their grant.
    for brought in [Brought::IdToken, Brought::RefreshToken] {
        let token = world.token_for(brought, "allowed.app").await;
        let answer = world.exchange("allowed.app", brought, &token, &[]).await;
        assert_eq!(answer.json()["scope"], "email read", "{brought:?}");
    }
}

#[tokio::test]
async fn a_trusted_issuers_scope_bounds_it_whatever_it_is_called() {
    let world = World::new();
    let job = job(&api_of("allowed.app"));
    for (name, scope) in [("scope", json!("read")), ("scp", json!("read")), ("scp", json!(["read", "other"]))] {
        let token = world.ci.sign(&with(&job, name, scope.clone()));
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
        assert_eq!(answer.json()["scope"], "read", "{name} {scope}");
        let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[("scope", "write")]).await;
        assert_eq!(answer.error(), (400, "invalid_scope".to_owned()), "{name} {scope}");
    }
    let none = world.ci.sign(&with(&job, "scp", json!([])));
    let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &none, &[]).await;
    assert_eq!(answer.json()["scope"].as_str().unwrap_or_default(), "", "it says that it may do nothing");
}

#[tokio::test]
async fn it_does_not_outlive_what_was_brought() {
    let world = World::new();
    let token = world.token_for(Brought::AccessToken, "allowed.app").await;
    world.fixture.advance(500);
    let answer = world.exchange("allowed.app", Brought::AccessToken, &token, &[]).await;
    assert_eq!((&answer.json()["expires_in"], &answer.claims()["exp"]), (&json!(100), &part(&token, 1)["exp"]));
    world.fixture.advance(100);
    let late = world.exchange("allowed.app", Brought::AccessToken, &token, &[]).await;
    assert_eq!(late.error(), (400, "invalid_request".to_owned()));
    // A ServiceAccount's end is exact, whatever leeway its clock has elsewhere.
    let mut claims = crate::foreign::account("shop", "billing", &api_of("allowed.app"));
    claims["exp"] = json!(NOW + 601);
    let pods = world.cluster.sign(&claims);
    let answer = world.exchange("allowed.app", Brought::ServiceAccount, &pods, &[]).await;
    assert_eq!(answer.json()["expires_in"], 1);
    world.fixture.advance(1);
    assert_eq!(world.exchange("allowed.app", Brought::ServiceAccount, &pods, &[]).await.status, 400);
}

#[tokio::test]
async fn a_client_with_shorter_tokens_gets_shorter_ones() {
    let world = World::new();
    world.change("allowed.app", 2, |client| {
        client.lifetimes = ClientLifetimes { access_token: Some(60), ..ClientLifetimes::default() };
    });
    let token = world.token_for(Brought::AccessToken, "allowed.app").await;
    assert_eq!(world.exchange("allowed.app", Brought::AccessToken, &token, &[]).await.json()["expires_in"], 60);
}

#[tokio::test]
async fn what_ends_the_grant_ends_what_was_exchanged_from_it() {
    let world = World::new();
    for brought in [Brought::AccessToken, Brought::IdToken, Brought::RefreshToken] {
        // The one whose grant it is: an access token for the API of allowed.app is the shop's.
        let owner = if brought == Brought::AccessToken { "shop.app" } else { "allowed.app" };
        let (tokens, token) = if brought == Brought::AccessToken {
            let api = api_of("allowed.app");
            let more = [("resource", api.as_str()), ("scope", "openid read offline_access")];
            let tokens = tokens(&world.fixture, &more).await;
            let token = text(&tokens, "access_token");
            (tokens, token)
        } else {
            let tokens = world.login("allowed.app").await;
            let name = if brought == Brought::IdToken { "id_token" } else { "refresh_token" };
            let token = text(&tokens, name);
            (tokens, token)
        };
        let new = text(&world.exchange("allowed.app", brought, &token, &[]).await.json(), "access_token");
        assert_eq!(world.introspect("stock.app", &new).await["active"], true, "{brought:?}");
        let fields = [("token", tokens["refresh_token"].as_str().unwrap())];
        world.fixture.post_form("acme", "/oauth/revoke", (owner, SECRET), &fields).await;
        assert_eq!(world.introspect("stock.app", &new).await, INACTIVE(), "{brought:?}");
        let again = world.exchange("allowed.app", brought, &token, &[]).await;
        assert_eq!(again.error(), (400, "invalid_request".to_owned()), "{brought:?}");
    }
}

#[tokio::test]
async fn it_ends_with_the_person_the_client_of_the_grant_and_its_own() {
    let world = World::new();
    let exchanged = async || {
        let old = world.token_for(Brought::AccessToken, "allowed.app").await;
        text(&world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await.json(), "access_token")
    };
    let new = exchanged().await;
    let seen = world.introspect("stock.app", &new).await;
    assert_eq!(
        (&seen["active"], &seen["username"], &seen["email"]),
        (&json!(true), &Value::Null, &json!("ada@acme.example"))
    );
    let shop = app("acme", "shop.app", |_| {});
    world.fixture.apply(&withdrawn(&shop), 2);
    assert_eq!(world.introspect("stock.app", &new).await, INACTIVE(), "the client of the grant is gone");

    let world = World::new();
    let new = {
        let old = world.token_for(Brought::AccessToken, "allowed.app").await;
        text(&world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await.json(), "access_token")
    };
    let ada = user("acme", "ada", "correct horse");
    let Content::User(mut document) = ada.content.clone() else { panic!("no user") };
    document.disabled = true;
    world.fixture.apply(&serving("acme", "ada", Content::User(document)), 2);
    assert_eq!(world.introspect("stock.app", &new).await, INACTIVE(), "the person is");
    world.fixture.apply(&ada, 3);
    assert_eq!(world.introspect("stock.app", &new).await["active"], true);
    assert_eq!(world.introspect("allowed.app", &new).await["active"], true, "its owner sees it");
    assert_eq!(world.introspect("shop.app", &new).await, INACTIVE(), "and the first one's does not");
    let fields = [("token", new.as_str())];
    world.fixture.post_form("acme", "/oauth/revoke", ALLOWED, &fields).await;
    assert_eq!(world.introspect("stock.app", &new).await, INACTIVE(), "it was revoked itself");
}

#[tokio::test]
async fn nothing_is_made_of_a_disabled_persons_tokens_nor_of_a_scope_that_was_withdrawn() {
    let world = World::new();
    let kinds = [Brought::AccessToken, Brought::IdToken, Brought::RefreshToken];
    let mut tokens = Vec::new();
    for brought in kinds {
        tokens.push((brought, world.token_for(brought, "allowed.app").await));
    }
    let ada = user("acme", "ada", "correct horse");
    let Content::User(mut document) = ada.content.clone() else { panic!("no user") };
    document.disabled = true;
    world.fixture.apply(&serving("acme", "ada", Content::User(document)), 2);
    for (brought, token) in &tokens {
        let answer = world.exchange("allowed.app", *brought, token, &[]).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{brought:?}");
    }
    world.fixture.apply(&ada, 3);
    // Read was granted to the shop, and to allowed.app, which had it of its own login.
    let shop = app("acme", "shop.app", |client| client.audiences = vec![audience(&api_of("allowed.app"), &[])]);
    world.fixture.apply(&shop, 2);
    let answer = world.exchange("allowed.app", Brought::AccessToken, &tokens[0].1, &[]).await;
    assert_eq!(answer.json()["scope"], "email groups", "the shop has it no more");
    // Of a grant for the one API, for the other.
    let tokens = world.login_for("allowed.app", CLOSED).await;
    let withdraw = |revision, read: &[&str]| {
        world.change("allowed.app", revision, |client| {
            client.scopes.retain(|scope| scope != "read");
            client.audiences[1] = audience(CLOSED, read);
        });
    };
    for (revision, read, expected) in [(2, &["read"][..], "email read"), (3, &[], "email")] {
        withdraw(revision, read);
        for (brought, name) in [(Brought::IdToken, "id_token"), (Brought::RefreshToken, "refresh_token")] {
            let answer = world.exchange("allowed.app", brought, &text(&tokens, name), &[("audience", STOCK)]).await;
            assert_eq!(answer.json()["scope"], expected, "{brought:?}");
        }
    }
}

#[tokio::test]
async fn an_id_token_may_be_exchanged_as_long_as_it_lives() {
    let world = World::new();
    let more = [("client_id", "allowed.app"), ("scope", "openid email read")];
    let code = Browser::new(&world.fixture).code(&authorize(&more)).await;
    world.change("allowed.app", 2, |client| client.grant_types.retain(|grant| grant != "refresh_token"));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    let tokens = world.fixture.token("acme", ALLOWED, &form(&fields)).await.json();
    assert_eq!(tokens.get("refresh_token"), None);
    let token = text(&tokens, "id_token");
    world.fixture.advance(3_599);
    let answer = world.exchange("allowed.app", Brought::IdToken, &token, &[]).await;
    assert_eq!(answer.json()["expires_in"], 1, "{}", answer.text());
    world.fixture.advance(1);
    assert_eq!(world.exchange("allowed.app", Brought::IdToken, &token, &[]).await.status, 400);
}

#[tokio::test]
async fn what_was_exchanged_ends_with_whoever_it_is_about() {
    let world = World::new();
    let machine = world.fixture.token("acme", ALLOWED, "grant_type=client_credentials&scope=read").await;
    let machine = text(&machine.json(), "access_token");
    world.change("allowed.app", 2, |client| client.exchangeable_by = vec!["stranger.app".to_owned()]);
    let stock = app("acme", "stock.app", |client| {
        client.resource_server =
            Some(claviger_crds::published::ResourceServerDocument { audience: STOCK.to_owned(), scopes: Vec::new() });
        client.exchangeable_by = vec!["stranger.app".to_owned()];
    });
    world.fixture.apply(&stock, 2);
    let ask = async |brought, token: &str| {
        let answer = world.exchange("stranger.app", brought, token, &[]).await;
        text(&answer.json(), "access_token")
    };
    let of_client = ask(Brought::AccessToken, &machine).await;
    let of_pod = ask(Brought::ServiceAccount, &world.token_for(Brought::ServiceAccount, "stranger.app").await).await;
    let of_job = ask(Brought::TrustedIssuer, &world.token_for(Brought::TrustedIssuer, "stranger.app").await).await;
    for token in [&of_client, &of_pod, &of_job] {
        assert_eq!(world.introspect("stock.app", token).await["active"], true);
    }
    world.fixture.apply(&withdrawn(&exchanger("allowed.app", |_| {})), 3);
    assert_eq!(world.introspect("stock.app", &of_client).await, INACTIVE(), "the client is gone");
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    world.fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    for token in [&of_pod, &of_job] {
        assert_eq!(world.introspect("stock.app", token).await, INACTIVE(), "its issuer is not trusted any more");
    }
}

#[tokio::test]
async fn a_refresh_token_that_was_used_long_ago_ends_its_grant() {
    let world = World::new();
    let first = text(&world.login("allowed.app").await, "refresh_token");
    let mut last = first.clone();
    for _ in 0..2 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", last.as_str())];
        last = text(&world.fixture.token("acme", ALLOWED, &form(&fields)).await.json(), "refresh_token");
    }
    let capture = Capture::begin();
    assert_eq!(world.exchange("allowed.app", Brought::RefreshToken, &first, &[]).await.status, 400);
    assert_eq!(capture.take_audit()[0]["event"], "refresh_reuse");
    assert_eq!(world.exchange("allowed.app", Brought::RefreshToken, &last, &[]).await.status, 400);
}

#[tokio::test]
async fn what_was_exchanged_may_be_exchanged_on_and_is_none_for_userinfo() {
    let world = World::new();
    world.change("stranger.app", 2, |client| {
        client.resource_server.as_mut().unwrap().audience = STOCK.to_owned();
        client.audiences[1].token_exchange = true;
        client.token_exchange[0].audiences = vec![CLOSED.to_owned()];
    });
    world.fixture.apply(&withdrawn(&app("acme", "stock.app", |_| {})), 2);
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let once = text(&world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await.json(), "access_token");
    let twice = world.exchange("stranger.app", Brought::AccessToken, &once, &[("audience", CLOSED)]).await;
    assert_eq!((&twice.claims()["aud"], &twice.claims()["sub"]), (&json!(CLOSED), &json!("usr_ada")));
    assert_eq!(twice.json()["scope"], "email groups read");
    for token in [&once, &text(&twice.json(), "access_token")] {
        assert_eq!(world.fixture.bearer("acme", "/oauth/userinfo", token).await.status, 403);
    }
}

#[tokio::test]
async fn a_refresh_token_is_not_used_up_by_it_and_an_old_one_is_worth_nothing() {
    let world = World::new();
    let first = text(&world.login("allowed.app").await, "refresh_token");
    for _ in 0..2 {
        assert_eq!(world.exchange("allowed.app", Brought::RefreshToken, &first, &[]).await.status, 200);
    }
    let fields = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
    let second = world.fixture.token("acme", ALLOWED, &form(&fields)).await.json();
    let old = world.exchange("allowed.app", Brought::RefreshToken, &first, &[]).await;
    assert_eq!(old.error(), (400, "invalid_request".to_owned()));
    let second = text(&second, "refresh_token");
    assert_eq!(world.exchange("allowed.app", Brought::RefreshToken, &second, &[]).await.status, 200);
}

/// What `name` has counted of the store, by kind of call, without those that no request makes.
fn counted(world: &World, name: &str) -> Vec<String> {
    let metrics = world.fixture.metrics();
    let lines = metrics.lines().filter(|line| line.contains(name) && !line.starts_with('#') && !line.contains("ping"));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_pods_way_to_a_token_asks_nothing_of_the_store_and_no_exchange_writes() {
    let world = World::new();
    world.change("pods.app", 1, |client| client.authentication = by_accounts(&["shop/billing"]));
    let pod = world.cluster.sign(&account("shop", "billing", &issuer("acme")));
    let mut tokens = Vec::new();
    for (_, brought) in Brought::ALL {
        tokens.push((brought, world.token_for(brought, "allowed.app").await));
    }
    let (calls, rows) = (counted(&world, "store_calls"), counted(&world, "store_rows_written"));
    assert!(!calls.is_empty() && !rows.is_empty(), "{}", world.fixture.metrics());
    let jwt = token_type("jwt");
    for fields in [
        &[("grant_type", "client_credentials")][..],
        &[("grant_type", EXCHANGE), ("subject_token", &*pod), ("subject_token_type", &jwt)],
    ] {
        let answer = crate::assertions::asserted(&world.fixture, "/oauth/token", &pod, fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for (brought, token) in &tokens[3..] {
        assert_eq!(world.exchange("allowed.app", *brought, token, &[]).await.status, 200, "{brought:?}");
    }
    assert_eq!(counted(&world, "store_calls"), calls, "others' tokens are not looked up");
    for (brought, token) in &tokens[..3] {
        assert_eq!(world.exchange("allowed.app", *brought, token, &[]).await.status, 200, "{brought:?}");
    }
    assert_ne!(counted(&world, "store_calls"), calls);
    assert_eq!(counted(&world, "store_rows_written"), rows);
}

#[tokio::test]
async fn a_session_that_is_over_ends_what_has_no_offline_access() {
    let world = World::new();
    let mut browser = Browser::new(&world.fixture);
    let api = api_of("allowed.app");
    let code = browser.code(&authorize(&[("resource", &api), ("scope", "openid read")])).await;
    let old = text(&redeem(&world.fixture, &code).await.json(), "access_token");
    let new = text(&world.exchange("allowed.app", Brought::AccessToken, &old, &[]).await.json(), "access_token");
    assert_eq!(world.introspect("stock.app", &new).await["active"], true);
    let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    browser.press(&page, "decision", "yes").await;
    assert_eq!(world.introspect("stock.app", &new).await, INACTIVE());
}
