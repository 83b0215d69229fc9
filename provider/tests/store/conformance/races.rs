//! A hundred at once, over the pool: what must happen once happens once.

use std::collections::BTreeSet;

use claviger_provider::store::{Failures, NewLogout, Redeemed, SessionEnd, Store};
use futures::future::{join, join_all};

use super::refresh::{Rotation, Told, refresh, rotate};
use super::sessions::{end, have_grants, logout, of_client};
use super::*;

const MANY: u8 = 100;

fn count<T: PartialEq>(answers: &[T], wanted: &T) -> usize {
    answers.iter().filter(|answer| *answer == wanted).count()
}

pub(crate) async fn of_many_redemptions_one_wins(store: &dyn Store) {
    logged_in(store).await;
    let code = grant(2);
    let answers = join_all((0..MANY).map(|_| store.redeem_code(&code))).await;
    assert_eq!(count(&answers, &Ok(Redeemed::First)), 1, "{answers:?}");
    assert_eq!(count(&answers, &Ok(Redeemed::Again)), 99, "{answers:?}");
}

pub(crate) async fn of_many_refreshes_one_rotates(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let token = refresh(2, 0, 1);
    let answers = join_all((0..MANY).map(|_| rotate(store, &token))).await;
    assert_eq!(count(&answers, &Told::Successor(1)), 1, "{answers:?}");
    assert_eq!(count(&answers, &Told::Again(1)), 99, "{answers:?}");
    assert_eq!(store.grant(lookup(&tenant(), 2, 1)).await.unwrap().unwrap().generation, 1);
}

pub(crate) async fn of_many_refreshes_without_grace_the_losers_end_nothing(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&offline(2)).await.unwrap();
    let token = Rotation { grace: 0, ..refresh(2, 0, 1) };
    let answers = join_all((0..MANY).map(|_| rotate(store, &token))).await;
    assert_eq!(count(&answers, &Told::Successor(1)), 1, "{answers:?}");
    assert_eq!(count(&answers, &Told::Lost), 99, "{answers:?}");
    assert_eq!(rotate(store, &refresh(2, 1, 2)).await, Told::Successor(2));
}

pub(crate) async fn of_many_assertions_and_logins_one_wins(store: &dyn Store) {
    let (own, client) = (tenant(), shop());
    let logins = join_all((0..MANY).map(|_| store.consume_login(&own, id(1), at(9))));
    let assertions = join_all((0..MANY).map(|_| store.consume_assertion(&own, &client, "a", at(9))));
    let (logins, assertions) = join(logins, assertions).await;
    for answers in [logins, assertions] {
        assert_eq!((count(&answers, &Ok(true)), count(&answers, &Ok(false))), (1, 99), "{answers:?}");
    }
}

pub(crate) async fn of_many_ends_one_tells_the_clients(store: &dyn Store) {
    logged_in(store).await;
    have_grants(store, &[logout(0)]).await;
    let logouts: Vec<_> = (0..MANY).map(|number| [NewLogout { id: id(number), ..logout(0) }]).collect();
    join_all(logouts.iter().map(|logouts| end(store, 1, logouts))).await;
    assert_eq!(store.claim_logouts(at(1), at(9), 200).await.unwrap().len(), 1);
}

pub(crate) async fn many_claims_share_the_logouts(store: &dyn Store) {
    logged_in(store).await;
    let logouts: Vec<_> = (0..MANY).map(logout).collect();
    have_grants(store, &logouts).await;
    end(store, 1, &logouts).await;
    let mut claimed = BTreeSet::new();
    for _ in 0..10 {
        for due in join_all((0..20).map(|_| store.claim_logouts(at(1), at(30), 7))).await {
            for due in due.unwrap() {
                assert!(claimed.insert(due.logout.id), "claimed twice");
            }
        }
    }
    assert_eq!(claimed.len(), 100);
}

pub(crate) async fn many_failures_are_all_counted(store: &dyn Store) {
    let own = tenant();
    // In either order: whoever holds one row must not wait for who holds the other.
    let keys = [[id(1), id(2)], [id(2), id(1)]];
    let turns = keys.iter().cycle().take(MANY.into());
    let answers = join_all(turns.map(|keys| store.login_tried(&own, keys, at(0), at(60)))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let failures = store.login_failures(&own, &keys[0], at(1)).await.unwrap();
    assert_eq!((failures[0].count, failures[1].count), (100, 100));
}

pub(crate) async fn of_many_tries_no_two_are_told_the_same(store: &dyn Store) {
    let (own, key) = (tenant(), [id(1)]);
    let answers = join_all((0..MANY).map(|_| store.login_tried(&own, &key, at(0), at(60)))).await;
    let mut before: Vec<Failures> = answers.into_iter().map(|answer| answer.unwrap()[0]).collect();
    before.sort_by_key(|failures| failures.count);
    assert!(before.iter().map(|failures| failures.count).eq(0..MANY.into()), "{before:?}");
    let first_at = before[0].last_at;
    assert!(first_at.is_none() && before[1..].iter().all(|failures| failures.last_at == Some(at(0))), "{before:?}");
    // All but the first five take theirs back, also at once.
    join_all(before[5..].iter().map(|failures| store.take_login_back(&own, &key, std::slice::from_ref(failures))))
        .await;
    assert_eq!(store.login_failures(&own, &key, at(1)).await.unwrap()[0].count, 5);
}

pub(crate) async fn of_many_late_logouts_each_is_told_to_one(store: &dyn Store) {
    logged_in(store).await;
    let logouts: Vec<_> = (0..MANY).map(logout).collect();
    have_grants(store, &logouts).await;
    end(store, 1, &logouts).await;
    let mut told = BTreeSet::new();
    for _ in 0..10 {
        for late in join_all((0..20).map(|_| store.forget_late_logouts(at(300), 7))).await {
            for late in late.unwrap() {
                assert!(told.insert(late.logout.id), "told twice");
            }
        }
    }
    assert_eq!(told.len(), 100);
}

pub(crate) async fn many_sweeps_delete_each_row_once(store: &dyn Store) {
    let own = tenant();
    join_all((0..MANY).map(|number| store.consume_login(&own, id(number), at(5)))).await;
    let mut deleted = 0;
    for _ in 0..10 {
        let sweeps = join_all((0..10).map(|_| store.delete_expired(at(5), 3))).await;
        deleted += sweeps.into_iter().sum::<Result<u64, _>>().unwrap();
    }
    assert_eq!(deleted, 100);
}

pub(crate) async fn a_redemption_that_meets_a_logout_leaves_no_grant_alive_and_nobody_untold(store: &dyn Store) {
    for round in 0..MANY {
        store.begin_session(&session(round), None).await.unwrap();
        let logout = NewLogout { session: id(round), ..logout(round) };
        let code = NewGrant { session: id(round), client: logout.client.clone(), ..grant(round) };
        let (own, logouts) = (tenant(), [logout]);
        let tell = of_client(&logouts);
        let over = SessionEnd { tenant: &own, session: id(round), now: at(1), tell };
        let (redeemed, ended) = join(store.redeem_code(&code), store.end_session(over)).await;
        ended.unwrap();
        let told = store.claim_logouts(at(1), at(100), 9).await.unwrap();
        let is_told = told.iter().any(|due| due.logout == logouts[0]);
        assert_eq!(is_told, redeemed == Ok(Redeemed::First), "{round}: {redeemed:?}, {told:?}");
        let grant = store.grant(lookup(&own, round, 1)).await.unwrap();
        match redeemed.unwrap() {
            Redeemed::First => assert!(grant.unwrap().over),
            Redeemed::SessionOver => assert_eq!(grant, None),
            Redeemed::Again => panic!("it was redeemed once"),
        }
    }
}
