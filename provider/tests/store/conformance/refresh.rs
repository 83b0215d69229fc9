use std::sync::Arc;

use claviger_provider::store::{Rotated, SessionEnd, Store};

use super::*;
pub(crate) use claviger_provider::store::Rotation;

/// The shop presents the token `generation` of the grant `number`, with a grace of 10 seconds.
pub(crate) fn refresh(number: u8, generation: u32, seconds: i64) -> Rotation {
    Rotation {
        tenant: tenant(),
        grant: id(number),
        client: shop(),
        generation,
        now: at(seconds),
        idle_expires_at: at(seconds + 90),
        tokens_expire_at: at(seconds + 60),
        grace: 10,
    }
}

async fn rotated(store: &dyn Store, generation: u32, seconds: i64) -> Rotated {
    store.rotate_refresh(&refresh(2, generation, seconds)).await.unwrap()
}

async fn strict(store: &dyn Store, generation: u32, seconds: i64) -> Rotated {
    store.rotate_refresh(&Rotation { grace: 0, ..refresh(2, generation, seconds) }).await.unwrap()
}

async fn is_over(store: &dyn Store) -> bool {
    store.grant(&tenant(), id(2), at(1)).await.unwrap().unwrap().over
}

pub(crate) async fn a_refresh_token_rotates_to_its_successor(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 1, 130).await, Rotated::Successor(2), "its use has moved the idle end");
    let grant = store.grant(&tenant(), id(2), at(130)).await.unwrap().unwrap();
    assert_eq!(grant.generation, 2);
    assert_eq!(grant.refresh, Some(RefreshWindow { expires_at: at(500), idle_expires_at: at(220) }));
}

pub(crate) async fn the_predecessor_of_an_unused_token_yields_it_within_the_grace(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 0, 51).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 0, 60).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 1, 61).await, Rotated::Successor(2), "nothing of that used it up");
}

pub(crate) async fn after_the_grace_it_ends_the_grant(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 0, 61).await, Rotated::Reused);
    assert!(is_over(store).await);
    assert_eq!(rotated(store, 1, 61).await, Rotated::Over, "nor does the thief's token count");
    assert_eq!(rotated(store, 0, 62).await, Rotated::Over);
}

pub(crate) async fn two_generations_back_ends_the_grant_at_once(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 1, 50).await, Rotated::Successor(2));
    assert_eq!(rotated(store, 0, 50).await, Rotated::Reused);
    assert!(is_over(store).await);
}

pub(crate) async fn without_a_grace_a_race_is_lost_and_later_is_reuse(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(strict(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(strict(store, 0, 50).await, Rotated::Lost);
    assert_eq!(strict(store, 0, 52).await, Rotated::Lost);
    assert!(!is_over(store).await);
    assert_eq!(strict(store, 0, 53).await, Rotated::Reused);
    assert!(is_over(store).await);
}

pub(crate) async fn another_client_finds_nothing_and_harms_nothing(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 1).await, Rotated::Successor(1));
    for generation in 0..2 {
        let stolen = Rotation { client: forum(), ..refresh(2, generation, 50) };
        assert_eq!(store.rotate_refresh(&stolen).await, Ok(Rotated::Unknown));
    }
    assert_eq!(store.rotate_refresh(&refresh(9, 0, 1)).await, Ok(Rotated::Unknown));
    assert_eq!(rotated(store, 1, 51).await, Rotated::Successor(2));
}

pub(crate) async fn an_expired_window_is_over(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 90).await, Rotated::Over, "idle too long");
    assert_eq!(rotated(store, 0, 89).await, Rotated::Successor(1));
    let patient = Rotation { idle_expires_at: at(5000), ..refresh(2, 1, 100) };
    assert_eq!(store.rotate_refresh(&patient).await, Ok(Rotated::Successor(2)));
    assert_eq!(rotated(store, 2, 500).await, Rotated::Over, "however much it is used");
    assert_eq!(rotated(store, 2, 499).await, Rotated::Successor(3));
}

pub(crate) async fn a_grant_stays_as_long_as_the_last_tokens_of_it(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&NewGrant { expires_at: at(100), ..offline(2) }).await.unwrap();
    let stays = async |seconds| store.grant(&tenant(), id(2), at(seconds)).await.unwrap().is_some();
    assert_eq!(rotated(store, 0, 30).await, Rotated::Successor(1));
    assert!(stays(99).await && !stays(100).await, "it is none the shorter for it");
    assert_eq!(rotated(store, 1, 90).await, Rotated::Successor(2));
    assert!(stays(149).await && !stays(150).await);
}

pub(crate) async fn a_grant_without_a_refresh_token_does_not_rotate(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&NewGrant { refresh: None, ..offline(2) }).await.unwrap();
    assert_eq!(rotated(store, 0, 1).await, Rotated::Over);
    assert!(!is_over(store).await);
}

pub(crate) async fn rotation_ends_with_the_session_unless_offline(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&offline(3)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 1, 100).await, Rotated::Over, "the session is idle");
    let end = SessionEnd { tenant: &tenant(), session: id(1), now: at(51), tell: Arc::new(|_| None) };
    store.end_session(end).await.unwrap();
    assert_eq!(rotated(store, 1, 51).await, Rotated::Over);
    assert_eq!(store.rotate_refresh(&refresh(3, 0, 51)).await, Ok(Rotated::Successor(1)));
}

pub(crate) async fn a_clock_that_steps_back_neither_reissues_nor_ends(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Rotated::Successor(1));
    assert_eq!(rotated(store, 0, 48).await, Rotated::Successor(1), "two pods' clocks differ a little");
    assert_eq!(rotated(store, 0, 30).await, Rotated::Lost);
    assert_eq!(rotated(store, 1, 30).await, Rotated::Successor(2), "who has the current token goes on");
    assert_eq!(rotated(store, 1, 50).await, Rotated::Reused, "and forward again, the grace is long over");
}

pub(crate) async fn a_generation_from_the_future_ends_nothing(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 7, 1).await, Rotated::Lost);
    assert_eq!(rotated(store, 0, 1).await, Rotated::Successor(1));
}

/// It is allocated and copied for each call; one that carried room for a connection to be made was 16 kB.
pub(crate) async fn the_state_of_a_call_is_small(store: &dyn Store) {
    let (tenant, rotation) = (tenant(), refresh(2, 0, 1));
    let read = store.grant(&tenant, id(2), at(1));
    let write = store.rotate_refresh(&rotation);
    let sizes = (size_of_val(&*read), size_of_val(&*write));
    assert!(sizes.0 <= 2_500 && sizes.1 <= 3_000, "{sizes:?}");
}
