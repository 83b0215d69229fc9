//! What is refused though the token that is brought lives and is its client's, and who hears of it.

use claviger_crds::published::ConsentPolicy;

use super::world::*;
use crate::browser::form;
use crate::capture::Capture;

/// Both APIs have a scope `read`, and he was shown that of the one.
#[tokio::test]
async fn what_a_person_let_a_client_have_at_one_api_it_does_not_take_to_another() {
    for (consent, expected) in [(ConsentPolicy::Skip, 200), (ConsentPolicy::Required, 400)] {
        let world = World::new();
        let tokens = world.login_for("allowed.app", CLOSED).await;
        world.change("allowed.app", 2, |client| client.consent = consent);
        for (brought, name) in [(Brought::IdToken, "id_token"), (Brought::RefreshToken, "refresh_token")] {
            let answer = world.exchange("allowed.app", brought, &text(&tokens, name), &[("audience", STOCK)]).await;
            assert_eq!(answer.status, expected, "{consent:?} {brought:?} {}", answer.text());
        }
        world.change("allowed.app", 3, |client| {
            client.consent = consent;
            client.audiences[1].token_exchange = true;
        });
        for (brought, name) in [(Brought::IdToken, "id_token"), (Brought::RefreshToken, "refresh_token")] {
            let answer = world.exchange("allowed.app", brought, &text(&tokens, name), &[("audience", CLOSED)]).await;
            assert_eq!(answer.status, 200, "{consent:?} {brought:?} {}", answer.text());
        }
    }
}

/// Else who may not refresh any more would go on by another grant type.
#[tokio::test]
async fn a_refresh_token_is_not_brought_by_a_client_that_may_not_use_it() {
    let world = World::new();
    let token = world.token_for(Brought::RefreshToken, "allowed.app").await;
    for (revision, may, expected) in [(2, false, 400), (3, true, 200)] {
        world.change("allowed.app", revision, |client| {
            client.grant_types.retain(|name| may || name != "refresh_token");
        });
        let answer = world.exchange("allowed.app", Brought::RefreshToken, &token, &[]).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
}

/// What is tried in vain is seen by whoever reads the audit stream, with more than its requester is told.
#[tokio::test]
async fn a_refused_exchange_is_told_and_why() {
    let world = World::new();
    let old = world.token_for(Brought::AccessToken, "allowed.app").await;
    let capture = Capture::begin();
    for (client, more, error, reason) in [
        (
            "stranger.app",
            &[][..],
            "invalid_request",
            "it is not for this client, has no such may_act, and its audience does not allow it",
        ),
        ("allowed.app", &[("audience", "https://nobodys.example")], "invalid_target", ""),
    ] {
        world.exchange(client, Brought::AccessToken, &old, more).await;
        let told = capture.take_audit();
        assert_eq!(told.len(), 1, "{told:?}");
        let told = ["event", "client", "grant", "error", "reason", "outcome"].map(|name| &told[0][name]);
        assert_eq!(told, ["token", client, EXCHANGE, error, reason, "refused"]);
    }
}

/// As at the refresh itself: it was used, and long enough ago that nobody can have missed the answer.
#[tokio::test]
async fn the_last_refresh_token_but_one_ends_its_grant_after_the_grace() {
    for (after, ends) in [(5, false), (3_600, true)] {
        let world = World::new();
        let first = text(&world.login("allowed.app").await, "refresh_token");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
        let last = text(&world.fixture.token("acme", ALLOWED, &form(&fields)).await.json(), "refresh_token");
        world.fixture.advance(after);
        let capture = Capture::begin();
        assert_eq!(world.exchange("allowed.app", Brought::RefreshToken, &first, &[]).await.status, 400);
        let reused = capture.take_audit().iter().any(|event| event["event"] == "refresh_reuse");
        assert_eq!(reused, ends, "{after}");
        let status = world.exchange("allowed.app", Brought::RefreshToken, &last, &[]).await.status.as_u16();
        assert_eq!(status, if ends { 400 } else { 200 }, "{after}");
    }
}
