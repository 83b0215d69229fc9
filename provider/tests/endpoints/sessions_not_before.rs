//! `sessionsNotBefore` of a User: what a login of before gave is over wherever it is brought.

use claviger_crds::published::{Content, Document};
use jiff::Timestamp;
use serde_json::Value;

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::exchange::{Brought, World, api_of, text};
use crate::fixture::*;

/// Ada, whose logins count from this second after the fixtures' beginning on.
fn ada(start: i64) -> Document {
    let Content::User(mut document) = user("acme", "ada", "correct horse").content else { panic!("no user") };
    document.sessions_not_before = Some(Timestamp::from_second(NOW + start).unwrap());
    serving("acme", "ada", Content::User(document))
}

/// Everything that a login gave.
struct Given<'a> {
    world: &'a World,
    browser: Browser<'a>,
    tokens: Value,
    exchanged: String,
    /// Not redeemed yet.
    code: String,
}

impl<'a> Given<'a> {
    async fn in_(world: &'a World) -> Self {
        let mut browser = Browser::new(&world.fixture);
        let tokens = world.login_in(&mut browser, "shop.app", &api_of("allowed.app")).await;
        let access = text(&tokens, "access_token");
        let exchanged = world.exchange("allowed.app", Brought::AccessToken, &access, &[]).await;
        let code = browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").unwrap();
        Self { world, browser, tokens, exchanged: text(&exchanged.json(), "access_token"), code }
    }

    /// Which ways are open to it that use nothing up.
    async fn counts(&mut self) -> [bool; 6] {
        let [access, refresh] = ["access_token", "refresh_token"].map(|name| text(&self.tokens, name));
        let userinfo = self.world.fixture.bearer("acme", "/oauth/userinfo", &access).await;
        let exchange = self.world.exchange("allowed.app", Brought::AccessToken, &access, &[]).await;
        let silent = self.browser.get(&authorize(&[("prompt", "none")])).await;
        [
            self.world.introspect("shop.app", &access).await["active"] == true,
            self.world.introspect("shop.app", &refresh).await["active"] == true,
            self.world.introspect("stock.app", &self.exchanged).await["active"] == true,
            userinfo.status == 200,
            exchange.status == 200,
            silent.redirected("code").is_some(),
        ]
    }

    async fn redeemed(&self) -> u16 {
        redeem(&self.world.fixture, &self.code).await.status.as_u16()
    }

    async fn refreshed(&self) -> u16 {
        self.refreshed_with(&[]).await
    }

    async fn refreshed_with(&self, more: &[(&str, &str)]) -> u16 {
        let token = text(&self.tokens, "refresh_token");
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", &*token)];
        fields.extend(more);
        self.world.fixture.token("acme", SHOP, &form(&fields)).await.status.as_u16()
    }
}

#[tokio::test]
async fn what_a_login_of_before_gave_is_over_and_a_new_one_counts() {
    let world = World::new();
    let mut before = Given::in_(&world).await;
    world.fixture.apply(&ada(0), 2);
    assert_eq!(before.counts().await, [true; 6], "it began in that second");
    world.fixture.advance(5);
    world.fixture.apply(&ada(5), 3);
    assert_eq!(before.counts().await, [false; 6]);
    assert_eq!((before.redeemed().await, before.refreshed().await), (400, 400));
    world.fixture.apply(&user("acme", "ada", "correct horse"), 4);
    assert_eq!(before.refreshed().await, 400, "what was refused is over, whatever the account says later");
    world.fixture.apply(&ada(5), 5);

    let mut after = Given::in_(&world).await;
    assert_eq!(after.counts().await, [true; 6]);
    assert_eq!((after.redeemed().await, after.refreshed().await), (200, 200));
}

/// What it asks for is judged before the rotation, which is another way.
#[tokio::test]
async fn a_token_that_is_brought_with_a_scope_is_over_for_good_too() {
    let world = World::new();
    let given = Given::in_(&world).await;
    world.fixture.advance(5);
    world.fixture.apply(&ada(5), 2);
    assert_eq!(given.refreshed_with(&[("scope", "openid")]).await, 400);
    world.fixture.apply(&user("acme", "ada", "correct horse"), 3);
    assert_eq!(given.refreshed().await, 400);
}

#[tokio::test]
async fn a_time_that_is_yet_to_come_changes_nothing_until_then() {
    let world = World::new();
    let mut given = Given::in_(&world).await;
    world.fixture.apply(&ada(30), 2);
    assert_eq!(given.counts().await, [true; 6]);
    world.fixture.advance(30);
    assert_eq!(given.counts().await, [false; 6]);
    let mut after = Given::in_(&world).await;
    assert_eq!(after.counts().await, [true; 6]);
}
