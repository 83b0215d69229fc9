//! The code and refresh token grants.

use claviger_crds::published::{ClientAuthentication, ClientLifetimes, ConsentPolicy, Content};
use serde_json::{Value, json};

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

const OTHER: (&str, &str) = ("other.app", SECRET);

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}"))
}

/// The token request for `code`, with `more` in place of its fields; an empty one is left out.
async fn redeem_with(fixture: &Fixture, client: (&str, &str), code: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    fixture.token("acme", client, &form(&fields)).await
}

async fn refresh_with(fixture: &Fixture, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("grant_type", "refresh_token"), ("refresh_token", token)], more].concat();
    fixture.token("acme", SHOP, &form(&fields)).await
}

#[tokio::test]
async fn a_failed_try_neither_redeems_nor_spoils_a_code() {
    let fixture = shop(|_| {});
    fixture.apply(&app("acme", "other.app", |_| {}), 1);
    let code = Browser::new(&fixture).code(&authorize(&[])).await;
    for more in [
        [("code_verifier", "")],
        [("code_verifier", "short")],
        [("code_verifier", "another-verifier-that-is-long-enough-to-be-one")],
        [("redirect_uri", "")],
        [("redirect_uri", "https://shop.example/callback/")],
    ] {
        assert_eq!(redeem_with(&fixture, SHOP, &code, &more).await.error(), invalid_grant(), "{more:?}");
    }
    assert_eq!(redeem_with(&fixture, OTHER, &code, &[]).await.error(), invalid_grant());
    let wrong = redeem_with(&fixture, ("shop.app", "wrong"), &code, &[]).await;
    assert_eq!(wrong.error(), (401, "invalid_client".to_owned()));
    assert_eq!(redeem_with(&fixture, SHOP, &code, &[("code", "")]).await.error(), (400, "invalid_request".to_owned()));
    assert_eq!(redeem_with(&fixture, SHOP, "nonsense", &[]).await.error(), invalid_grant());
    assert_eq!(redeem_with(&fixture, SHOP, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_challenge_that_somebody_took_away_is_missed() {
    let fixture = shop(|shop| shop.require_pkce = false);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = Browser::new(&fixture).code(&authorize(&without)).await;
    assert_eq!(redeem_with(&fixture, SHOP, &code, &[]).await.error(), invalid_grant(), "RFC 9700 §4.8.2");
    assert_eq!(redeem_with(&fixture, SHOP, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    fixture.advance(60);
    assert_eq!(redeem(&fixture, &code).await.error(), invalid_grant());
    let code = browser.code(&authorize(&[])).await;
    fixture.advance(59);
    assert_eq!(redeem(&fixture, &code).await.status, 200);
}

#[tokio::test]
async fn nothing_is_used_up_while_a_key_is_missing() {
    let pinned = |shop: &mut claviger_crds::published::ClientDocument| {
        shop.id_token_signed_response_alg = Some("EdDSA".to_owned());
    };
    let fixture = shop(|_| {});
    let token = text(&tokens(&fixture, &[]).await, "refresh_token").to_owned();
    let code = Browser::new(&fixture).code(&authorize(&[])).await;
    fixture.apply(&app("acme", "shop.app", pinned), 3);
    let asked = fixture.get(&authorize(&[])).await;
    assert_eq!(asked.redirected("error").as_deref(), Some("temporarily_unavailable"), "before anybody logs in");
    for answer in [redeem(&fixture, &code).await, refresh(&fixture, &token).await] {
        assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
    }
    fixture.apply(&ring("acme", "eddsa", "EdDSA"), 1);
    fixture.advance(11);
    for answer in [redeem(&fixture, &code).await, refresh(&fixture, &token).await] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(part(text(&answer.json(), "id_token"), 0)["alg"], "EdDSA");
    }
}

#[tokio::test]
async fn a_long_request_makes_a_short_code() {
    let fixture = shop(|_| {});
    let nonce = "n".repeat(1000);
    let code = Browser::new(&fixture).code(&authorize(&[("nonce", &nonce)])).await;
    assert!(code.len() < 1024, "{code}");
    let tokens = redeem(&fixture, &code).await.json();
    assert_eq!(part(text(&tokens, "id_token"), 1)["nonce"], nonce);
}

#[tokio::test]
async fn whose_answer_was_lost_gets_the_same_again_and_later_nothing() {
    let fixture = shop(|_| {});
    let first = tokens(&fixture, &[]).await;
    let first = text(&first, "refresh_token");
    let second = refresh(&fixture, first).await.json();
    fixture.advance(10);
    let again = refresh(&fixture, first).await.json();
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    fixture.advance(1);
    assert_eq!(refresh(&fixture, first).await.error(), invalid_grant());
    let ended = refresh(&fixture, text(&second, "refresh_token")).await;
    assert_eq!(ended.error(), invalid_grant(), "a token was stolen: all of the grant's are over");
    let userinfo = fixture.bearer("acme", "/oauth/userinfo", text(&second, "access_token")).await;
    assert_eq!(userinfo.status, 401);
}

#[tokio::test]
async fn a_token_two_generations_old_ends_the_grant() {
    let fixture = shop(|_| {});
    let first = tokens(&fixture, &[]).await;
    let second = refresh(&fixture, text(&first, "refresh_token")).await.json();
    let third = refresh(&fixture, text(&second, "refresh_token")).await.json();
    assert_eq!(refresh(&fixture, text(&first, "refresh_token")).await.error(), invalid_grant());
    assert_eq!(refresh(&fixture, text(&third, "refresh_token")).await.error(), invalid_grant());
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let fixture = shop(|_| {});
    let first = tokens(&fixture, &[("scope", "openid email")]).await;
    let token = text(&first, "refresh_token");
    let more = refresh_with(&fixture, token, &[("scope", "openid profile")]).await;
    assert_eq!(more.error(), (400, "invalid_scope".to_owned()));
    let less = refresh_with(&fixture, token, &[("scope", "email")]).await;
    assert_eq!((&less.json()["scope"], less.json().get("id_token")), (&json!("email"), None));
    assert_eq!(less.claims()["scope"], "email");
    let all = refresh(&fixture, text(&less.json(), "refresh_token")).await.json();
    assert_eq!(all["scope"], "openid email", "what was granted stays granted");
    let id_token = part(text(&all, "id_token"), 1);
    assert_eq!((&id_token["auth_time"], &id_token["sub"]), (&json!(NOW), &json!("usr_ada")));
}

#[tokio::test]
async fn what_was_withdrawn_from_the_client_is_in_no_new_token() {
    let fixture = shop(|_| {});
    let with = |audiences: &[&str], scopes: &[&str]| {
        app("acme", "shop.app", |shop| {
            shop.audiences = audiences.iter().map(|api| audience(api, &["read"])).collect();
            shop.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        })
    };
    fixture.apply(&with(&["https://api.example"], &["openid", "email"]), 3);
    let asked = [("scope", "openid email read")];
    let code = Browser::new(&fixture).code(&authorize(&asked)).await;
    let first = tokens(&fixture, &asked).await;
    assert_eq!(first["scope"], "openid email read");
    fixture.apply(&with(&["https://api.example"], &["openid"]), 4);
    let second = refresh(&fixture, text(&first, "refresh_token")).await.json();
    assert_eq!(second["scope"], "openid read");
    assert_eq!(redeem(&fixture, &code).await.json()["scope"], "openid read");
    fixture.apply(&with(&[], &["openid", "email"]), 5);
    let token = text(&second, "refresh_token");
    assert_eq!(refresh(&fixture, token).await.error(), invalid_grant(), "the API is not the client's any more");
    fixture.apply(&with(&["https://api.example"], &["openid", "email"]), 6);
    assert_eq!(refresh(&fixture, token).await.json()["scope"], "openid email read");
}

#[tokio::test]
async fn another_clients_try_is_refused_and_ends_nothing() {
    let fixture = shop(|_| {});
    fixture.apply(&app("acme", "other.app", |_| {}), 1);
    let first = tokens(&fixture, &[]).await;
    let token = text(&first, "refresh_token");
    let fields = form(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    assert_eq!(fixture.token("acme", OTHER, &fields).await.error(), invalid_grant());
    assert_eq!(refresh(&fixture, token).await.status, 200);
    // Not even one that it would have been reuse for.
    fixture.advance(60);
    assert_eq!(fixture.token("acme", OTHER, &fields).await.error(), invalid_grant());
    let userinfo = fixture.bearer("acme", "/oauth/userinfo", text(&first, "access_token")).await;
    assert_eq!(userinfo.status, 200);
}

#[tokio::test]
async fn offline_access_outlives_the_session_and_nothing_else_does() {
    let fixture = shop(|_| {});
    for (scope, status) in [("openid", 400), ("openid offline_access", 200)] {
        let mut browser = Browser::new(&fixture);
        let code = browser.code(&authorize(&[("scope", scope)])).await;
        let tokens = redeem(&fixture, &code).await.json();
        let hint = [("id_token_hint", text(&tokens, "id_token"))];
        browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&hint))).await;
        assert_eq!(refresh(&fixture, text(&tokens, "refresh_token")).await.status, status, "{scope}");
    }
    let online = tokens(&fixture, &[("scope", "openid")]).await;
    let offline = tokens(&fixture, &[("scope", "openid offline_access")]).await;
    fixture.advance(43_200);
    assert_eq!(refresh(&fixture, text(&online, "refresh_token")).await.error(), invalid_grant());
    assert_eq!(refresh(&fixture, text(&offline, "refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_code_whose_session_ended_is_worth_nothing() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    browser.press(&page, "decision", "yes").await;
    assert_eq!(redeem(&fixture, &code).await.error(), invalid_grant());
}

#[tokio::test]
async fn a_refresh_token_ends_when_unused_and_in_the_end() {
    let lifetimes =
        ClientLifetimes { refresh_token: Some(1_000), refresh_token_idle: Some(400), ..ClientLifetimes::default() };
    let fixture = shop(|shop| shop.lifetimes = lifetimes);
    let offline = [("scope", "openid offline_access")];
    let unused = tokens(&fixture, &offline).await;
    let mut used = tokens(&fixture, &offline).await;
    for (advance, status) in [(399, 200), (399, 200), (201, 200), (1, 400)] {
        fixture.advance(advance);
        let answer = refresh(&fixture, text(&used, "refresh_token")).await;
        assert_eq!(answer.status, status, "{advance}");
        used = answer.json();
        if advance == 201 {
            assert_eq!(refresh(&fixture, text(&unused, "refresh_token")).await.error(), invalid_grant());
        }
    }
}

#[tokio::test]
async fn an_account_that_is_gone_or_disabled_has_no_tokens_from_then_on() {
    let fixture = shop(|_| {});
    let ada = user("acme", "ada", "correct horse");
    let Content::User(mut document) = ada.content.clone() else { panic!("no user") };
    document.disabled = true;
    let disabled = serving("acme", "ada", Content::User(document));
    let offline = [("scope", "openid offline_access")];
    for (revision, stopped) in [(2, disabled), (4, withdrawn(&ada))] {
        let code = Browser::new(&fixture).code(&authorize(&offline)).await;
        let tokens = tokens(&fixture, &offline).await;
        fixture.apply(&stopped, revision);
        assert_eq!(redeem(&fixture, &code).await.error(), invalid_grant());
        assert_eq!(refresh(&fixture, text(&tokens, "refresh_token")).await.error(), invalid_grant());
        let access_token = text(&tokens, "access_token");
        assert_eq!(fixture.bearer("acme", "/oauth/userinfo", access_token).await.status, 401);
        let seen = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", access_token)]).await;
        assert_eq!(seen.json(), json!({"active": false}));
        fixture.apply(&ada, revision + 1);
    }
}

#[tokio::test]
async fn a_client_that_was_made_anew_elsewhere_inherits_nothing() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let first = tokens(&fixture, &[]).await;
    let old = app("acme", "shop.app", |_| {});
    fixture.apply(&withdrawn(&old), 3);
    assert_eq!(refresh(&fixture, text(&first, "refresh_token")).await.error(), (401, "invalid_client".to_owned()));
    let mut new = old.clone();
    new.owner = claviger_crds::names::ObjectName::new("ns-elsewhere", "shop.app");
    fixture.apply(&new, 1);
    assert_eq!(refresh(&fixture, text(&first, "refresh_token")).await.error(), invalid_grant());
    let userinfo = fixture.bearer("acme", "/oauth/userinfo", text(&first, "access_token")).await;
    assert_eq!(userinfo.status, 401);
}

#[tokio::test]
async fn the_grace_is_a_setting_and_none_of_a_public_clients() {
    let fixture = shop(|_| {});
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    let mut twice = async |revision, grace, public: bool| {
        tenant.lifetimes.refresh_token_grace = grace;
        fixture.apply(&serving("acme", "acme", Content::Tenant(tenant.clone())), revision);
        let authentication = if public { ClientAuthentication::None } else { client_document("x").authentication };
        fixture.apply(&app("acme", "shop.app", |shop| shop.authentication = authentication), revision);
        let send = async |fields: &[(&str, &str)]| {
            let secret = if public { vec![] } else { vec![("client_secret", SECRET)] };
            let fields = [fields, &[("client_id", "shop.app")], &secret].concat();
            fixture.send(token_request("acme").body(form(&fields).into()).unwrap()).await
        };
        let code = Browser::new(&fixture).code(&authorize(&[])).await;
        let redirect = ("redirect_uri", "https://shop.example/callback");
        let fields = [("grant_type", "authorization_code"), ("code", &*code), redirect, ("code_verifier", VERIFIER)];
        let tokens = send(&fields).await.json();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
        assert_eq!(send(&fields).await.status, 200);
        fixture.advance(1);
        send(&fields).await.status.as_u16()
    };
    assert_eq!(twice(2, 10, false).await, 200);
    assert_eq!(twice(3, 0, false).await, 400);
    assert_eq!(twice(4, 10, true).await, 400);
}

#[tokio::test]
async fn the_last_tokens_of_a_grant_are_good_as_long_as_they_say() {
    let fixture = shop(|shop| {
        shop.lifetimes = ClientLifetimes { refresh_token: Some(1000), ..ClientLifetimes::default() };
    });
    let first = tokens(&fixture, &[("scope", "openid offline_access")]).await;
    fixture.advance(990);
    let last = refresh(&fixture, text(&first, "refresh_token")).await.json();
    fixture.advance(599);
    let status = async || fixture.bearer("acme", "/oauth/userinfo", text(&last, "access_token")).await.status.as_u16();
    assert_eq!(status().await, 200);
    fixture.advance(1);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_token_is_good_at_once_on_a_pod_whose_clock_is_behind() {
    let fixture = shop(|_| {});
    let tokens = tokens(&fixture, &[]).await;
    let token = text(&tokens, "access_token");
    let status = async || fixture.bearer("acme", "/oauth/userinfo", token).await.status.as_u16();
    fixture.advance(-60);
    assert_eq!(status().await, 200);
    let fields = [("token", token)];
    let told = fixture.post_form("acme", "/oauth/introspect", SHOP, &fields).await.json();
    assert_eq!(told["active"], true);
    fixture.advance(-1);
    assert_eq!(status().await, 401, "that is more than clocks are apart");
    fixture.advance(660);
    assert_eq!(status().await, 200);
    fixture.advance(1);
    assert_eq!(status().await, 401, "nothing lives longer than it says");
    fixture.advance(-601);
    assert_eq!(fixture.post_form("acme", "/oauth/revoke", SHOP, &fields).await.status, 200);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_code_is_worth_nothing_after_the_logout() {
    let fixture = shop(|_| {});
    for scope in ["openid", "openid offline_access"] {
        let mut browser = Browser::new(&fixture);
        let code = browser.code(&authorize(&[("scope", scope)])).await;
        let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
        assert!(browser.press(&page, "decision", "yes").await.is_page("logged-out"));
        assert_eq!(redeem(&fixture, &code).await.error(), invalid_grant(), "{scope}");
    }
}

#[tokio::test]
async fn a_token_is_for_the_api_of_its_grant_and_no_other() {
    let fixture = shop(|shop| {
        shop.audiences = vec![audience("https://a.example", &[]), audience("https://b.example", &[])];
    });
    let code = Browser::new(&fixture).code(&authorize(&[("resource", "https://a.example")])).await;
    let invalid_target = (400, "invalid_target".to_owned());
    let asked = redeem_with(&fixture, SHOP, &code, &[("resource", "https://b.example")]).await;
    assert_eq!(asked.error(), invalid_target, "and the code is not used up");
    let first = redeem_with(&fixture, SHOP, &code, &[("resource", "https://a.example")]).await;
    assert_eq!(first.claims()["aud"], "https://a.example");
    let refresh_token = first.json()["refresh_token"].as_str().unwrap().to_owned();
    let again = async |name: &str, target: &str| refresh_with(&fixture, &refresh_token, &[(name, target)]).await;
    for name in ["resource", "audience"] {
        assert_eq!(again(name, "https://b.example").await.error(), invalid_target, "{name}");
    }
    assert_eq!(again("audience", "https://a.example").await.claims()["aud"], "https://a.example");
}

#[tokio::test]
async fn a_scope_of_spaces_is_none() {
    let fixture = shop(|shop| shop.grant_types.push("client_credentials".to_owned()));
    let refresh_token = text(&tokens(&fixture, &[]).await, "refresh_token").to_owned();
    let refreshed = refresh_with(&fixture, &refresh_token, &[("scope", " ")]).await;
    let itself = fixture.token("acme", SHOP, "grant_type=client_credentials&scope=%20").await;
    for answer in [refreshed, itself] {
        assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    }
}
