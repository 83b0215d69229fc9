use std::net::SocketAddr;
use std::time::Duration;

use claviger_crds::published::acknowledgement::{SERVER_NAME, TLS_SECRET};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::server::{Limits, serve};
use crate::tls::{ServerTls, mutual};

const SOON: Duration = Duration::from_secs(10);

/// A CA as the operator keeps one.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, in PEM.
pub(crate) struct Minted {
    certificate: String,
    key: String,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn mint(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Minted {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Minted { certificate, key: key.serialize_pem() }
    }

    pub(crate) fn operator(&self) -> Minted {
        self.mint(CLIENT_NAME, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The Secret `acknowledgement-tls` as the operator writes it.
    pub(crate) fn secret(&self) -> Secret {
        let server = self.mint(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth);
        let data = [("tls.crt", server.certificate), ("tls.key", server.key), ("ca.crt", self.pem.clone())];
        let mut secret = Secret::default();
        secret.metadata.name = Some(TLS_SECRET.to_owned());
        secret.data = Some(data.map(|(key, pem)| (key.to_owned(), ByteString(pem.into_bytes()))).into());
        secret
    }
}

/// Settings for a listener whose certificate does not matter.
pub(crate) fn server_config() -> ServerConfig {
    mutual(&Ca::new().secret(), ServerName::try_from(CLIENT_NAME).unwrap()).unwrap()
}

pub(crate) fn client_config(ca: &Ca, own: Option<&Minted>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some(own) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
            )
            .unwrap(),
    }
}

struct Port {
    address: SocketAddr,
    tls: ServerTls,
    shutdown: CancellationToken,
}

/// A port that tells two frames and then waits.
async fn port() -> Port {
    port_with(Limits::internal()).await
}

async fn port_with(limits: Limits) -> Port {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = ServerTls::new();
    let shutdown = CancellationToken::new();
    let frames = || {
        let told = [Frame::Dropped { names: vec!["client-1".to_owned()] }, Frame::Synced];
        futures::stream::iter(told).chain(futures::stream::pending())
    };
    let router = router(frames, shutdown.clone());
    tokio::spawn(serve(listener, router, limits, Some(tls.clone()), shutdown.clone()));
    Port { address, tls, shutdown }
}

pub(crate) type Body = hyper::body::Incoming;

/// Dials as the operator does.
pub(crate) async fn dial(
    address: SocketAddr,
    config: ClientConfig,
) -> Result<http::Response<Body>, Box<dyn std::error::Error>> {
    let dialing = async {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(SERVER_NAME)?;
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = http::Request::get(PATH).header("host", SERVER_NAME).body(Empty::<Bytes>::new())?;
        Ok(sender.send_request(request).await?)
    };
    tokio::time::timeout(SOON, dialing).await?
}

/// The lines that come within the time that a frame needs.
pub(crate) async fn lines(body: &mut Body, count: usize) -> Vec<Frame> {
    let mut text = String::new();
    while text.lines().count() < count {
        let frame = tokio::time::timeout(SOON, body.frame()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_operator_hears_one_frame_a_line_until_the_pod_shuts_down() {
    let (port, ca) = (port().await, Ca::new());
    certificate::take(Event::InitApply(ca.secret()), &port.tls);
    let answer = dial(port.address, client_config(&ca, Some(&ca.operator()))).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let mut body = answer.into_body();
    let told = vec![Frame::Dropped { names: vec!["client-1".to_owned()] }, Frame::Synced];
    assert_eq!(lines(&mut body, 2).await, told);
    port.shutdown.cancel();
    assert!(tokio::time::timeout(SOON, body.frame()).await.unwrap().is_none(), "the stream ends in order");
}

#[tokio::test]
async fn nobody_else_is_told_anything() {
    let (port, ca, other) = (port().await, Ca::new(), Ca::new());
    let operator = ca.operator();
    let dial = |own: Option<Minted>| dial(port.address, client_config(&ca, own.as_ref()));

    let before = dial(Some(ca.operator())).await;
    assert!(before.is_err(), "there is no certificate yet");
    certificate::take(Event::Apply(ca.secret()), &port.tls);
    assert!(dial(None).await.is_err(), "a client without a certificate");
    assert!(dial(Some(other.operator())).await.is_err(), "another CA");
    let provider = ca.mint(SERVER_NAME, ExtendedKeyUsagePurpose::ClientAuth);
    assert!(dial(Some(provider)).await.is_err(), "another name by the same CA");
    let server = ca.mint(CLIENT_NAME, ExtendedKeyUsagePurpose::ServerAuth);
    assert!(dial(Some(server)).await.is_err(), "not for client authentication");
    assert!(dial(Some(operator)).await.is_ok());
}

#[tokio::test]
async fn a_new_ca_is_used_at_once_and_the_open_stream_goes_on() {
    let (port, old, new) = (port().await, Ca::new(), Ca::new());
    certificate::take(Event::Apply(old.secret()), &port.tls);
    let mut body = dial(port.address, client_config(&old, Some(&old.operator()))).await.unwrap().into_body();
    certificate::take(Event::Apply(new.secret()), &port.tls);
    assert!(dial(port.address, client_config(&old, Some(&old.operator()))).await.is_err());
    assert!(dial(port.address, client_config(&new, Some(&new.operator()))).await.is_ok());
    assert_eq!(lines(&mut body, 2).await.len(), 2);
}

#[tokio::test]
async fn a_certificate_that_is_unusable_or_gone_leaves_the_last_good_one() {
    let (port, ca, other) = (port().await, Ca::new(), Ca::new());
    certificate::take(Event::Apply(ca.secret()), &port.tls);
    let without = |key: &str| {
        let mut secret = ca.secret();
        secret.data.as_mut().unwrap().remove(key);
        secret
    };
    let with = |key: &str, from: Secret| {
        let mut secret = ca.secret();
        secret.data.as_mut().unwrap().insert(key.to_owned(), from.data.unwrap()[key].clone());
        secret
    };
    let mut garbage = ca.secret();
    garbage.data.as_mut().unwrap().insert("ca.crt".to_owned(), ByteString(b"no PEM".to_vec()));
    let bad = [without("tls.crt"), without("tls.key"), without("ca.crt"), with("tls.key", other.secret()), garbage];
    for secret in bad {
        certificate::take(Event::Apply(secret), &port.tls);
    }
    certificate::take(Event::Delete(ca.secret()), &port.tls);
    assert!(dial(port.address, client_config(&ca, Some(&ca.operator()))).await.is_ok());
}

#[tokio::test]
async fn streams_are_bounded_and_a_slot_is_free_again_when_one_ends() {
    let (port, ca) = (port().await, Ca::new());
    certificate::take(Event::Apply(ca.secret()), &port.tls);
    let operator = ca.operator();
    let dial = || dial(port.address, client_config(&ca, Some(&operator)));
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let answer = dial().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        open.push(answer);
    }
    assert_eq!(dial().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    open.pop();
    let end = tokio::time::Instant::now() + SOON;
    while dial().await.unwrap().status() != StatusCode::OK {
        assert!(tokio::time::Instant::now() < end, "the slot was not freed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_knocks_and_says_nothing_costs_no_operator_his_stream_and_keeps_none_out() {
    let (port, ca) = (port().await, Ca::new());
    certificate::take(Event::Apply(ca.secret()), &port.tls);
    let operator = ca.operator();
    let mut told = dial(port.address, client_config(&ca, Some(&operator))).await.unwrap().into_body();
    assert_eq!(lines(&mut told, 2).await.len(), 2);
    let mut knocking = Vec::new();
    for _ in 0..200 {
        knocking.push(TcpStream::connect(port.address).await.unwrap());
    }
    let began = tokio::time::Instant::now();
    let next = dial(port.address, client_config(&ca, Some(&operator))).await.unwrap();
    assert_eq!(next.status(), StatusCode::OK);
    assert!(began.elapsed() < Duration::from_secs(2), "kept waiting");
    let more = tokio::time::timeout(Duration::from_millis(500), told.frame()).await;
    assert!(more.is_err(), "the stream has ended: {more:?}");
}

#[tokio::test]
async fn a_stream_that_is_silent_for_longer_than_the_idle_time_goes_on() {
    let short = Duration::from_millis(100);
    let limits = Limits { idle_timeout: short, request_timeout: short, write_timeout: short, ..Limits::internal() };
    let (port, ca) = (port_with(limits).await, Ca::new());
    certificate::take(Event::Apply(ca.secret()), &port.tls);
    let mut told = dial(port.address, client_config(&ca, Some(&ca.operator()))).await.unwrap().into_body();
    assert_eq!(lines(&mut told, 2).await.len(), 2);
    assert!(tokio::time::timeout(short * 6, told.frame()).await.is_err(), "the stream has ended");
}
