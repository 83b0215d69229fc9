//! SQLite: the suite, and what a file has of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use claviger_provider::store::{Id, OpenError, Store, StoreOptions, open};

use crate::capture::Capture;
use crate::conformance::{PATIENCE, at, earlier, flows, sessions, tenant};
use crate::folder::Folder;

async fn fresh() -> (Arc<dyn Store>, Folder) {
    let folder = Folder::new();
    let mut options = options(&folder);
    options.acquire_timeout = PATIENCE;
    (open(&options).await.unwrap(), folder)
}

fn options(folder: &Folder) -> StoreOptions {
    StoreOptions::parse(&format!("sqlite://{}/claviger.db", folder.path().display())).unwrap()
}

conformance!(fresh);

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let (_store, folder) = fresh().await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() > 1, "a write-ahead log stands beside it");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_database_in_memory_works_and_begins_empty() {
    let memory = || async { open(&StoreOptions::parse("sqlite::memory:").unwrap()).await.unwrap() };
    let (one, other) = (memory().await, memory().await);
    one.keep(&tenant(), Id::from_bytes([1; 16]), b"x", at(9), flows(9)).await.unwrap();
    assert_eq!(one.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await.unwrap().as_deref(), Some(&b"x"[..]));
    assert_eq!(other.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await.unwrap(), None);
    sessions::a_session_ends_once_and_tells_its_clients_once(&*one).await;
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let (store, folder) = fresh().await;
    store.keep(&tenant(), Id::from_bytes([1; 16]), b"x", at(9), flows(9)).await.unwrap();
    drop(store);
    let store = open(&options(&folder)).await.unwrap();
    assert!(store.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_open_an_empty_file_at_once() {
    let folder = Folder::new();
    let options = options(&folder);
    let stores = futures::future::join_all((0..4).map(|_| open(&options))).await;
    for store in stores {
        store.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn an_earlier_schema_is_brought_forward() {
    for schema in earlier::SCHEMAS {
        let (store, folder) = fresh().await;
        earlier::written(&*store).await;
        drop(store);
        let file = folder.path().join("claviger.db");
        rusqlite::Connection::open(file).unwrap().execute_batch(schema).unwrap();
        earlier::goes_on(&*open(&options(&folder)).await.unwrap()).await;
    }
}

#[tokio::test]
async fn what_a_newer_release_has_added_to_is_served_with_a_warning() {
    let (store, folder) = fresh().await;
    earlier::written(&*store).await;
    drop(store);
    let file = folder.path().join("claviger.db");
    rusqlite::Connection::open(file).unwrap().execute_batch(earlier::NEWER_SCHEMA).unwrap();
    let capture = Capture::begin();
    earlier::goes_on(&*open(&options(&folder)).await.unwrap()).await;
    assert_eq!(capture.text().matches("\"newest\":99").count(), 1, "{}", capture.text());
}

#[tokio::test]
async fn what_a_newer_release_keeps_from_older_ones_is_refused_in_words() {
    let (store, folder) = fresh().await;
    drop(store);
    let file = folder.path().join("claviger.db");
    rusqlite::Connection::open(file).unwrap().execute_batch(earlier::CLOSED_SCHEMA).unwrap();
    let error = open(&options(&folder)).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer(98)), "{error}");
    assert!(error.to_string().contains("newer release"), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_at_once() {
    let folder = Folder::new();
    let nowhere = StoreOptions::parse(&format!("sqlite://{}/no/claviger.db", folder.path().display())).unwrap();
    assert!(matches!(open(&nowhere).await.unwrap_err(), OpenError::File(_)));
    std::fs::write(folder.path().join("claviger.db"), [b'x'; 4096]).unwrap();
    assert!(matches!(open(&options(&folder)).await.unwrap_err(), OpenError::Unusable(_)));
}
