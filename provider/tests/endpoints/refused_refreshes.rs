//! A refresh token that is refused is not used up, however long its client takes to mend what was wrong.

use claviger_crds::published::Content;

use crate::browser::form;
use crate::code_flow::*;
use crate::fixture::*;

/// Longer than any grace.
const LONG: i64 = 3_600;

/// The shop of a tenant that allows refresh tokens to be repeated for `grace` seconds.
fn shop_with_grace(grace: u32) -> Fixture {
    let fixture = shop(|_| {});
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    tenant.lifetimes.refresh_token_grace = grace;
    fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    fixture
}

async fn refused(fixture: &Fixture, token: &str, more: &[(&str, &str)], error: &str) {
    let fields = [&[("grant_type", "refresh_token"), ("refresh_token", token)], more].concat();
    for _ in 0..2 {
        let answer = fixture.token("acme", SHOP, &form(&fields)).await;
        assert_eq!(answer.error(), (400, error.to_owned()), "{more:?}");
        fixture.advance(LONG);
    }
}

/// The token that `token` yields, which introspection says it can.
async fn refreshed(fixture: &Fixture, token: &str) -> String {
    let told = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", token)]).await;
    assert_eq!(told.json()["active"], true, "{}", told.json());
    let answer = refresh(fixture, token).await;
    assert_eq!(answer.status, 200);
    answer.json()["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_client_asks_for_too_much_costs_it_no_token() {
    for grace in [0, 10] {
        let fixture = shop_with_grace(grace);
        let first = tokens(&fixture, &[("scope", "openid email offline_access")]).await;
        let mut token = first["refresh_token"].as_str().unwrap().to_owned();
        for (more, error) in [
            (("scope", "openid profile"), "invalid_scope"),
            (("scope", "\""), "invalid_scope"),
            (("audience", "https://other.example"), "invalid_target"),
            (("resource", "https://other.example"), "invalid_target"),
        ] {
            refused(&fixture, &token, &[more], error).await;
            let next = refreshed(&fixture, &token).await;
            assert_ne!(next, token);
            token = next;
        }
    }
}

#[tokio::test]
async fn what_a_tenant_takes_away_and_gives_back_costs_its_people_no_login() {
    let ada = user("acme", "ada", "correct horse");
    let mut disabled = ada.clone();
    let Content::User(document) = &mut disabled.content else { panic!("no user") };
    document.disabled = true;
    let client = app("acme", "shop.app", |_| {});
    let narrow = app("acme", "shop.app", |shop| shop.scopes = vec!["phone".to_owned()]);
    for grace in [0, 10] {
        let fixture = shop_with_grace(grace);
        let first = tokens(&fixture, &[("scope", "openid offline_access")]).await;
        let mut token = first["refresh_token"].as_str().unwrap().to_owned();
        for (revision, bad, good) in [(10, &disabled, &ada), (20, &narrow, &client)] {
            fixture.apply(bad, revision);
            refused(&fixture, &token, &[], "invalid_grant").await;
            fixture.apply(good, revision + 1);
            token = refreshed(&fixture, &token).await;
        }
    }
}

/// Else a thief could have the rotation taken back, and its owner would never hear of it.
#[tokio::test]
async fn a_refusal_beside_a_rotation_does_not_take_that_back() {
    let fixture = shop_with_grace(10);
    let first = tokens(&fixture, &[("scope", "openid offline_access")]).await;
    let first = first["refresh_token"].as_str().unwrap();
    let more = [("grant_type", "refresh_token"), ("refresh_token", first), ("scope", "openid profile")];
    let more = form(&more);
    let (wrong, right) = futures::join!(fixture.token("acme", SHOP, &more), refresh(&fixture, first));
    assert_eq!((wrong.error(), right.status.as_u16()), ((400, "invalid_scope".to_owned()), 200));
    assert_eq!(fixture.token("acme", SHOP, &more).await.error(), (400, "invalid_scope".to_owned()));
    fixture.advance(11);
    assert_eq!(refresh(&fixture, first).await.error(), (400, "invalid_grant".to_owned()), "it was used");
    let second = right.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(&fixture, &second).await.error(), (400, "invalid_grant".to_owned()), "the grant is ended");
}
