use std::io;
use std::net::IpAddr;
use std::sync::Mutex;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::outbound::Refusal;
use crate::outbound::connect::builder;
use crate::store::Id;

/// What a server on 127.0.0.1 was sent, call by call.
type Heard = Arc<Mutex<Vec<String>>>;

fn outbound(allow: &[&str]) -> Outbound {
    with_bundle(allow, None)
}

fn with_bundle(allow: &[&str], bundle: Option<&Bundle>) -> Outbound {
    looking(allow, bundle, LOOK)
}

/// The same, which looks at the bundle as often as `look` says.
fn looking(allow: &[&str], bundle: Option<&Bundle>, look: Duration) -> Outbound {
    let _ = aws_lc_rs::default_provider().install_default();
    let allow = allow.iter().map(|allow| allow.parse().unwrap()).collect();
    let ca_bundle = bundle.map(|bundle| CaFile::read(bundle.0.clone()).unwrap());
    Outbound::with(OutboundOptions { ca_bundle, allow }, lookup, look).unwrap()
}

/// A file that is gone when this is.
struct Bundle(PathBuf);

impl Bundle {
    fn of(pem: &[u8]) -> Self {
        let bundle = Self(std::env::temp_dir().join(format!("claviger-ca-{}.pem", Id::random())));
        bundle.becomes(pem);
        bundle
    }

    /// As a mounted ConfigMap changes: another file takes the name.
    fn becomes(&self, pem: &[u8]) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, pem).unwrap();
        std::fs::rename(next, &self.0).unwrap();
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The DNS of these tests.
fn lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    let addresses: &[&str] = match host {
        "loopback.example" | "idp.internal" => &["127.0.0.1"],
        "mixed.example" => &["10.255.255.1", "127.0.0.1"],
        "metadata.example" => &["169.254.169.254", "::1", "::ffff:127.0.0.1"],
        "empty.example" => &[],
        "slow.example" => {
            std::thread::sleep(Duration::from_secs(4));
            &["127.0.0.1"]
        }
        _ => return Err(io::Error::other("no such name")),
    };
    Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

/// Answers every connection with `answer`, and then keeps it open.
async fn serve(answer: impl Into<Vec<u8>>) -> (u16, Heard) {
    serve_tls(answer, None).await
}

async fn serve_tls(answer: impl Into<Vec<u8>>, tls: Option<TlsAcceptor>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, answer) = (Heard::default(), answer.into());
    tokio::spawn({
        let heard = Arc::clone(&heard);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, answer, tls) = (Arc::clone(&heard), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => exchange(tls.accept(stream).await?, &heard, &answer).await,
                        None => exchange(stream, &heard, &answer).await,
                    }
                });
            }
        }
    });
    (port, heard)
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, heard: &Heard, answer: &[u8]) -> io::Result<()> {
    let mut request = vec![0; 8192];
    let length = stream.read(&mut request).await?;
    heard.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
    stream.write_all(answer).await?;
    stream.flush().await?;
    std::future::pending().await
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nCache-Control: max-age=7\r\n\r\n{body}", body.len())
}

async fn refused(outbound: &Outbound, url: &str) -> OutboundError {
    outbound.fetch(url, 100).await.unwrap_err()
}

#[tokio::test]
async fn a_body_is_fetched_from_an_allowed_address_and_an_allowed_host() {
    let (port, heard) = serve(ok("{}")).await;
    let expected = Fetched { body: b"{}".to_vec(), max_age: Some(Duration::from_secs(7)) };
    let url = format!("http://127.0.0.1:{port}/jwks?a=b");
    assert_eq!(outbound(&["127.0.0.1"]).fetch(&url, 100).await.unwrap(), expected);
    let url = format!("http://idp.internal:{port}/jwks");
    assert_eq!(outbound(&["idp.internal"]).fetch(&url, 100).await.unwrap(), expected);
    let heard = heard.lock().unwrap().clone();
    assert!(heard[0].starts_with("GET /jwks?a=b HTTP/1.1\r\n"), "{heard:?}");
    assert!(heard[0].contains(concat!("user-agent: claviger/", env!("CARGO_PKG_VERSION"))), "{heard:?}");
}

#[tokio::test]
async fn private_addresses_are_refused_by_literal_and_by_name_and_nothing_is_sent() {
    let (port, heard) = serve(ok("{}")).await;
    let outbound = outbound(&["10.0.0.0/8", "other.example"]);
    for host in
        ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "loopback.example", "metadata.example", "idp.internal"]
    {
        let error = refused(&outbound, &format!("https://{host}:{port}/")).await;
        assert_eq!(error, OutboundError::Refused(Refusal::Address), "{host}");
    }
    // A network is allowed, so the name is looked up; it is not in it.
    let error = refused(&outbound, &format!("http://loopback.example:{port}/")).await;
    assert_eq!(error, OutboundError::Refused(Refusal::Address));
    assert_eq!(refused(&outbound, &format!("http://127.0.0.1:{port}/")).await, OutboundError::Refused(Refusal::Plain));
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn localhost_is_refused_as_the_system_resolves_it() {
    let _ = aws_lc_rs::default_provider().install_default();
    let outbound = Outbound::new(OutboundOptions::default()).unwrap();
    assert_eq!(refused(&outbound, "https://localhost:1/").await, OutboundError::Refused(Refusal::Address));
}

#[tokio::test]
async fn only_the_permitted_addresses_of_a_name_are_tried() {
    let (port, _) = serve(ok("{}")).await;
    // 10.255.255.1 comes first, and would take until the time-out.
    let begun = Instant::now();
    outbound(&["127.0.0.1"]).fetch(&format!("http://mixed.example:{port}/"), 100).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let outbound = outbound(&["127.0.0.1"]);
    let chunked = |body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
    };
    let (hundred, more) = ("a".repeat(100), "a".repeat(101));
    for (answer, fits) in [
        (ok(&hundred), true),
        (ok(&more), false),
        (chunked(&hundred), true),
        (chunked(&more), false),
        // Announced, and never sent.
        ("HTTP/1.1 200 OK\r\nContent-Length: 9007199254740993\r\n\r\n".to_owned(), false),
    ] {
        let (port, _) = serve(answer.clone()).await;
        let fetched = outbound.fetch(&format!("http://127.0.0.1:{port}/"), 100).await;
        match fits {
            true => assert_eq!(fetched.unwrap().body, hundred.as_bytes(), "{answer}"),
            false => assert_eq!(fetched, Err(OutboundError::TooLarge(100)), "{answer}"),
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (there, heard) = serve(ok("{}")).await;
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"] {
        // The server answers once a connection: the second call must not be made over the first's.
        let head = format!("HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{there}/\r\nConnection: close");
        let answer = format!("{head}\r\nContent-Length: 0\r\n\r\n");
        let (port, _) = serve(answer).await;
        let (outbound, url) = (outbound(&["127.0.0.1"]), format!("http://127.0.0.1:{port}/"));
        let code: StatusCode = status[..3].parse().unwrap();
        assert_eq!(outbound.fetch(&url, 100).await, Err(OutboundError::Redirect(code)));
        assert_eq!(outbound.post_form(&url, &[]).await, Err(OutboundError::Redirect(code)));
    }
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_is_slow_anywhere_is_given_up_after_five_seconds() {
    let answers = ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbe"];
    let begun = Instant::now();
    let calls = answers.map(async |answer| {
        let (port, _) = serve(answer).await;
        outbound(&["127.0.0.1"]).fetch(&format!("http://127.0.0.1:{port}/"), 100).await
    });
    for result in futures::future::join_all(calls).await {
        assert_eq!(result, Err(OutboundError::Timeout));
    }
    assert!((4..7).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_name_that_is_slow_is_given_up_after_three_seconds() {
    let begun = Instant::now();
    assert_eq!(refused(&outbound(&[]), "https://slow.example/").await, OutboundError::Timeout);
    assert!((2..4).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_waits_for_a_turn_is_busy_and_deliveries_have_turns_of_their_own() {
    let (port, _) = serve(ok("{}")).await;
    let outbound = outbound(&["127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/");
    let _all = outbound.fetches.acquire_many(64).await.unwrap();
    let (fetched, delivered) = tokio::join!(outbound.fetch(&url, 100), outbound.post_form(&url, &[]));
    assert_eq!(fetched, Err(OutboundError::Busy));
    assert_eq!(delivered, Ok(StatusCode::OK));
}

#[tokio::test]
async fn failures_are_told_by_blame_and_without_what_was_sent() {
    let outbound = outbound(&["127.0.0.1"]);
    for (answer, error) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", OutboundError::Status(StatusCode::NO_CONTENT)),
        ("HTTP/1.1 404 Secret\r\nContent-Length: 6\r\n\r\nsecret", OutboundError::Status(StatusCode::NOT_FOUND)),
        ("secret\r\n\r\n", OutboundError::Broken),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n", OutboundError::Broken),
    ] {
        let (port, _) = serve(answer).await;
        let failed = refused(&outbound, &format!("http://127.0.0.1:{port}/")).await;
        assert_eq!(failed, error, "{answer}");
        assert!(!failed.to_string().to_lowercase().contains("secret"), "{failed}");
    }
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(refused(&outbound, &format!("http://127.0.0.1:{port}/")).await, OutboundError::Connect);
    assert_eq!(refused(&outbound, "https://unknown.example/").await, OutboundError::Unresolved);
    assert_eq!(refused(&outbound, "https://empty.example/").await, OutboundError::Unresolved);
}

#[tokio::test]
async fn a_form_is_posted_and_its_answer_is_a_status() {
    let (port, heard) = serve("HTTP/1.1 400 Bad Request\r\nContent-Length: 99999999\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{port}/logout");
    let status = outbound(&["127.0.0.1"]).post_form(&url, &[("logout_token", "a.b&c")]).await;
    assert_eq!(status, Ok(StatusCode::BAD_REQUEST));
    let heard = heard.lock().unwrap().join("");
    assert!(heard.starts_with("POST /logout HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("content-type: application/x-www-form-urlencoded\r\n"), "{heard}");
    assert!(heard.ends_with("\r\n\r\nlogout_token=a.b%26c"), "{heard}");
}

/// A private CA: its PEM, and a server that has a certificate for `name` from it.
fn authority(name: &str) -> (Vec<u8>, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem().into_bytes();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_certificate_counts_if_its_ca_is_in_the_bundle_and_it_is_the_hosts() {
    let (pem, tls) = authority("idp.internal");
    let (port, heard) = serve_tls(ok("{}"), Some(tls)).await;
    let allow = &["127.0.0.0/8"];
    let trusting = with_bundle(allow, Some(&Bundle::of(&pem)));
    let url = format!("https://idp.internal:{port}/");
    assert_eq!(trusting.fetch(&url, 100).await.unwrap().body, b"{}");
    assert_eq!(heard.lock().unwrap().len(), 1);
    for (outbound, host) in [
        (&outbound(allow), "idp.internal"),
        (&with_bundle(allow, Some(&Bundle::of(&authority("idp.internal").0))), "idp.internal"),
        (&trusting, "loopback.example"),
        (&trusting, "127.0.0.1"),
    ] {
        let error = refused(outbound, &format!("https://{host}:{port}/")).await;
        assert!(matches!(&error, OutboundError::Tls(_)), "{host}: {error}");
    }
    assert_eq!(heard.lock().unwrap().len(), 1, "nothing was sent to whom is not trusted");
}

#[tokio::test]
async fn a_server_without_tls_is_told_as_that() {
    let (port, _) = serve(ok("{}")).await;
    let error = refused(&outbound(&["127.0.0.1"]), &format!("https://127.0.0.1:{port}/")).await;
    assert!(matches!(error, OutboundError::Tls(_)), "{error}");
}

#[tokio::test]
async fn a_bundle_that_is_none_is_refused_at_once() {
    let _ = aws_lc_rs::default_provider().install_default();
    let key = KeyPair::generate().unwrap().serialize_pem().into_bytes();
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    for pem in [Vec::new(), b"no PEM".to_vec(), key, broken] {
        assert!(matches!(CaFile::read(Bundle::of(&pem).0.clone()), Err(SetupError::Bundle { .. })));
    }
    assert!(matches!(CaFile::read("/nowhere/ca.pem".into()), Err(SetupError::Unreadable { .. })));
}

#[tokio::test]
async fn a_bundle_that_changes_is_gone_by_from_then_on_and_a_bad_one_changes_nothing() {
    let ((old, tls), (new, renewed)) = (authority("idp.internal"), authority("idp.internal"));
    // For one call a connection.
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let (port, renewed) = (serve_tls(answer, Some(tls)).await.0, serve_tls(answer, Some(renewed)).await.0);
    let bundle = Bundle::of(&old);
    let allow = &["127.0.0.0/8"];
    let (calls, idle) = (looking(allow, Some(&bundle), Duration::ZERO), looking(allow, Some(&bundle), LOOK));
    let trusts =
        async |calls: &Outbound, port: u16| match calls.fetch(&format!("https://idp.internal:{port}/"), 100).await {
            Ok(_) => true,
            Err(OutboundError::Tls(_)) => false,
            Err(error) => panic!("{error}"),
        };
    assert_eq!((trusts(&calls, port).await, trusts(&calls, renewed).await), (true, false));
    assert!(trusts(&idle, port).await);
    for bad in [&b"no PEM"[..], b""] {
        bundle.becomes(bad);
        assert_eq!((trusts(&calls, port).await, trusts(&calls, renewed).await), (true, false));
    }
    std::fs::remove_file(&bundle.0).unwrap();
    assert!(trusts(&calls, port).await);
    bundle.becomes(&[old, new.clone()].concat());
    assert_eq!((trusts(&calls, port).await, trusts(&calls, renewed).await), (true, true));
    bundle.becomes(&new);
    assert_eq!((trusts(&calls, port).await, trusts(&calls, renewed).await), (false, true));
    assert!(!trusts(&idle, renewed).await, "it is not looked at for every call");
}

#[tokio::test]
async fn without_any_ca_only_https_fails() {
    let _ = aws_lc_rs::default_provider().install_default();
    let client = builder().tls_certs_only([]).build().unwrap();
    let (_, tls) = authority("127.0.0.1");
    let (port, _) = serve_tls(ok("{}"), Some(tls)).await;
    let error = client.get(format!("https://127.0.0.1:{port}/")).send().await.unwrap_err();
    assert!(matches!(OutboundError::from(error), OutboundError::Tls(_)));
}
