//! What is over is deleted beside the requests, a batch at a time, by the provider's clock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_provider::store::{
    ClientKey, Id, KeptKind, KeptRoom, NewGrant, NewLogout, RefreshWindow, Session, SessionEnd, Store, Tell, TenantKey,
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::fixture::*;

const ROOM: KeptRoom = KeptRoom { kind: KeptKind::Flow, most: 100_000 };
/// Rows of a kind in one go.
const BATCH: i64 = 500;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn tenant_key() -> TenantKey {
    TenantKey::new("ns-acme", "acme", "acme")
}

/// A row of every kind that ends, over at `end`.
async fn one_of_each(store: &dyn Store, end: i64) {
    let (tenant, client) = (tenant_key(), ClientKey::new("ns-acme", "shop.app", "shop.app"));
    let (id, end) = (Id::random(), at(end));
    let session = Session {
        id,
        tenant: tenant.clone(),
        handle: id,
        subject: "usr_ada".to_owned(),
        authenticated_at: at(0),
        amr: Vec::new(),
        acr: String::new(),
        created_at: at(0),
        last_seen_at: at(0),
        expires_at: end,
        idle_expires_at: end,
    };
    store.begin_session(&session, None).await.unwrap();
    let grant = NewGrant {
        id,
        tenant: tenant.clone(),
        client: client.clone(),
        subject: "usr_ada".to_owned(),
        session: id,
        offline: true,
        payload: Vec::new(),
        created_at: at(0),
        refresh: Some(RefreshWindow { expires_at: end, idle_expires_at: end }),
        expires_at: end,
    };
    store.redeem_code(&grant).await.unwrap();
    store.revoke_token(&tenant, &id.to_string(), end).await.unwrap();
    store.consume_login(&tenant, id, end).await.unwrap();
    store.consume_assertion(&tenant, &client, &id.to_string(), end).await.unwrap();
    store.keep(&tenant, id, b"x", end, ROOM).await.unwrap();
    store.login_tried(&tenant, &[id], at(0), end).await.unwrap();
    let ended = Session { id: Id::random(), ..session };
    store.begin_session(&ended, None).await.unwrap();
    let (subject, session) = ("usr_ada".to_owned(), ended.id);
    store.redeem_code(&NewGrant { id: Id::random(), session, ..grant }).await.unwrap();
    let tell: Tell =
        Arc::new(move |client| Some(NewLogout { id, client, subject: subject.clone(), session, expires_at: end }));
    store.end_session(SessionEnd { tenant: &tenant, session, now: at(0), tell }).await.unwrap();
    // Not to be delivered meanwhile.
    store.claim_logouts(at(0), at(1_000_000), 10).await.unwrap();
    let scopes = BTreeSet::from(["openid".to_owned()]);
    store.remember_consent(&tenant, "usr_ada", &client, &scopes, at(0)).await.unwrap();
}

/// Lets the provider work until `table` has `left` rows, and tells how many it had in between.
async fn work_until(fixture: &Fixture, database: &Database, table: &str, left: i64) -> BTreeSet<i64> {
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    let (mut seen, began) = (BTreeSet::new(), Instant::now());
    while !seen.contains(&left) {
        assert!(began.elapsed() < Duration::from_secs(20), "{seen:?}");
        seen.insert(database.counts()[table]);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The other kinds are deleted in the same round, after this one.
    tokio::time::sleep(Duration::from_millis(200)).await;
    shutdown.cancel();
    work.await.unwrap();
    seen
}

#[tokio::test]
async fn every_kind_of_row_goes_when_it_is_over_and_not_before() {
    let database = Database::new();
    let fixture = Fixture::remembering_in(database.store.clone(), &[tenant("acme")]);
    one_of_each(&*database.store, 100).await;
    one_of_each(&*database.store, 200).await;
    let before = database.counts();
    assert!(before.values().all(|count| *count >= 1), "{before:?}");
    let of = |kinds: &std::collections::BTreeMap<String, i64>, table: &str| kinds[table];

    // A clock that was set back deletes nothing, nor does one that stands a second before.
    fixture.advance(-10_000);
    assert_eq!(work_until(&fixture, &database, "kept", 2).await, [2].into());
    // What guards against a second use stays a minute longer: another pod's clock may be behind.
    fixture.advance(10_159);
    work_until(&fixture, &database, "kept", 2).await;
    assert_eq!(database.counts(), before);

    fixture.advance(1);
    work_until(&fixture, &database, "kept", 1).await;
    let after = database.counts();
    for (table, count) in &before {
        // Consent has no end.
        let left = if table == "consents" { *count } else { count / 2 };
        assert_eq!(of(&after, table), left, "{table}: {before:?} {after:?}");
    }
    fixture.advance(100);
    work_until(&fixture, &database, "kept", 0).await;
    let after = database.counts();
    assert!(after.iter().all(|(table, count)| (*count > 0) == (table == "consents")), "{after:?}");
}

#[tokio::test]
async fn many_rows_go_in_batches_soon_after_each_other() {
    let database = Database::new();
    let fixture = Fixture::remembering_in(database.store.clone(), &[tenant("acme")]);
    let many = 2 * BATCH + 200;
    for _ in 0..many {
        database.store.keep(&tenant_key(), Id::random(), b"x", at(100), ROOM).await.unwrap();
    }
    database.store.keep(&tenant_key(), Id::random(), b"x", at(101), ROOM).await.unwrap();
    fixture.advance(160);
    let seen = work_until(&fixture, &database, "kept", 1).await;
    let steps: BTreeSet<i64> = (0..=3).map(|round| (many - round * BATCH).max(0) + 1).collect();
    assert!(seen.is_subset(&steps), "never more at once: {seen:?}");
    assert!(seen.len() > 2, "one after another: {seen:?}");
}
