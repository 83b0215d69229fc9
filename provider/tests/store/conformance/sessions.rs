use std::sync::Arc;

use claviger_provider::store::{NewLogout, Redeemed, SessionEnd, Store, Tell};

use super::*;

async fn stored(store: &dyn Store, number: u8, seconds: i64) -> Option<Session> {
    store.session(&tenant(), id(number), id(number + 100), at(seconds)).await.unwrap()
}

/// Of a client of its own, by the session 1.
pub(crate) fn logout(number: u8) -> NewLogout {
    let client = ClientKey::new("shop", "shop", &format!("app-{number}"));
    NewLogout { id: id(number), client, subject: "jane".to_owned(), session: id(1), expires_at: at(300) }
}

/// That one of `logouts` which is the client's.
pub(crate) fn of_client(logouts: &[NewLogout]) -> Tell {
    let logouts = logouts.to_owned();
    Arc::new(move |client| logouts.iter().find(|logout| logout.client == client).cloned())
}

/// The clients of `logouts` get grants by the session 1.
pub(crate) async fn have_grants(store: &dyn Store, logouts: &[NewLogout]) {
    for logout in logouts {
        let grant = NewGrant { id: logout.id, client: logout.client.clone(), ..grant(0) };
        assert_eq!(store.redeem_code(&grant).await, Ok(Redeemed::First));
    }
}

pub(crate) async fn end(store: &dyn Store, number: u8, logouts: &[NewLogout]) {
    let tell = of_client(logouts);
    let end = SessionEnd { tenant: &tenant(), session: id(number), now: at(1), tell };
    store.end_session(end).await.unwrap();
}

async fn due(store: &dyn Store) -> Vec<NewLogout> {
    let due = store.claim_logouts(at(1), at(1), 100).await.unwrap();
    due.into_iter().map(|due| due.logout).collect()
}

pub(crate) async fn a_session_reads_as_it_was_written(store: &dyn Store) {
    logged_in(store).await;
    assert_eq!(stored(store, 1, 1).await, Some(session(1)));
    let eager = Session { idle_expires_at: at(9999), ..session(2) };
    store.begin_session(&eager, None).await.unwrap();
    assert_eq!(stored(store, 2, 1).await, Some(Session { idle_expires_at: at(1000), ..eager }));
}

pub(crate) async fn another_handle_is_no_session(store: &dyn Store) {
    logged_in(store).await;
    assert_eq!(store.session(&tenant(), id(1), id(102), at(1)).await, Ok(None));
    assert_eq!(store.session(&tenant(), id(2), id(101), at(1)).await, Ok(None));
}

pub(crate) async fn a_session_ends_when_it_is_idle_and_at_its_end(store: &dyn Store) {
    logged_in(store).await;
    assert!(stored(store, 1, 99).await.is_some());
    assert!(stored(store, 1, 100).await.is_none());
    store.touch_session(&session(1), at(5000), at(99)).await.unwrap();
    assert!(stored(store, 1, 999).await.is_some());
    assert!(stored(store, 1, 1000).await.is_none());
}

pub(crate) async fn a_session_is_found_by_its_id_alone_only_while_it_lives(store: &dyn Store) {
    logged_in(store).await;
    let found =
        async |tenant: TenantKey, number, now| store.session_to_end(&tenant, id(number), at(now)).await.unwrap();
    assert_eq!(found(tenant(), 1, 99).await, Some(session(1)));
    assert_eq!(found(tenant(), 1, 100).await, None, "idle too long");
    assert_eq!(found(tenant(), 2, 1).await, None);
    assert_eq!(found(other_tenant(), 1, 1).await, None);
    end(store, 1, &[]).await;
    assert_eq!(found(tenant(), 1, 1).await, None);
}

pub(crate) async fn a_session_that_is_used_lasts_and_is_written_once_a_minute(store: &dyn Store) {
    logged_in(store).await;
    store.touch_session(&session(1), at(159), at(59)).await.unwrap();
    assert_eq!(stored(store, 1, 59).await, Some(session(1)), "it was seen in this minute");
    store.touch_session(&session(1), at(160), at(60)).await.unwrap();
    let seen = Session { last_seen_at: at(60), idle_expires_at: at(160), ..session(1) };
    assert_eq!(stored(store, 1, 60).await.as_ref(), Some(&seen));
    store.touch_session(&session(1), at(170), at(70)).await.unwrap();
    assert_eq!(stored(store, 1, 70).await.as_ref(), Some(&seen), "another pod has written in this minute");
    store.touch_session(&seen, at(0), at(-3600)).await.unwrap();
    assert_eq!(stored(store, 1, 70).await.as_ref(), Some(&seen), "a clock that steps back ends no session");
    store.touch_session(&seen, at(300), at(200)).await.unwrap();
    assert_eq!(stored(store, 1, 200).await, None, "and what is over stays over");
}

pub(crate) async fn a_new_login_changes_the_handle(store: &dyn Store) {
    logged_in(store).await;
    let again = Session {
        handle: id(9),
        authenticated_at: at(50),
        amr: vec!["hwk".to_owned()],
        acr: "gold".to_owned(),
        last_seen_at: at(50),
        expires_at: at(2000),
        idle_expires_at: at(150),
        ..session(1)
    };
    assert_eq!(store.renew_session(&again).await, Ok(true));
    assert_eq!(stored(store, 1, 51).await, None, "the old cookie is worth nothing");
    assert_eq!(store.session(&tenant(), id(1), id(9), at(51)).await, Ok(Some(again)));
}

pub(crate) async fn a_session_that_lasts_longer_still_knows_its_clients(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&NewGrant { client: forum(), expires_at: at(5000), ..grant(3) }).await.unwrap();
    let again = Session { last_seen_at: at(50), expires_at: at(2000), idle_expires_at: at(2000), ..session(1) };
    let other = Session { id: id(7), ..again.clone() };
    assert_eq!(store.renew_session(&other).await, Ok(false));
    assert_eq!(store.renew_session(&again).await, Ok(true));
    store.delete_expired(at(1999), 9).await.unwrap();
    assert_eq!(store.session_clients(&tenant(), id(1)).await, Ok(vec![forum(), shop()]));
    store.delete_expired(at(2000), 9).await.unwrap();
    assert_eq!(store.session_clients(&tenant(), id(1)).await, Ok(vec![forum()]));
}

pub(crate) async fn a_session_that_is_over_is_not_renewed(store: &dyn Store) {
    assert_eq!(store.renew_session(&session(1)).await, Ok(false), "there is none");
    logged_in(store).await;
    let late = Session { last_seen_at: at(100), idle_expires_at: at(200), ..session(1) };
    assert_eq!(store.renew_session(&late).await, Ok(false), "idle too long");
    let another = Session { subject: "john".to_owned(), ..session(1) };
    assert_eq!(store.renew_session(&another).await, Ok(false), "another person");
    let foreign = Session { tenant: other_tenant(), ..session(1) };
    assert_eq!(store.renew_session(&foreign).await, Ok(false));
    end(store, 1, &[]).await;
    assert_eq!(store.renew_session(&session(1)).await, Ok(false), "ended");
}

pub(crate) async fn a_session_ends_once_and_tells_its_clients_once(store: &dyn Store) {
    logged_in(store).await;
    have_grants(store, &[logout(11), logout(12)]).await;
    end(store, 1, &[logout(11), logout(13)]).await;
    assert_eq!(stored(store, 1, 1).await, None);
    assert_eq!(due(store).await, [logout(11)], "whom nobody wants to tell, or who had no grant, is not told");
    end(store, 1, &[logout(12)]).await;
    assert_eq!(due(store).await, [logout(11)], "a second end tells nobody");
}

pub(crate) async fn a_session_takes_the_place_of_another(store: &dyn Store) {
    logged_in(store).await;
    store.redeem_code(&grant(2)).await.unwrap();
    let (own, logouts) = (tenant(), [logout(11)]);
    have_grants(store, &logouts).await;
    let tell = of_client(&logouts);
    let replaced = || SessionEnd { tenant: &own, session: id(1), now: at(1), tell: Arc::clone(&tell) };
    store.begin_session(&session(5), Some(replaced())).await.unwrap();
    assert_eq!(stored(store, 1, 1).await, None);
    assert!(stored(store, 5, 1).await.is_some());
    assert!(store.grant(lookup(&tenant(), 2, 1)).await.unwrap().unwrap().over);
    assert_eq!(due(store).await, [logout(11)]);
    store.begin_session(&session(6), Some(SessionEnd { session: id(99), ..replaced() })).await.unwrap();
    assert!(stored(store, 6, 1).await.is_some(), "it begins, whether there was another or not");
    // The ID is taken: nothing of the whole is done.
    assert!(store.begin_session(&session(5), Some(SessionEnd { session: id(6), ..replaced() })).await.is_err());
    assert!(stored(store, 6, 1).await.is_some());
}

pub(crate) async fn the_clients_of_a_session_are_those_with_a_grant(store: &dyn Store) {
    logged_in(store).await;
    assert_eq!(store.session_clients(&tenant(), id(1)).await, Ok(vec![]));
    store.redeem_code(&grant(2)).await.unwrap();
    store.redeem_code(&offline(3)).await.unwrap();
    store.redeem_code(&NewGrant { client: forum(), ..grant(4) }).await.unwrap();
    store.end_grant(&tenant(), id(4), at(1)).await.unwrap();
    assert_eq!(store.session_clients(&tenant(), id(1)).await, Ok(vec![forum(), shop()]));
    end(store, 1, &[]).await;
    assert_eq!(store.session_clients(&tenant(), id(1)).await, Ok(vec![forum(), shop()]));
    assert_eq!(store.session_clients(&other_tenant(), id(1)).await, Ok(vec![]));
}
