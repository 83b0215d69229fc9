//! Migrations, and what may be in their way.

use std::time::{Duration, Instant};

use claviger_provider::store::{Id, OpenError, StoreError, StoreOptions, open};

use super::{answers_soon, shared};
use crate::capture::Capture;
use crate::conformance::{at, earlier, tenant};

#[tokio::test]
async fn an_earlier_schema_is_brought_forward() {
    for schema in earlier::SCHEMAS {
        let database = shared().database().await.unwrap();
        let options = StoreOptions::parse(&shared().url(&database)).unwrap();
        earlier::written(&*open(&options).await.unwrap()).await;
        shared().run(&database, schema).await.unwrap();
        earlier::goes_on(&*open(&options).await.unwrap()).await;
    }
}

#[tokio::test]
async fn what_a_newer_release_has_added_to_is_served_with_a_warning() {
    let database = shared().database().await.unwrap();
    let options = StoreOptions::parse(&shared().url(&database)).unwrap();
    earlier::written(&*open(&options).await.unwrap()).await;
    shared().run(&database, earlier::NEWER_SCHEMA).await.unwrap();
    let capture = Capture::begin();
    earlier::goes_on(&*open(&options).await.unwrap()).await;
    assert_eq!(capture.text().matches("\"newest\":99").count(), 1, "{}", capture.text());
}

#[tokio::test]
async fn what_a_newer_release_keeps_from_older_ones_is_refused_in_words() {
    let database = shared().database().await.unwrap();
    let options = StoreOptions::parse(&shared().url(&database)).unwrap();
    drop(open(&options).await.unwrap());
    shared().run(&database, earlier::CLOSED_SCHEMA).await.unwrap();
    let error = open(&options).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer(98)), "{error}");
    assert!(error.to_string().contains("newer release"), "{error}");
}

/// As a database that somebody else owns is for a role, since PostgreSQL 15.
#[tokio::test]
async fn a_role_that_may_make_no_table_is_told_what_it_needs_and_served_once_it_has_it() {
    let database = shared().database().await.unwrap();
    let (role, schema) = (format!("guest_{database}"), "ON SCHEMA public");
    shared().run(&database, &format!("CREATE ROLE {role} LOGIN; REVOKE CREATE {schema} FROM PUBLIC")).await.unwrap();
    let url = shared().url(&database).replace("//claviger@", &format!("//{role}@"));
    let capture = Capture::begin();
    let store = open(&StoreOptions::parse(&url).unwrap()).await.unwrap();
    assert_eq!(store.ping().await, Err(StoreError::Unavailable));
    let text = capture.text();
    assert!(text.contains("42501: permission denied for schema public"), "{text}");
    assert!(text.contains("GRANT CREATE ON SCHEMA public"), "{text}");
    assert!(store.is_held_up());
    shared().run(&database, &format!("GRANT CREATE {schema} TO {role}")).await.unwrap();
    assert!(answers_soon(&*store).await);
    assert!(!store.is_held_up());
}

/// A backup reads every table, for as long as it takes.
#[tokio::test(flavor = "multi_thread")]
async fn while_a_migration_waits_for_a_table_the_previous_release_goes_on_using_it() {
    let database = shared().database().await.unwrap();
    let options = StoreOptions::parse(&shared().url(&database)).unwrap();
    let previous = open(&options).await.unwrap();
    earlier::written(&*previous).await;
    shared().run(&database, earlier::SCHEMAS[1]).await.unwrap();
    let backup = "BEGIN; LOCK TABLE login_failures IN ACCESS SHARE MODE; SELECT pg_sleep(9); COMMIT";
    let (backup, ()) = tokio::join!(shared().run(&database, backup), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        let reads = async {
            while began.elapsed() < Duration::from_secs(7) {
                let asked = Instant::now();
                let counted = previous.login_failures(&tenant(), &[Id::from_bytes([1; 16])], at(20)).await;
                assert_eq!(counted.unwrap()[0].count, 2);
                assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let migrates = async {
            let store = open(&options).await.unwrap();
            assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
            assert_eq!(store.ping().await, Err(StoreError::Unavailable));
            assert!(store.is_held_up());
            store
        };
        let ((), next) = tokio::join!(reads, migrates);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(answers_soon(&*next).await, "the backup is over");
        assert!(!next.is_held_up());
        earlier::goes_on(&*next).await;
    });
    backup.unwrap();
}
