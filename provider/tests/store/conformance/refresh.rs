use std::sync::Arc;

use claviger_provider::store::{Grant, Rotated, SessionEnd, Store};

use super::grants::stored;
use super::*;
pub(crate) use claviger_provider::store::Rotation;

/// The shop presents the token `generation` of the grant `number`, with a grace of 10 seconds.
pub(crate) fn refresh(number: u8, generation: u32, seconds: i64) -> Rotation {
    Rotation {
        tenant: tenant(),
        grant: id(number),
        client: shop(),
        generation,
        offline_access: true,
        now: at(seconds),
        idle_expires_at: at(seconds + 90),
        session_idle_expires_at: at(seconds + 100),
        tokens_expire_at: at(seconds + 60),
        grace: 10,
    }
}

/// What became of a refresh, with no more of the grant than the generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Successor(u32),
    Again(u32),
    Reused(String),
    Lost,
    Over,
    Unknown,
}

pub(crate) fn told(rotated: Rotated) -> Told {
    match rotated {
        Rotated::Successor(grant) => Told::Successor(grant.generation),
        Rotated::Again(grant) => Told::Again(grant.generation),
        Rotated::Reused(subject) => Told::Reused(subject),
        Rotated::Lost => Told::Lost,
        Rotated::Over => Told::Over,
        Rotated::Unknown => Told::Unknown,
    }
}

pub(crate) async fn rotate(store: &dyn Store, rotation: &Rotation) -> Told {
    told(store.rotate_refresh(rotation).await.unwrap())
}

async fn rotated(store: &dyn Store, generation: u32, seconds: i64) -> Told {
    rotate(store, &refresh(2, generation, seconds)).await
}

async fn strict(store: &dyn Store, generation: u32, seconds: i64) -> Told {
    rotate(store, &Rotation { grace: 0, ..refresh(2, generation, seconds) }).await
}

fn reused() -> Told {
    Told::Reused(offline(2).subject)
}

async fn is_over(store: &dyn Store) -> bool {
    stored(store, 2, 1).await.unwrap().over
}

pub(crate) async fn a_refresh_token_rotates_to_its_successor(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Told::Successor(1));
    assert_eq!(rotated(store, 1, 130).await, Told::Successor(2), "its use has moved the idle end");
    let grant = stored(store, 2, 130).await.unwrap();
    assert_eq!(grant.generation, 2);
    assert_eq!(grant.refresh, Some(RefreshWindow { expires_at: at(500), idle_expires_at: at(220) }));
}

pub(crate) async fn a_rotation_answers_the_grant_as_it_stands(store: &dyn Store) {
    logged_in(store).await;
    for new in [grant(2), offline(3)] {
        store.redeem_code(&new).await.unwrap();
        let written = store.grant(GrantLookup { grant: new.id, ..lookup(&tenant(), 2, 1) }).await.unwrap().unwrap();
        let token = Rotation { grant: new.id, ..refresh(2, 0, 50) };
        let window = RefreshWindow { expires_at: at(500), idle_expires_at: at(140) };
        let grant = Grant { generation: 1, refresh: Some(window), rotated_at: Some(at(50)), ..written };
        assert_eq!(store.rotate_refresh(&token).await, Ok(Rotated::Successor(grant.clone())));
        assert_eq!(store.rotate_refresh(&token).await, Ok(Rotated::Again(grant)));
    }
}

/// Written where a quarter of the time is over, in which the session counts unless it is used; at its own end never.
pub(crate) async fn a_session_that_lives_by_refreshes_does_not_fall_idle(store: &dyn Store) {
    store.begin_session(&Session { expires_at: at(250), ..session(1) }, None).await.unwrap();
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&offline(3)).await.unwrap();
    for (number, generation, now, seen, idle) in [
        // It lives without the session.
        (3, 0, 80, 0, 100),
        // A quarter is over, and no more.
        (2, 0, 25, 0, 100),
        (2, 1, 26, 26, 126),
        // It would have been over; now it counts to its end.
        (2, 2, 125, 125, 225),
        (2, 3, 170, 170, 250),
        (2, 4, 240, 170, 250),
    ] {
        let token = Rotation { idle_expires_at: at(500), ..refresh(number, generation, now) };
        assert_eq!(rotate(store, &token).await, Told::Successor(generation + 1), "{now}");
        let session = store.session_to_end(&tenant(), id(1), at(now)).await.unwrap().unwrap();
        assert_eq!((session.last_seen_at, session.idle_expires_at), (at(seen), at(idle)), "{now}");
    }
    let late = Rotation { idle_expires_at: at(500), ..refresh(2, 5, 250) };
    assert_eq!(rotate(store, &late).await, Told::Over);
}

/// As it was before, but for the idle end: who is refused has used it.
pub(crate) async fn a_rotation_that_is_taken_back_was_none(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    for seconds in [50, 100] {
        let token = Rotation { grace: 0, ..refresh(2, 0, seconds) };
        assert_eq!(rotate(store, &token).await, Told::Successor(1));
        store.take_rotation_back(&token).await.unwrap();
        assert_eq!(stored(store, 2, seconds).await.unwrap().generation, 0);
    }
    assert_eq!(strict(store, 0, 150).await, Told::Successor(1), "long after, and nobody takes it for stolen");
    assert_eq!(strict(store, 0, 200).await, reused(), "but once it is used");
}

pub(crate) async fn a_rotation_is_not_taken_back_when_its_successor_was_used(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let token = refresh(2, 0, 50);
    assert_eq!(rotate(store, &token).await, Told::Successor(1));
    for other in [
        refresh(2, 0, 51),
        refresh(2, 1, 50),
        Rotation { client: forum(), ..token.clone() },
        Rotation { tenant: other_tenant(), ..token.clone() },
    ] {
        store.take_rotation_back(&other).await.unwrap();
        assert_eq!(stored(store, 2, 50).await.unwrap().generation, 1, "that was another's: {other:?}");
    }
    assert_eq!(rotated(store, 1, 50).await, Told::Successor(2));
    store.take_rotation_back(&token).await.unwrap();
    assert_eq!(stored(store, 2, 50).await.unwrap().generation, 2);
}

/// One request was refused, and another that came with the same token at a pod that knew more was not.
pub(crate) async fn who_got_the_successor_of_a_rotation_that_is_taken_back_goes_on(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let refused = refresh(2, 0, 50);
    assert_eq!(rotate(store, &refused).await, Told::Successor(1));
    assert_eq!(rotated(store, 0, 50).await, Told::Again(1));
    store.take_rotation_back(&refused).await.unwrap();
    assert_eq!(rotated(store, 1, 100).await, Told::Successor(2));
    assert_eq!(rotated(store, 0, 100).await, reused());
}

pub(crate) async fn to_take_a_rotation_back_opens_no_grace_for_the_token_before(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 1).await, Told::Successor(1));
    let refused = refresh(2, 1, 50);
    assert_eq!(rotate(store, &refused).await, Told::Successor(2));
    store.take_rotation_back(&refused).await.unwrap();
    assert_eq!(rotated(store, 0, 51).await, reused(), "a stolen one");
}

pub(crate) async fn the_predecessor_of_an_unused_token_yields_it_within_the_grace(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Told::Successor(1));
    assert_eq!(rotated(store, 0, 51).await, Told::Again(1));
    assert_eq!(rotated(store, 0, 60).await, Told::Again(1));
    assert_eq!(rotated(store, 1, 61).await, Told::Successor(2), "nothing of that used it up");
}

pub(crate) async fn after_the_grace_it_ends_the_grant(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Told::Successor(1));
    assert_eq!(rotated(store, 0, 61).await, reused());
    assert!(is_over(store).await);
    assert_eq!(rotated(store, 1, 61).await, Told::Over, "nor does the thief's token count");
    assert_eq!(rotated(store, 0, 62).await, Told::Over);
}

pub(crate) async fn two_generations_back_ends_the_grant_at_once(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Told::Successor(1));
    assert_eq!(rotated(store, 1, 50).await, Told::Successor(2));
    assert_eq!(rotated(store, 0, 50).await, reused());
    assert!(is_over(store).await);
}

pub(crate) async fn without_a_grace_a_race_is_lost_and_later_is_reuse(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(strict(store, 0, 50).await, Told::Successor(1));
    assert_eq!(strict(store, 0, 50).await, Told::Lost);
    assert_eq!(strict(store, 0, 52).await, Told::Lost);
    assert!(!is_over(store).await);
    assert_eq!(strict(store, 0, 53).await, reused());
    assert!(is_over(store).await);
}

pub(crate) async fn another_client_finds_nothing_and_harms_nothing(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 1).await, Told::Successor(1));
    for generation in 0..2 {
        let stolen = Rotation { client: forum(), ..refresh(2, generation, 50) };
        assert_eq!(rotate(store, &stolen).await, Told::Unknown);
    }
    assert_eq!(rotate(store, &refresh(9, 0, 1)).await, Told::Unknown);
    assert_eq!(rotated(store, 1, 51).await, Told::Successor(2));
}

pub(crate) async fn an_expired_window_is_over(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 90).await, Told::Over, "idle too long");
    assert_eq!(rotated(store, 0, 89).await, Told::Successor(1));
    let patient = Rotation { idle_expires_at: at(5000), ..refresh(2, 1, 100) };
    assert_eq!(rotate(store, &patient).await, Told::Successor(2));
    let window = RefreshWindow { expires_at: at(500), idle_expires_at: at(500) };
    assert_eq!(stored(store, 2, 100).await.unwrap().refresh, Some(window));
    assert_eq!(rotated(store, 2, 500).await, Told::Over, "however much it is used");
    assert_eq!(rotated(store, 2, 499).await, Told::Successor(3));
}

pub(crate) async fn a_grant_stays_as_long_as_the_last_tokens_of_it(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&NewGrant { expires_at: at(100), ..offline(2) }).await.unwrap();
    let stays = async |seconds| store.grant(lookup(&tenant(), 2, seconds)).await.unwrap().is_some();
    assert_eq!(rotated(store, 0, 30).await, Told::Successor(1));
    assert!(stays(99).await && !stays(100).await, "it is none the shorter for it");
    assert_eq!(rotated(store, 1, 90).await, Told::Successor(2));
    assert!(stays(149).await && !stays(150).await);
}

pub(crate) async fn a_grant_without_a_refresh_token_does_not_rotate(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&NewGrant { refresh: None, ..offline(2) }).await.unwrap();
    assert_eq!(rotated(store, 0, 1).await, Told::Over);
    assert!(!is_over(store).await);
}

pub(crate) async fn rotation_ends_with_the_session_unless_offline(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&offline(3)).await.unwrap();
    assert_eq!(rotated(store, 0, 20).await, Told::Successor(1));
    assert_eq!(rotated(store, 1, 100).await, Told::Over, "the session is idle");
    let end = SessionEnd { tenant: &tenant(), session: id(1), now: at(51), tell: Arc::new(|_| None) };
    store.end_session(end).await.unwrap();
    assert_eq!(rotated(store, 1, 51).await, Told::Over);
    assert_eq!(rotate(store, &refresh(3, 0, 51)).await, Told::Successor(1));
}

/// And its use is use of the session, as that of any other grant.
pub(crate) async fn an_offline_grant_rotates_by_its_session_while_its_client_lacks_the_scope(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let lacking = |generation, seconds| Rotation { offline_access: false, ..refresh(2, generation, seconds) };
    assert_eq!(rotate(store, &lacking(0, 80)).await, Told::Successor(1));
    let session = store.session_to_end(&tenant(), id(1), at(80)).await.unwrap().unwrap();
    assert_eq!((session.last_seen_at, session.idle_expires_at), (at(80), at(180)));
    assert_eq!(rotate(store, &lacking(1, 150)).await, Told::Successor(2));
    let end = SessionEnd { tenant: &tenant(), session: id(1), now: at(151), tell: Arc::new(|_| None) };
    store.end_session(end).await.unwrap();
    for generation in [1, 2] {
        assert_eq!(rotate(store, &lacking(generation, 151)).await, Told::Over, "{generation}");
    }
    assert_eq!(rotated(store, 1, 151).await, Told::Again(2), "who gives the scope back gives back what was granted");
    assert_eq!(rotated(store, 2, 151).await, Told::Successor(3));
}

pub(crate) async fn a_clock_that_steps_back_neither_reissues_nor_ends(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 0, 50).await, Told::Successor(1));
    assert_eq!(rotated(store, 0, 48).await, Told::Again(1), "two pods' clocks differ a little");
    assert_eq!(rotated(store, 0, 30).await, Told::Lost);
    assert_eq!(rotated(store, 1, 30).await, Told::Successor(2), "who has the current token goes on");
    assert_eq!(rotated(store, 1, 50).await, reused(), "and forward again, the grace is long over");
}

pub(crate) async fn a_generation_from_the_future_ends_nothing(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    assert_eq!(rotated(store, 7, 1).await, Told::Lost);
    assert_eq!(rotated(store, 0, 1).await, Told::Successor(1));
}

/// It is allocated and copied for each call; one that carried room for a connection to be made was 16 kB.
pub(crate) async fn the_state_of_a_call_is_small(store: &dyn Store) {
    let (tenant, rotation) = (tenant(), refresh(2, 0, 1));
    let read = store.grant(lookup(&tenant, 2, 1));
    let write = store.rotate_refresh(&rotation);
    let sizes = (size_of_val(&*read), size_of_val(&*write));
    assert!(sizes.0 <= 2_500 && sizes.1 <= 3_000, "{sizes:?}");
}
