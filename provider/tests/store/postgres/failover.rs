//! A failover: the primary takes no writes any more, and another takes over at its address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use claviger_provider::store::{Id, StoreError, StoreOptions, open};
use claviger_tests::postgres::Server;
use tokio::net::{TcpListener, TcpStream};

use super::answers_soon;
use crate::capture::Capture;
use crate::conformance::{at, flows, tenant};

/// An address that leads to one server and then to another. Connections stay where they are.
struct Address {
    port: u16,
    leads_to: Arc<AtomicU16>,
}

impl Address {
    async fn of(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, leads_to) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU16::new(server.port())));
        let target = Arc::clone(&leads_to);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = target.load(Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, leads_to }
    }

    fn moves_to(&self, server: &Server) {
        self.leads_to.store(server.port(), Ordering::Relaxed);
    }
}

fn options(port: u16) -> StoreOptions {
    StoreOptions::parse(&format!("postgres://claviger@127.0.0.1:{port}/postgres?sslmode=disable")).unwrap()
}

/// Takes no writes from now on, as a primary that became a standby.
async fn demote(server: &Server) {
    // Apart: the first can be in no transaction.
    server.run("postgres", "ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
    server.run("postgres", "SELECT pg_reload_conf()").await.unwrap();
    let known = "DO $$ BEGIN ASSERT current_setting('default_transaction_read_only') = 'on'; END $$";
    while server.run("postgres", known).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_takes_no_writes_any_more_is_left_with_all_connections_for_the_one_that_took_over() {
    let (old, new) = (Server::start(|_| "").unwrap(), Server::start(|_| "").unwrap());
    drop(open(&options(new.port())).await.unwrap());
    let address = Address::of(&old).await;
    let (store, tenant) = (open(&options(address.port)).await.unwrap(), tenant());
    let ids: Vec<Id> = (1..=4).map(|byte| Id::from_bytes([byte; 16])).collect();
    // Each with a connection of its own.
    let kept = futures::future::join_all(ids.iter().map(|id| store.keep(&tenant, *id, b"old", at(9), flows(9)))).await;
    assert_eq!(kept, [Ok(()); 4]);

    demote(&old).await;
    address.moves_to(&new);
    store.keep(&tenant, ids[0], b"new", at(9), flows(9)).await.unwrap();
    let found = futures::future::join_all(ids.iter().map(|id| store.kept(&tenant, *id, at(0)))).await;
    assert_eq!(found, [Ok(Some(b"new".to_vec())), Ok(None), Ok(None), Ok(None)], "nothing is read of the old one");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_not_read_and_its_successor_is_waited_for() {
    let (old, new) = (Server::start(|_| "").unwrap(), Server::start(|_| "").unwrap());
    for server in [&old, &new] {
        drop(open(&options(server.port())).await.unwrap());
    }
    demote(&old).await;
    let address = Address::of(&old).await;
    let capture = Capture::begin();
    let store = open(&options(address.port)).await.unwrap();
    assert_eq!(store.ping().await, Err(StoreError::Unavailable));
    assert!(capture.text().contains("the server takes no writes"), "{}", capture.text());
    address.moves_to(&new);
    assert!(answers_soon(&*store).await);
    // A call that opens a connection meanwhile.
    let other = open(&options(address.port)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(store);
    address.moves_to(&old);
    let (began, first) = (Instant::now(), other.ping());
    let (first, second, ()) = tokio::join!(first, other.ping(), async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        address.moves_to(&new);
    });
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert!(began.elapsed() >= Duration::from_millis(600), "one of them had to wait");
}
