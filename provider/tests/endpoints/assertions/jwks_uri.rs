//! The client's keys at its own address: fetched when they are needed, kept, and never too often.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server of keys, on loopback: what it says, and how often it was asked.
pub(crate) struct KeyServer {
    pub(crate) uri: String,
    says: Arc<Mutex<String>>,
    asked: Arc<Mutex<usize>>,
}

impl KeyServer {
    pub(crate) async fn new(says: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://127.0.0.1:{}/jwks.json", listener.local_addr().unwrap().port());
        let server = Self { uri, says: Arc::new(Mutex::new(says.to_string())), asked: Arc::default() };
        let (says, asked) = (Arc::clone(&server.says), Arc::clone(&server.asked));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"GET /jwks.json HTTP/1.1\r\n"));
                *asked.lock().unwrap() += 1;
                let body = says.lock().unwrap().clone();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                // Whoever has read enough hangs up.
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        server
    }

    pub(crate) fn says(&self, says: &Value) {
        *self.says.lock().unwrap() = says.to_string();
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

fn at(uri: &str) -> Fixture {
    let fixture = shop(|_| {});
    fixture.apply(&declared("acme", "machine.app", None, Some(uri.to_owned())), 1);
    fixture
}

async fn status(fixture: &Fixture, key: &ClientKey) -> u16 {
    let assertion = key.sign(&claims("acme", "machine.app"));
    asserted(fixture, "/oauth/token", &assertion, GRANT).await.status.as_u16()
}

/// Lets the time of outbound calls go on. None may be going on.
pub(crate) async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_key_set_is_fetched_once_and_used_at_every_endpoint() {
    let key = ClientKey::new();
    let server = KeyServer::new(&key.jwks()).await;
    let fixture = at(&server.uri);
    let fields = [&[("token", "x")], GRANT].concat();
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        let assertion = key.sign(&claims("acme", "machine.app"));
        assert_eq!(asserted(&fixture, path, &assertion, &fields).await.status, 200, "{path}");
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_once_a_minute() {
    let (old, new, nobodys) = (ClientKey::new(), ClientKey::new(), ClientKey::new());
    let server = KeyServer::new(&old.jwks()).await;
    let fixture = at(&server.uri);
    assert_eq!((status(&fixture, &old).await, server.asked()), (200, 1));
    // The client has rotated.
    server.says(&new.jwks());
    assert_eq!((status(&fixture, &new).await, server.asked()), (200, 2));
    assert_eq!((status(&fixture, &old).await, server.asked()), (401, 2), "not again so soon");
    for _ in 0..20 {
        assert_eq!(status(&fixture, &nobodys).await, 401);
    }
    assert_eq!(server.asked(), 2, "strangers make us ask nobody");
    later(61).await;
    for _ in 0..20 {
        assert_eq!(status(&fixture, &nobodys).await, 401);
    }
    assert_eq!((status(&fixture, &new).await, server.asked()), (200, 3));
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_when_the_set_is_old() {
    let (old, new) = (ClientKey::new(), ClientKey::new());
    let server = KeyServer::new(&old.jwks()).await;
    let fixture = at(&server.uri);
    assert_eq!(status(&fixture, &old).await, 200);
    server.says(&new.jwks());
    later(299).await;
    assert_eq!((status(&fixture, &old).await, server.asked()), (200, 1));
    later(2).await;
    assert_eq!((status(&fixture, &old).await, server.asked()), (401, 2));
}

/// The client may well be right, and comes again.
#[tokio::test]
async fn while_nobody_answers_the_client_is_not_told_that_it_is_wrong() {
    let key = ClientKey::new();
    // Nobody listens there.
    let fixture = at("http://127.0.0.1:1/jwks.json");
    let answer = asserted(&fixture, "/oauth/token", &key.sign(&claims("acme", "machine.app")), GRANT).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn an_answer_beyond_its_bounds_is_none_and_is_not_asked_for_again_at_once() {
    let key = ClientKey::new();
    let mut many = key.jwks();
    for _ in 0..100 {
        let another = many["keys"][0].clone();
        many["keys"].as_array_mut().unwrap().push(another);
    }
    let mut long = key.jwks();
    long["x"] = json!("x".repeat(64 * 1024));
    for (what, says) in [("long", long), ("many", many), ("no set", json!("x")), ("no keys", json!({"keys": []}))] {
        let server = KeyServer::new(&says).await;
        let fixture = at(&server.uri);
        for _ in 0..3 {
            assert_eq!(status(&fixture, &key).await, 401, "{what}");
        }
        assert!(server.asked() <= 2, "{what}: {}", server.asked());
    }
}

#[tokio::test]
async fn a_set_that_is_held_outlives_its_server_for_a_while() {
    let key = ClientKey::new();
    let server = KeyServer::new(&key.jwks()).await;
    let fixture = at(&server.uri);
    assert_eq!(status(&fixture, &key).await, 200);
    server.says(&json!("out of order"));
    later(301).await;
    assert_eq!((status(&fixture, &key).await, server.asked()), (200, 2));
    assert_eq!((status(&fixture, &key).await, server.asked()), (200, 2), "it is left alone");
    later(3_600).await;
    assert_eq!(status(&fixture, &key).await, 401, "but not for ever");
}

#[tokio::test]
async fn an_address_that_the_platform_does_not_allow_is_not_called() {
    let key = ClientKey::new();
    let server = KeyServer::new(&key.jwks()).await;
    let port = server.uri.rsplit(':').next().unwrap();
    for host in ["127.0.0.2", "[::1]", "10.0.0.1", "0.0.0.0"] {
        let fixture = at(&format!("http://{host}:{port}"));
        assert_eq!(status(&fixture, &key).await, 401, "{host}");
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(status(&at(&server.uri), &key).await, 200);
}
