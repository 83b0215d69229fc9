use claviger_provider::store::{DueLogout, LogoutOutcome, Store};

use super::sessions::{end, have_grants, logout};
use super::*;

async fn claim(store: &dyn Store, now: i64, lease: i64, limit: u32) -> Vec<DueLogout> {
    let mut due = store.claim_logouts(at(now), at(lease), limit).await.unwrap();
    due.sort_by_key(|due| due.logout.id);
    due
}

async fn noted(store: &dyn Store, numbers: std::ops::Range<u8>) {
    logged_in(store).await;
    let logouts: Vec<_> = numbers.map(logout).collect();
    have_grants(store, &logouts).await;
    end(store, 1, &logouts).await;
}

pub(crate) async fn a_logout_is_claimed_by_one_until_its_lease_ends(store: &dyn Store) {
    noted(store, 11..12).await;
    assert_eq!(claim(store, 0, 30, 9).await, [], "not due yet");
    let due = DueLogout { tenant: tenant(), logout: logout(11), attempts: 0 };
    assert_eq!(claim(store, 1, 30, 9).await, std::slice::from_ref(&due));
    assert_eq!(claim(store, 29, 60, 9).await, []);
    assert_eq!(claim(store, 30, 60, 9).await, [due], "its pod has died");
}

pub(crate) async fn a_logout_is_tried_again_until_it_is_done(store: &dyn Store) {
    noted(store, 11..12).await;
    claim(store, 1, 30, 9).await;
    store.logout_attempted(&other_tenant(), id(11), LogoutOutcome::Done).await.unwrap();
    store.logout_attempted(&tenant(), id(11), LogoutOutcome::Later(at(20))).await.unwrap();
    assert_eq!(claim(store, 19, 50, 9).await, []);
    let again = claim(store, 20, 50, 9).await;
    assert_eq!((again.len(), again[0].attempts), (1, 1));
    store.logout_attempted(&tenant(), id(11), LogoutOutcome::Done).await.unwrap();
    assert_eq!(claim(store, 60, 90, 9).await, []);
}

pub(crate) async fn a_logout_that_expired_is_not_claimed(store: &dyn Store) {
    noted(store, 11..12).await;
    assert_eq!(claim(store, 300, 330, 9).await, []);
    assert_eq!(store.forget_late_logouts(at(299), 9).await, Ok(vec![]));
    let late = DueLogout { tenant: tenant(), logout: logout(11), attempts: 0 };
    assert_eq!(store.forget_late_logouts(at(300), 9).await, Ok(vec![late]), "somebody hears of it");
    assert_eq!(store.forget_late_logouts(at(300), 9).await, Ok(vec![]), "once");
    assert_eq!(claim(store, 1, 30, 9).await, []);
}

pub(crate) async fn claims_are_bounded_and_the_oldest_come_first(store: &dyn Store) {
    noted(store, 11..14).await;
    store.logout_attempted(&tenant(), id(11), LogoutOutcome::Later(at(5))).await.unwrap();
    let numbers = |due: Vec<DueLogout>| due.into_iter().map(|due| due.logout.id).collect::<Vec<_>>();
    assert_eq!(numbers(claim(store, 9, 30, 2).await), [id(12), id(13)]);
    assert_eq!(numbers(claim(store, 9, 30, 2).await), [id(11)]);
}
