use std::sync::Arc;

use claviger_provider::store::{Grant, Redeemed, SessionEnd, Store, StoreError, TenantKey, TokenLookup};

use super::refresh::{Rotation, Told, refresh, rotate};
use super::sessions::end;
use super::*;

/// One of a client that has `offline_access`.
fn token(tenant: &TenantKey, grant: Option<u8>, seconds: i64) -> TokenLookup<'_> {
    TokenLookup { tenant, jti: "token", grant: grant.map(id), offline_access: true, now: at(seconds) }
}

async fn revoked(store: &dyn Store, tenant: &TenantKey, grant: Option<u8>, seconds: i64) -> bool {
    store.is_revoked(token(tenant, grant, seconds)).await.unwrap()
}

pub(crate) async fn stored(store: &dyn Store, number: u8, seconds: i64) -> Option<Grant> {
    store.grant(lookup(&tenant(), number, seconds)).await.unwrap()
}

pub(crate) async fn a_code_is_redeemed_once(store: &dyn Store) {
    logged_in(store).await;
    assert_eq!(store.redeem_code(&grant(2)).await, Ok(Redeemed::First));
    assert!(!revoked(store, &tenant(), Some(2), 1).await);
    assert_eq!(store.redeem_code(&grant(2)).await, Ok(Redeemed::Again));
    assert!(revoked(store, &tenant(), Some(2), 1).await, "what the first redemption gave is ended");
    assert!(stored(store, 2, 1).await.unwrap().over);
    assert_eq!(store.redeem_code(&grant(3)).await, Ok(Redeemed::First), "another code is another code");
}

pub(crate) async fn a_grant_reads_as_it_was_written(store: &dyn Store) {
    logged_in(store).await;
    let new = grant(2);
    store.redeem_code(&new).await.unwrap();
    let mut expected = Grant {
        id: new.id,
        client: new.client.clone(),
        subject: new.subject.clone(),
        session: new.session,
        offline: false,
        payload: new.payload.clone(),
        created_at: new.created_at,
        generation: 0,
        refresh: new.refresh,
        rotated_at: None,
        over: false,
    };
    assert_eq!(stored(store, 2, 1).await.as_ref(), Some(&expected));
    let simple = NewGrant { id: id(3), refresh: None, offline: true, payload: Vec::new(), ..new };
    store.redeem_code(&simple).await.unwrap();
    expected = Grant { id: id(3), refresh: None, offline: true, payload: Vec::new(), ..expected };
    assert_eq!(stored(store, 3, 1).await, Some(expected));
    assert_eq!(stored(store, 3, 600).await, None, "it has expired");
    assert_eq!(stored(store, 4, 1).await, None);
}

pub(crate) async fn a_code_of_a_session_that_is_over_writes_nothing(store: &dyn Store) {
    assert_eq!(store.redeem_code(&grant(2)).await, Ok(Redeemed::SessionOver), "no session");
    logged_in(store).await;
    let late = NewGrant { created_at: at(100), ..grant(2) };
    assert_eq!(store.redeem_code(&late).await, Ok(Redeemed::SessionOver), "idle too long");
    assert_eq!(stored(store, 2, 1).await, None);
    assert_eq!(store.redeem_code(&grant(2)).await, Ok(Redeemed::First), "nothing was used up");
}

pub(crate) async fn an_offline_grant_outlives_its_session_and_does_not_begin_after_it(store: &dyn Store) {
    logged_in(store).await;
    assert_eq!(store.redeem_code(&offline(2)).await, Ok(Redeemed::First));
    end(store, 1, &[]).await;
    assert!(!revoked(store, &tenant(), Some(2), 1).await);
    assert!(!stored(store, 2, 1).await.unwrap().over);
    assert_eq!(store.redeem_code(&offline(3)).await, Ok(Redeemed::SessionOver), "the person has logged out");
    assert_eq!(stored(store, 3, 1).await, None);
}

pub(crate) async fn the_end_of_a_grant_is_the_end_of_its_tokens(store: &dyn Store) {
    logged_in(store).await;
    for new in [grant(2), offline(3), offline(4)] {
        store.redeem_code(&new).await.unwrap();
    }
    for number in [2, 3, 9] {
        store.end_grant(&tenant(), id(number), at(1)).await.unwrap();
    }
    assert!(revoked(store, &tenant(), Some(2), 1).await);
    assert!(revoked(store, &tenant(), Some(3), 1).await);
    assert!(!revoked(store, &tenant(), Some(4), 1).await, "the others go on");
    assert_eq!(rotate(store, &refresh(3, 0, 1)).await, Told::Over);
    assert!(revoked(store, &tenant(), Some(2), -100).await, "nor does a clock that steps back revive it");
}

pub(crate) async fn the_end_of_a_session_is_the_end_of_its_grants_but_offline_ones(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&offline(3)).await.unwrap();
    assert!(revoked(store, &tenant(), Some(2), 100).await, "idle too long");
    assert!(!revoked(store, &tenant(), Some(3), 100).await);
    assert!(!revoked(store, &tenant(), Some(2), 99).await);
    end(store, 1, &[]).await;
    assert!(revoked(store, &tenant(), Some(2), 1).await);
    assert!(stored(store, 2, 1).await.unwrap().over);
    assert!(!revoked(store, &tenant(), Some(3), 1).await);
    assert!(!stored(store, 3, 1).await.unwrap().over);
    assert_eq!(store.redeem_code(&grant(4)).await, Ok(Redeemed::SessionOver));
}

/// What was granted is what was granted; what it is worth is up to the tenant, now.
pub(crate) async fn an_offline_grant_ends_with_its_session_while_its_client_lacks_the_scope(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let own = tenant();
    let lives = async |offline_access, seconds| {
        let grant = GrantLookup { offline_access, ..lookup(&own, 2, seconds) };
        let token = TokenLookup { offline_access, ..token(&own, Some(2), seconds) };
        let lives = !store.grant(grant).await.unwrap().unwrap().over;
        assert_eq!(store.live_grant(token).await.unwrap().is_some(), lives);
        assert_eq!(store.is_revoked(token).await, Ok(!lives));
        lives
    };
    assert!(lives(false, 99).await && lives(true, 99).await);
    assert!(!lives(false, 100).await && lives(true, 100).await, "the session is idle");
    end(store, 1, &[]).await;
    assert!(!lives(false, 1).await && lives(true, 1).await);
}

pub(crate) async fn a_revoked_token_is_revoked_alone(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    assert!(!revoked(store, &tenant(), None, 0).await);
    store.revoke_token(&tenant(), "another", at(50)).await.unwrap();
    assert!(!revoked(store, &tenant(), Some(2), 0).await);
    for _ in 0..2 {
        store.revoke_token(&tenant(), "token", at(50)).await.unwrap();
    }
    assert!(revoked(store, &tenant(), None, 0).await);
    assert!(revoked(store, &tenant(), Some(2), 0).await);
    assert!(!stored(store, 2, 0).await.unwrap().over, "its grant goes on");
    assert!(!revoked(store, &other_tenant(), None, 0).await);
}

pub(crate) async fn an_unknown_grant_is_revoked(store: &dyn Store) {
    assert!(revoked(store, &tenant(), Some(9), 0).await);
}

pub(crate) async fn tenants_with_the_same_ids_do_not_meet(store: &dyn Store) {
    logged_in(store).await;
    let theirs = NewGrant { tenant: other_tenant(), ..grant(2) };
    assert_eq!(store.redeem_code(&theirs).await, Ok(Redeemed::SessionOver), "the session is another tenant's");
    store.begin_session(&Session { tenant: other_tenant(), ..session(1) }, None).await.unwrap();
    assert_eq!(store.redeem_code(&grant(2)).await, Ok(Redeemed::First));
    assert_eq!(store.grant(lookup(&other_tenant(), 2, 1)).await, Ok(None));
    assert!(revoked(store, &other_tenant(), Some(2), 1).await);
    assert_eq!(store.redeem_code(&theirs).await, Ok(Redeemed::First));
    store.end_grant(&other_tenant(), id(2), at(1)).await.unwrap();
    assert!(!revoked(store, &tenant(), Some(2), 1).await);
    let end = SessionEnd { tenant: &other_tenant(), session: id(1), now: at(1), tell: Arc::new(|_| None) };
    store.end_session(end).await.unwrap();
    assert!(!revoked(store, &tenant(), Some(2), 1).await);
    assert_eq!(store.session_clients(&other_tenant(), id(9)).await, Ok(vec![]));
    assert!(store.session(&other_tenant(), id(1), id(101), at(1)).await.unwrap().is_none());
    assert!(store.session(&tenant(), id(1), id(101), at(1)).await.unwrap().is_some());
    let foreign = Rotation { tenant: other_tenant(), ..refresh(3, 0, 1) };
    store.redeem_code(&grant(3)).await.unwrap();
    assert_eq!(rotate(store, &foreign).await, Told::Unknown);
}

pub(crate) async fn what_is_over_is_deleted_in_bounded_batches(store: &dyn Store) {
    logged_in(store).await;
    for number in 2..7 {
        store.redeem_code(&offline(number)).await.unwrap();
    }
    store.redeem_code(&NewGrant { expires_at: at(2000), ..offline(7) }).await.unwrap();
    store.revoke_token(&tenant(), "token", at(600)).await.unwrap();
    store.consume_login(&tenant(), id(1), at(600)).await.unwrap();
    store.consume_assertion(&tenant(), &shop(), "a", at(600)).await.unwrap();
    store.keep(&tenant(), id(1), b"x", at(600), flows(9)).await.unwrap();
    store.login_tried(&tenant(), &[id(1)], at(0), at(600)).await.unwrap();
    assert_eq!(store.delete_expired(at(99), 2).await, Ok(0));
    assert_eq!(store.delete_expired(at(100), 2).await, Ok(1), "the idle session");
    assert_eq!(store.delete_expired(at(600), 2).await, Ok(7), "two grants, and one of each other kind");
    assert_eq!(store.delete_expired(at(600), 2).await, Ok(2));
    assert_eq!(store.delete_expired(at(600), 2).await, Ok(1));
    assert_eq!(store.delete_expired(at(600), 2).await, Ok(0));
    assert!(stored(store, 7, 600).await.is_some());
    assert!(store.consume_login(&tenant(), id(1), at(700)).await.unwrap(), "it is forgotten");
}

pub(crate) async fn a_payload_beyond_its_bound_is_refused(store: &dyn Store) {
    logged_in(store).await;
    let large = |bytes| NewGrant { payload: vec![1; bytes], ..offline(2) };
    assert_eq!(store.redeem_code(&large(4097)).await, Err(StoreError::Unavailable));
    assert_eq!(store.redeem_code(&large(4096)).await, Ok(Redeemed::First));
}
