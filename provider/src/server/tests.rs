use std::net::SocketAddr;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

/// Nothing times out within a test unless the test says so.
fn patient() -> Limits {
    Limits {
        handshake_timeout: LONG,
        request_timeout: LONG,
        idle_timeout: LONG,
        write_timeout: LONG,
        drain_delay: Duration::ZERO,
        drain_timeout: LONG,
        ..Limits::default()
    }
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<DrainReport>,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None).await
    }

    async fn start_with(limits: Limits, tls: Option<ServerTls>) -> Self {
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route(
                "/slow",
                get(|| async {
                    tokio::time::sleep(SHORT).await;
                    "slow"
                }),
            )
            .route("/stuck", get(std::future::pending::<&str>))
            .route(
                "/panic",
                get(|| async {
                    if std::hint::black_box(true) {
                        panic!("as the test wants")
                    }
                }),
            )
            .route(
                "/endless",
                get(|| async {
                    Body::from_stream(futures::stream::repeat_with(|| {
                        Ok::<_, io::Error>(Bytes::from_static(&[0; 65536]))
                    }))
                }),
            )
            .route(
                "/post",
                post(|body: Bytes| async move { body.len().to_string() }).layer(DefaultBodyLimit::max(1024)),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(listener, router, limits, tls, shutdown.clone()));
        Self { address, shutdown, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Ends the server, and says how that went.
    async fn stop(self) -> DrainReport {
        self.shutdown.cancel();
        tokio::time::timeout(LONG, self.server).await.unwrap().unwrap()
    }
}

/// Asks for `path`, and gives what comes back until `end` is in it or the connection ends.
async fn ask(stream: &mut TcpStream, path: &str, end: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await.unwrap();
    read_until(stream, end).await
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(end) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(n) => all.extend_from_slice(&buffer[..n]),
            }
        }
    };
    // Slow is for the caller to judge.
    let _ = tokio::time::timeout(LONG, reading).await;
    String::from_utf8(all).unwrap()
}

/// How long until the server ends the connection without an answer.
async fn until_closed(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    assert_eq!(read_until(stream, "no such text").await, "");
    begun.elapsed()
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut_off() {
    let server = Running::start(Limits { request_timeout: SHORT, ..patient() }).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let dribble = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nHost: test\r\nX-Long: ".iter().chain(std::iter::repeat(&b'x')) {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let begun = Instant::now();
    let _ = tokio::time::timeout(LONG, read.read(&mut [0; 16])).await.unwrap();
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    dribble.abort();
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let server = Running::start(Limits { request_timeout: SHORT, ..patient() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /post HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc").await.unwrap();
    let begun = Instant::now();
    let answer = read_until(&mut stream, "no such text").await;
    assert!(answer.contains("400 Bad Request"), "{answer}");
    assert!(begun.elapsed() < LONG / 2, "told, and then closed");
}

#[tokio::test]
async fn a_client_that_says_nothing_or_stops_inside_the_http2_preface_is_cut_off() {
    let server = Running::start(Limits { handshake_timeout: SHORT, ..patient() }).await;
    for beginning in ["", "PRI * HT"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        assert!(until_closed(&mut stream).await < LONG / 2, "{beginning:?}");
    }
}

#[tokio::test]
async fn a_client_that_begins_no_tls_handshake_is_cut_off_and_so_is_one_without_a_certificate_to_meet() {
    let tls = ServerTls::new();
    let server = Running::start_with(Limits { handshake_timeout: SHORT, ..patient() }, Some(tls.clone())).await;
    assert!(until_closed(&mut server.connect().await).await < SHORT, "there is no certificate: closed at once");

    tls.set(crate::acknowledge::tests::server_config());
    let waited = until_closed(&mut server.connect().await).await;
    assert!(waited >= SHORT && waited < LONG / 2, "{waited:?}");
}

#[tokio::test]
async fn an_idle_connection_outlives_a_request_but_not_the_idle_time() {
    let server = Running::start(Limits { request_timeout: SHORT, idle_timeout: SHORT * 4, ..patient() }).await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream, "/", "hello").await.contains("200 OK"));
    tokio::time::sleep(SHORT * 2).await;
    assert!(ask(&mut stream, "/", "hello").await.contains("200 OK"));
    let waited = until_closed(&mut stream).await;
    assert!(waited >= SHORT * 3 && waited < LONG / 2, "{waited:?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let server = Running::start(Limits { write_timeout: SHORT, max_connections: 1, ..patient() }).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    // The only slot is free again once the deaf client is gone.
    let answer = ask(&mut server.connect().await, "/", "hello").await;
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn over_the_limit_a_connection_waits_until_another_ends() {
    let server = Running::start(Limits { max_connections: 2, ..patient() }).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    for stream in [&mut first, &mut second] {
        assert!(ask(stream, "/", "hello").await.contains("200 OK"));
    }
    let mut third = server.connect().await;
    third.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    assert!(tokio::time::timeout(SHORT, third.readable()).await.is_err(), "served over the limit");
    drop(first);
    assert!(read_until(&mut third, "hello").await.contains("200 OK"));
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let server = Running::start(patient()).await;
    let mut stream = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: test\r\nX-Large: {}\r\n\r\n", "x".repeat(20_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "\r\n").await.contains("431"));
}

#[tokio::test]
async fn a_panic_costs_its_own_connection_alone() {
    let server = Running::start(Limits { max_connections: 2, ..patient() }).await;
    let mut neighbour = server.connect().await;
    assert!(ask(&mut neighbour, "/", "hello").await.contains("200 OK"));
    for _ in 0..3 {
        assert_eq!(ask(&mut server.connect().await, "/panic", "\r\n").await, "");
    }
    assert!(ask(&mut neighbour, "/", "hello").await.contains("200 OK"));
    assert!(ask(&mut server.connect().await, "/", "hello").await.contains("200 OK"));
}

#[tokio::test]
async fn a_request_under_way_is_answered_while_the_server_drains() {
    let server = Running::start(patient()).await;
    let mut idle = server.connect().await;
    assert!(ask(&mut idle, "/", "hello").await.contains("200 OK"));
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    tokio::time::sleep(SHORT / 3).await;
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    let answer = read_until(&mut busy, "\r\n\r\nslow").await;
    assert!(answer.contains("200 OK") && answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(stopping.await.unwrap(), DrainReport { finished: 2, cut: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_when_the_time_to_drain_is_over() {
    let server = Running::start(Limits { drain_timeout: SHORT, ..patient() }).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /stuck HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    tokio::time::sleep(SHORT / 3).await;
    assert_eq!(server.stop().await, DrainReport { finished: 0, cut: 1 });
    assert_eq!(read_until(&mut stuck, "\r\n").await, "");
}

#[tokio::test]
async fn a_leaving_server_still_takes_connections_and_asks_for_no_more_requests_on_them() {
    let server = Running::start(Limits { drain_delay: LONG, ..patient() }).await;
    let mut before = server.connect().await;
    assert!(!ask(&mut before, "/", "hello").await.to_lowercase().contains("connection: close"));
    server.shutdown.cancel();
    tokio::time::sleep(SHORT / 3).await;
    for stream in [&mut before, &mut server.connect().await] {
        let answer = ask(stream, "/", "hello").await.to_lowercase();
        assert!(answer.contains("200 ok") && answer.contains("connection: close"), "{answer}");
    }
    server.server.abort();
}

/// An HTTP/2 client of `server`, and its connection's end.
async fn http2(server: &Running) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let io = TokioIo::new(server.connect().await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    (sender, tokio::spawn(connection))
}

fn request(path: &str) -> http::Request<Empty<Bytes>> {
    http::Request::get(format!("http://test{path}")).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn http2_is_served_without_tls_and_drains() {
    let server = Running::start(patient()).await;
    let (mut sender, _) = http2(&server).await;
    let hello = sender.send_request(request("/")).await.unwrap();
    assert_eq!(hello.version(), http::Version::HTTP_2);
    assert_eq!(hello.into_body().collect().await.unwrap().to_bytes(), "hello");
    // A panic resets its own stream; the connection goes on.
    assert!(sender.send_request(request("/panic")).await.is_err());
    let slow = sender.send_request(request("/slow"));
    let (report, slow) = tokio::join!(
        async {
            tokio::time::sleep(SHORT / 3).await;
            server.stop().await
        },
        slow
    );
    assert_eq!(slow.unwrap().into_body().collect().await.unwrap().to_bytes(), "slow");
    assert_eq!(report, DrainReport { finished: 1, cut: 0 });
}

#[tokio::test]
async fn an_http2_client_that_only_answers_pings_is_let_go_and_told_so() {
    let limits = Limits { idle_timeout: SHORT * 2, ping_interval: SHORT / 6, max_connections: 2, ..patient() };
    let server = Running::start(limits).await;
    let (mut used, end) = http2(&server).await;
    let (_silent, silent_end) = http2(&server).await;
    let begun = Instant::now();
    for _ in 0..8 {
        assert_eq!(used.send_request(request("/slow")).await.unwrap().status(), 200, "not while it is used");
    }
    assert!(begun.elapsed() >= SHORT * 6);
    assert!(silent_end.is_finished(), "this one never asked for anything");
    for end in [end, silent_end] {
        let ended = tokio::time::timeout(LONG / 2, end).await.expect("a slot is held without end");
        ended.unwrap().expect("GOAWAY, so that no request is lost");
    }
}

#[tokio::test]
async fn an_http2_request_that_takes_longer_than_the_idle_time_is_answered() {
    let server = Running::start(Limits { idle_timeout: SHORT / 4, ..patient() }).await;
    let (mut sender, _) = http2(&server).await;
    let slow = sender.send_request(request("/slow")).await.unwrap();
    assert_eq!(slow.into_body().collect().await.unwrap().to_bytes(), "slow");
}

#[tokio::test]
async fn an_http2_client_that_does_not_read_its_answer_is_cut_off() {
    let limits = Limits { idle_timeout: SHORT, write_timeout: SHORT, ..patient() };
    let server = Running::start(limits).await;
    let (mut deaf, end) = http2(&server).await;
    let unread = deaf.send_request(request("/endless")).await.unwrap();
    assert!(tokio::time::timeout(LONG / 2, end).await.is_ok(), "a slot is held without end");
    assert!(unread.into_body().collect().await.is_err(), "cut off");
}

#[tokio::test]
async fn where_only_http1_is_spoken_http2_is_refused() {
    let server = Running::start(Limits { http2: false, ..patient() }).await;
    let (mut sender, _) = http2(&server).await;
    assert!(sender.send_request(request("/")).await.is_err());
    assert!(ask(&mut server.connect().await, "/", "hello").await.contains("200 OK"));
}

/// Nobody's time is over here: who is closed has made room.
fn nobody_waits() -> Limits {
    Limits { max_connections: 4, when_full: WhenFull::MakeRoom, http2: false, ..patient() }
}

#[tokio::test]
async fn a_probe_is_answered_while_others_hold_every_connection() {
    let server = Running::start(nobody_waits()).await;
    let mut held = Vec::new();
    for beginning in
        ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n"]
    {
        for _ in 0..6 {
            let mut stream = server.connect().await;
            stream.write_all(beginning.as_bytes()).await.unwrap();
            held.push(stream);
        }
        let mut probe = server.connect().await;
        let answer = tokio::time::timeout(LONG / 2, ask(&mut probe, "/", "hello")).await;
        assert!(answer.is_ok_and(|answer| answer.contains("200 OK")), "all connections are held by {beginning:?}");
    }
}

#[tokio::test]
async fn an_answer_under_way_outlives_those_who_ask_for_nothing() {
    let server = Running::start(nobody_waits()).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    tokio::time::sleep(SHORT / 10).await;
    let mut knocking = Vec::new();
    for _ in 0..20 {
        knocking.push(server.connect().await);
    }
    assert!(read_until(&mut busy, "\r\n\r\nslow").await.contains("200 OK"));
}
