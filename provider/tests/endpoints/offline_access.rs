//! A client that had `offline_access` and lost it: what its grants were given it for is worth a session now, wherever a
//! token of them is brought, and by whomever.

use claviger_crds::published::{ClientDocument, Document};
use serde_json::Value;

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::exchange::{Brought, World, api_of, text};
use crate::fixture::*;

/// With `offline_access` or without.
fn change(offline: bool) -> impl Fn(&mut ClientDocument) {
    move |client| client.scopes.retain(|scope| offline || scope != "offline_access")
}

/// The shop of the world, as it was or without `offline_access`.
fn the_shop(offline: bool) -> Document {
    app("acme", "shop.app", |client| {
        client.audiences = vec![audience(&api_of("allowed.app"), &["read", "write"])];
        change(offline)(client);
    })
}

/// What Ada's applications have when she has logged out of both.
struct Left<'a> {
    world: &'a World,
    /// Of the shop, for the API that allowed.app is.
    shop: Value,
    /// Of allowed.app itself.
    allowed: Value,
    /// What allowed.app got for the shop's access token.
    exchanged: String,
}

impl<'a> Left<'a> {
    async fn in_(world: &'a World) -> Self {
        let mut browser = Browser::new(&world.fixture);
        let shop = world.login_in(&mut browser, "shop.app", &api_of("allowed.app")).await;
        let allowed = world.login_in(&mut browser, "allowed.app", "").await;
        let exchanged = world.exchange("allowed.app", Brought::AccessToken, &text(&shop, "access_token"), &[]).await;
        let hint = text(&shop, "id_token");
        browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&[("id_token_hint", &hint)]))).await;
        Self { world, shop, allowed, exchanged: text(&exchanged.json(), "access_token") }
    }

    /// Which ways are open to what the shop's grant gave.
    async fn of_the_shops_grant(&self) -> [bool; 5] {
        let (access, refresh) = (text(&self.shop, "access_token"), text(&self.shop, "refresh_token"));
        let userinfo = self.world.fixture.bearer("acme", "/oauth/userinfo", &access).await;
        let exchange = self.world.exchange("allowed.app", Brought::AccessToken, &access, &[]).await;
        [
            self.world.introspect("shop.app", &access).await["active"] == true,
            self.world.introspect("shop.app", &refresh).await["active"] == true,
            userinfo.status == 200,
            exchange.status == 200,
            self.world.introspect("stock.app", &self.exchanged).await["active"] == true,
        ]
    }

    /// And to what the grant of allowed.app gave.
    async fn of_the_other_grant(&self) -> [bool; 3] {
        let [access, id, refresh] = ["access_token", "id_token", "refresh_token"].map(|name| text(&self.allowed, name));
        [
            self.world.introspect("allowed.app", &access).await["active"] == true,
            self.world.exchange("allowed.app", Brought::IdToken, &id, &[]).await.status == 200,
            self.world.exchange("allowed.app", Brought::RefreshToken, &refresh, &[]).await.status == 200,
        ]
    }
}

/// It is the grant's client that counts: allowed.app brings a token of the shop's, and has one that it got for it.
#[tokio::test]
async fn what_outlived_its_session_is_over_when_its_client_loses_offline_access() {
    let world = World::new();
    let left = Left::in_(&world).await;
    for (revision, shop, allowed) in [(2, true, true), (3, false, true), (4, true, false), (5, false, false)] {
        world.fixture.apply(&the_shop(shop), revision);
        world.change("allowed.app", revision, change(allowed));
        assert_eq!(left.of_the_shops_grant().await, [shop; 5], "{shop} {allowed}");
        assert_eq!(left.of_the_other_grant().await, [allowed; 3], "{shop} {allowed}");
    }
    let token = text(&left.shop, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("scope", "openid")];
    for fields in [&fields[..], &fields[..2]] {
        let refused = world.fixture.token("acme", SHOP, &form(fields)).await;
        assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    }
    // What a tenant takes away and gives back costs its people no login.
    world.fixture.apply(&the_shop(true), 6);
    assert_eq!(refresh(&world.fixture, &token).await.status, 200);
}

#[tokio::test]
async fn a_grant_without_offline_access_goes_on_with_its_session_and_keeps_it() {
    let fixture = shop(|_| {});
    let mut token = text(&tokens(&fixture, &[("scope", "openid offline_access")]).await, "refresh_token");
    fixture.apply(&app("acme", "shop.app", change(false)), 3);
    // Each time the session would have been idle too long by the next.
    for advance in [7_000, 7_000, 7_000] {
        fixture.advance(advance);
        let answer = refresh(&fixture, &token).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["scope"]), (200, &"openid".into()));
        token = text(&answer.json(), "refresh_token");
    }
    fixture.advance(7_200);
    assert_eq!(refresh(&fixture, &token).await.error(), (400, "invalid_grant".to_owned()));
}
