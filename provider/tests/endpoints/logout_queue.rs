//! Many logouts at once, and one receiver that does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_crds::published::{BackchannelLogoutDocument, Document};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

/// More than are delivered at once.
const MANY: usize = 20;

fn listening(id: &str, uri: String) -> Document {
    app("acme", id, |client| {
        client.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    })
}

/// Takes connections and says nothing. The most that there were at once.
async fn silent() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://127.0.0.1:{}/logout", listener.local_addr().unwrap().port());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let now = Arc::clone(&now);
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (uri, most)
}

/// Takes everything at once. Whether it has heard anything.
async fn quick() -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://127.0.0.1:{}/logout", listener.local_addr().unwrap().port());
    let heard = Arc::new(Mutex::new(0));
    let hearing = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !String::from_utf8_lossy(&request).contains("logout_token=") {
                let count = stream.read(&mut buffer).await.unwrap();
                request.extend(&buffer[..count]);
            }
            *hearing.lock().unwrap() += 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        }
    });
    (uri, heard)
}

/// Ada logs in at `client` and out again.
async fn in_and_out(fixture: &Fixture, client: &str) {
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[("client_id", client)])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    let tokens = fixture.token("acme", (client, SECRET), &form(&fields)).await.json();
    let hint = [("id_token_hint", tokens["id_token"].as_str().unwrap())];
    browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&hint))).await;
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_nobody_else() {
    let ((silent, most), (quick, heard)) = (silent().await, quick().await);
    let fixture = shop(|_| {});
    fixture.apply(&listening("silent.app", silent), 1);
    fixture.apply(&listening("quick.app", quick), 1);
    // Those who wait longest are the silent one's.
    for _ in 0..MANY {
        in_and_out(&fixture, "silent.app").await;
    }
    fixture.advance(1);
    in_and_out(&fixture, "quick.app").await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    // A call to one that does not answer lasts five seconds.
    let told = async {
        while *heard.lock().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(4), told).await;
    assert!(told.is_ok(), "the quick one waits for the silent one");
    let most = most.load(Ordering::SeqCst);
    assert!((1..=4).contains(&most), "{most} at once to one receiver");
    shutdown.cancel();
    work.await.unwrap();
}
