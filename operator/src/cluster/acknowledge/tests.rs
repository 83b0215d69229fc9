//! Pods with real certificates on real sockets.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::published::acknowledgement::{PROTOCOL, TLS_SECRET};
use k8s_openapi::api::core::v1::Secret;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::SystemClock;
use crate::cluster::authority::Authority;
use crate::cluster::discover::Target;
use crate::testing::{ManualClock, OPERATOR, PUBLISHED, World};

const SOON: Duration = Duration::from_secs(10);

/// The certificates of an installation.
struct Certificates {
    configs: Configs,
    secret: Secret,
}

impl Certificates {
    async fn mint() -> Self {
        let world = World::new(ManualClock::new());
        let clock = Arc::new(SystemClock::new());
        let mut authority = Authority::new(Arc::new(world.clone()), clock, OPERATOR, PUBLISHED);
        authority.ensure().await.unwrap();
        let secret = world.secret(&ObjectName::new(PUBLISHED, TLS_SECRET)).unwrap();
        Self { configs: authority.client_config(), secret }
    }

    fn server(&self) -> ServerConfig {
        let pem = |key: &str| self.secret.data.as_ref().unwrap()[key].0.clone();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem("ca.crt")).unwrap()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(&pem("tls.crt")).unwrap()],
                PrivateKeyDer::from_pem_slice(&pem("tls.key")).unwrap(),
            )
            .unwrap()
    }
}

/// A pod that says on each stream what it is given for that stream, and then nothing. Each script
/// says whether the stream ends then.
async fn pod(server: ServerConfig, scripts: Vec<(Vec<Frame>, bool)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        let mut open = Vec::new();
        for (frames, ends) in scripts {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(mut tls) = acceptor.accept(tcp).await else { continue };
            let mut head = vec![0; 4096];
            let read = tls.read(&mut head).await.unwrap();
            assert!(head[..read].starts_with(b"GET /acknowledgements HTTP/1.1\r\n"));
            let mut said = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n".to_vec();
            for frame in frames {
                said.extend(serde_json::to_vec(&frame).unwrap());
                said.push(b'\n');
            }
            tls.write_all(&said).await.unwrap();
            tls.flush().await.unwrap();
            if ends {
                tls.shutdown().await.unwrap();
            } else {
                open.push(tls);
            }
        }
        std::future::pending::<()>().await;
    });
    address
}

fn hello() -> Frame {
    Frame::Hello {
        protocol: PROTOCOL,
        pod: "p".to_owned(),
        uid: "u".to_owned(),
        process: String::new(),
        now: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// What is seen when the pod `u` is at `address`.
fn sight(address: SocketAddr, serving: bool, exists: bool) -> Option<Sight> {
    let target = Target { name: "p".to_owned(), address: address.to_string(), serving };
    let pods = exists.then(|| "u".to_owned()).into_iter().collect();
    Some(Sight { targets: [("u".to_owned(), target)].into(), pods })
}

/// Everything that the dialer does, and what it tells.
struct Listening {
    sights: watch::Sender<Option<Sight>>,
    news: mpsc::UnboundedReceiver<News>,
    _task: JoinSet<()>,
}

impl Listening {
    fn begin(configs: &Configs, sight: Option<Sight>) -> Self {
        let (sights, seen) = watch::channel(sight);
        let (tell, news) = mpsc::unbounded_channel();
        let ear = Box::new(move |news| tell.send(news).unwrap());
        let mut task = JoinSet::new();
        task.spawn(run(seen, configs.clone(), ear));
        Self { sights, news, _task: task }
    }

    async fn next(&mut self) -> News {
        timeout(SOON, self.news.recv()).await.expect("nothing is heard").unwrap()
    }

    async fn heard(&mut self, news: &[News]) {
        for expected in news {
            assert_eq!(self.next().await, *expected);
        }
    }

    async fn nothing_for(&mut self, time: Duration) {
        if let Ok(news) = timeout(time, self.news.recv()).await {
            panic!("{news:?}");
        }
    }
}

fn found() -> News {
    News::Found { key: "u".to_owned(), name: "p".to_owned() }
}

fn said(frame: Frame) -> News {
    News::Said { key: "u".to_owned(), frame }
}

fn lost() -> News {
    News::Lost { key: "u".to_owned() }
}

fn gone() -> News {
    News::Gone { key: "u".to_owned() }
}

#[tokio::test]
async fn a_pod_is_found_dialed_and_heard_and_dialed_again_when_its_stream_ends() {
    let certificates = Certificates::mint().await;
    let scripts = vec![(vec![hello(), Frame::Synced], true), (vec![hello()], false)];
    let address = pod(certificates.server(), scripts).await;
    let mut listening = Listening::begin(&certificates.configs, None);
    listening.nothing_for(Duration::from_millis(100)).await;
    listening.sights.send_replace(sight(address, true, true));
    listening.heard(&[found(), News::Listed, said(hello()), said(Frame::Synced), lost(), said(hello())]).await;
}

#[tokio::test]
async fn a_pod_that_does_not_serve_is_not_waited_for() {
    let certificates = Certificates::mint().await;
    let address = pod(certificates.server(), vec![(vec![hello()], false)]).await;
    let mut listening = Listening::begin(&certificates.configs, sight(address, false, true));
    listening.heard(&[News::Listed]).await;
    listening.nothing_for(Duration::from_millis(200)).await;
    listening.sights.send_replace(sight(address, true, true));
    listening.heard(&[found(), said(hello())]).await;
}

#[tokio::test]
async fn a_pod_out_of_service_counts_while_it_speaks_and_its_pod_exists() {
    let certificates = Certificates::mint().await;
    let address = pod(certificates.server(), vec![(vec![hello()], false)]).await;
    let mut listening = Listening::begin(&certificates.configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed, said(hello())]).await;
    listening.sights.send_replace(sight(address, false, true));
    listening.nothing_for(Duration::from_millis(200)).await;
    listening.sights.send_replace(Some(Sight { pods: BTreeSet::from(["u".to_owned()]), ..Sight::default() }));
    listening.nothing_for(Duration::from_millis(200)).await;
    listening.sights.send_replace(Some(Sight::default()));
    listening.heard(&[gone()]).await;
}

#[tokio::test]
async fn a_pod_out_of_service_that_falls_silent_is_gone() {
    let certificates = Certificates::mint().await;
    let address = pod(certificates.server(), vec![(vec![hello()], false)]).await;
    let mut listening = Listening::begin(&certificates.configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed, said(hello())]).await;
    listening.sights.send_replace(sight(address, false, true));
    listening.nothing_for(Duration::from_millis(100)).await;
    // From here on time passes as soon as nothing else happens.
    tokio::time::pause();
    listening.heard(&[lost(), gone()]).await;
}

#[tokio::test]
async fn six_silent_seconds_end_a_stream() {
    let certificates = Certificates::mint().await;
    let scripts = vec![(vec![hello()], false), (vec![hello()], false)];
    let address = pod(certificates.server(), scripts).await;
    let mut listening = Listening::begin(&certificates.configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed, said(hello())]).await;
    let before = tokio::time::Instant::now();
    tokio::time::pause();
    listening.heard(&[lost()]).await;
    let silent = before.elapsed();
    assert!(silent >= Duration::from_millis(5_900) && silent < Duration::from_secs(7), "{silent:?}");
}

#[tokio::test]
async fn who_does_not_name_itself_first_is_not_heard() {
    let certificates = Certificates::mint().await;
    let scripts = vec![(vec![Frame::Synced, hello()], false), (vec![hello()], false)];
    let address = pod(certificates.server(), scripts).await;
    let mut listening = Listening::begin(&certificates.configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed, lost(), said(hello())]).await;
}

#[tokio::test]
async fn a_pod_of_another_installation_is_not_heard() {
    let (ours, theirs) = (Certificates::mint().await, Certificates::mint().await);
    let address = pod(theirs.server(), vec![(vec![hello()], false); 20]).await;
    let mut listening = Listening::begin(&ours.configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed]).await;
    listening.nothing_for(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn nobody_is_dialed_before_there_is_a_certificate() {
    let certificates = Certificates::mint().await;
    let address = pod(certificates.server(), vec![(vec![hello()], false)]).await;
    let (late, configs) = watch::channel(None);
    let mut listening = Listening::begin(&configs, sight(address, true, true));
    listening.heard(&[found(), News::Listed]).await;
    listening.nothing_for(Duration::from_millis(200)).await;
    late.send_replace(certificates.configs.borrow().clone());
    listening.heard(&[said(hello())]).await;
}
