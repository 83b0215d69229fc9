//! PostgreSQL: the suite, and what a server has of its own: it goes away, it speaks TLS.

mod failover;
mod migrations;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use claviger_provider::store::{Id, Store, StoreError, StoreOptions, open};
use claviger_tests::postgres::{Pooler, Server};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::conformance::{PATIENCE, at, flows, tenant};
use crate::folder::Folder;

/// The one that the tests of this process share, each with a database of its own.
fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(|_| "").unwrap())
}

/// Options for a store in a new database of `server`.
async fn options(server: &Server) -> StoreOptions {
    StoreOptions::parse(&server.url(&server.database().await.unwrap())).unwrap()
}

async fn fresh() -> (Arc<dyn Store>, ()) {
    let mut options = options(shared()).await;
    options.acquire_timeout = PATIENCE;
    (open(&options).await.unwrap(), ())
}

conformance!(fresh);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_costs_only_the_calls_in_between() {
    let mut server = Server::start(|_| "").unwrap();
    let store = open(&options(&server).await).await.unwrap();
    store.keep(&tenant(), Id::from_bytes([1; 16]), b"x", at(9), flows(9)).await.unwrap();
    server.stop().unwrap();
    let began = Instant::now();
    assert_eq!(store.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await, Err(StoreError::Unavailable));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    server.resume().unwrap();
    assert!(answers_soon(&*store).await);
    assert!(store.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_at_the_start_is_used_once_it_is_there() {
    let mut server = Server::start(|_| "").unwrap();
    let options = options(&server).await;
    server.stop().unwrap();
    let store = open(&options).await.unwrap();
    assert_eq!(store.ping().await, Err(StoreError::Unavailable));
    server.resume().unwrap();
    assert!(answers_soon(&*store).await);
    store.keep(&tenant(), Id::from_bytes([1; 16]), b"x", at(9), flows(9)).await.unwrap();
}

async fn answers_soon(store: &dyn Store) -> bool {
    for _ in 0..20 {
        if store.ping().await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_waits_too_long_fails_and_the_next_one_works() {
    let database = shared().database().await.unwrap();
    let mut options = StoreOptions::parse(&shared().url(&database)).unwrap();
    options.statement_timeout = Duration::from_millis(300);
    let store = open(&options).await.unwrap();
    let lock = "BEGIN; LOCK TABLE kept; SELECT pg_sleep(2); COMMIT";
    let (locked, ()) = tokio::join!(shared().run(&database, lock), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        let answer = store.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await;
        assert_eq!(answer, Err(StoreError::Unavailable));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        store.ping().await.unwrap();
    });
    locked.unwrap();
    assert_eq!(store.kept(&tenant(), Id::from_bytes([1; 16]), at(0)).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_waits_for_any_more_costs_no_connection() {
    let database = shared().database().await.unwrap();
    let mut options = StoreOptions::parse(&shared().url(&database)).unwrap();
    (options.max_connections, options.statement_timeout) = (1, Duration::from_millis(500));
    let store = open(&options).await.unwrap();
    let lock = "BEGIN; LOCK TABLE kept; SELECT pg_sleep(2); COMMIT";
    let (locked, ()) = tokio::join!(shared().run(&database, lock), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let tenant = tenant();
        let call = store.kept(&tenant, Id::from_bytes([1; 16]), at(0));
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err(), "it waits");
        store.ping().await.unwrap();
    });
    locked.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_open_an_empty_database_at_once() {
    let options = options(shared()).await;
    let stores = futures::future::join_all((0..8).map(|_| open(&options))).await;
    for store in stores {
        store.unwrap().ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_nothing_is_kept_in_a_session() {
    let pooler = Pooler::start(shared()).unwrap();
    let fresh = async || {
        let mut options = StoreOptions::parse(&pooler.url(&shared().database().await.unwrap())).unwrap();
        options.acquire_timeout = PATIENCE;
        open(&options).await.unwrap()
    };
    crate::conformance::grants::a_code_is_redeemed_once(&*fresh().await).await;
    crate::conformance::sessions::a_session_ends_once_and_tells_its_clients_once(&*fresh().await).await;
    crate::conformance::races::of_many_refreshes_one_rotates(&*fresh().await).await;
    crate::conformance::races::many_failures_are_all_counted(&*fresh().await).await;
    // Two who migrate at once by way of it.
    let options = StoreOptions::parse(&pooler.url(&shared().database().await.unwrap())).unwrap();
    for store in futures::future::join_all((0..4).map(|_| open(&options))).await {
        store.unwrap().ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_verified_by_the_ca_that_is_named_and_by_no_other() {
    let folder = Folder::new();
    let (ca, other) = (folder.path().join("ca.crt"), folder.path().join("other.crt"));
    let server = Server::start(|data| {
        certificate(data, &ca);
        certificate(folder.path(), &other);
        "ssl = on\n"
    })
    .unwrap();
    let database = server.database().await.unwrap();
    let at_start = |host: &str, parameters: String| {
        let url = format!("postgres://claviger@{host}:{}/{database}?{parameters}", server.port());
        async move { open(&StoreOptions::parse(&url).unwrap()).await.unwrap().ping().await }
    };
    let verified = |ca: &Path| format!("sslmode=verify-full&sslrootcert={}", ca.display());
    assert_eq!(at_start("localhost", verified(&ca)).await, Ok(()));
    assert_eq!(at_start("localhost", verified(&other)).await, Err(StoreError::Unavailable));
    assert_eq!(at_start("localhost", "sslmode=verify-full".to_owned()).await, Err(StoreError::Unavailable));
    // The certificate is for another name.
    assert_eq!(at_start("127.0.0.1", verified(&ca)).await, Err(StoreError::Unavailable));
    let by_require = |host: &'static str| at_start(host, format!("sslmode=require&sslrootcert={}", ca.display()));
    assert_eq!(by_require("127.0.0.1").await, Err(StoreError::Unavailable));
    assert_eq!(by_require("localhost").await, Ok(()));
    assert_eq!(at_start("127.0.0.1", "sslmode=require".to_owned()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let folder = Folder::new();
    let (ca, shown, key) = (folder.path().join("ca.crt"), folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let server = Server::start(|data| {
        let authority = certificate(data, &ca);
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "claviger");
        let own = KeyPair::generate().unwrap();
        fs::write(&shown, params.signed_by(&own, &authority).unwrap().pem()).unwrap();
        fs::write(&key, own.serialize_pem()).unwrap();
        fs::copy(&ca, data.join("ca.crt")).unwrap();
        fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 cert\n").unwrap();
        "ssl = on\nssl_ca_file = 'ca.crt'\n"
    })
    .unwrap();
    let url = format!("postgres://claviger@localhost:{}/postgres?sslrootcert={}", server.port(), ca.display());
    let with = format!("{url}&sslmode=verify-full&sslcert={}&sslkey={}", shown.display(), key.display());
    let without = format!("{url}&sslmode=verify-full");
    for (url, answer) in [(with, Ok(())), (without, Err(StoreError::Unavailable))] {
        assert_eq!(open(&StoreOptions::parse(&url).unwrap()).await.unwrap().ping().await, answer, "{url}");
    }
}

/// A key and a certificate for `localhost` in `data`, and its CA's at `ca`.
fn certificate(data: &Path, ca: &Path) -> Issuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (authority, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    fs::write(ca, params.self_signed(&authority).unwrap().pem()).unwrap();
    let authority = Issuer::new(params, authority);
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    fs::write(data.join("server.crt"), leaf.pem()).unwrap();
    fs::write(data.join("server.key"), key.serialize_pem()).unwrap();
    fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    authority
}
