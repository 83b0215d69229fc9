use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use claviger_crds::names::ObjectName;
use claviger_crds::published::acknowledgement::{Frame, TLS_SECRET};
use claviger_crds::published::{Content, Document, UserDocument};
use http::{Request, Response};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::acknowledge::tests::{Ca, client_config, dial, lines};
use crate::outbound::OutboundOptions;
use crate::store::StoreOptions;
use crate::web::client_address::TrustedProxies;

const SOON: Duration = Duration::from_secs(15);

/// An API server with two Secrets, that can be away.
#[derive(Clone)]
struct ApiServer {
    away: Arc<AtomicBool>,
    document: Secret,
    certificate: Secret,
}

impl ApiServer {
    fn client(&self) -> kube::Client {
        let server = self.clone();
        kube::Client::new(tower::service_fn(move |request| std::future::ready(server.answer(&request))), "default")
    }

    fn answer<B>(&self, request: &Request<B>) -> Result<Response<Body>, Infallible> {
        let query = request.uri().query().unwrap_or_default();
        let response = Response::builder();
        let answer = if self.away.load(Ordering::SeqCst) {
            response.status(503).body(Body::empty())
        } else if query.contains("watch=true") {
            response.body(Body::from_stream(futures::stream::pending::<Result<String, Infallible>>()))
        } else {
            let one = if query.contains("fieldSelector") { &self.certificate } else { &self.document };
            let list =
                json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "3"}, "items": [one]});
            response.body(list.to_string().into())
        };
        Ok(answer.unwrap())
    }
}

fn document() -> Document {
    let user = UserDocument {
        subject: "ada".to_owned(),
        username: "ada".to_owned(),
        claims: Default::default(),
        groups: Vec::new(),
        password_hash: None,
        password_source: None,
        disabled: false,
        sessions_not_before: None,
    };
    Document::serving("acme", ObjectName::new("identity", "ada"), Content::User(user))
}

fn named(mut secret: Secret, name: &str) -> Secret {
    secret.metadata.name = Some(name.to_owned());
    secret.metadata.resource_version = Some("2".to_owned());
    secret
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn settings() -> Settings {
    Settings {
        listen: free(),
        internal_listen: free(),
        acknowledgement_listen: free(),
        published_namespace: "published".to_owned(),
        pod_name: "provider-0".to_owned(),
        pod_uid: "uid-0".to_owned(),
        store: StoreOptions::parse("sqlite::memory:").unwrap(),
        outbound: OutboundOptions::default(),
        trusted_proxies: TrustedProxies::default(),
        limits: Limits { drain_delay: Duration::from_secs(2), ..Limits::default() },
    }
}

struct Running {
    settings: Settings,
    api: ApiServer,
    ca: Ca,
    shutdown: CancellationToken,
    provider: JoinHandle<Result<(), RunError>>,
}

impl Running {
    fn start(away: bool) -> Self {
        // As the program does before anything else.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (ca, settings, shutdown) = (Ca::new(), settings(), CancellationToken::new());
        let document = document();
        let api = ApiServer {
            away: Arc::new(AtomicBool::new(away)),
            document: named(document.to_secret("published", "uid-ada", 4), &document.secret_name()),
            certificate: named(ca.secret(), TLS_SECRET),
        };
        let provider = tokio::spawn(run(api.client(), settings.clone(), shutdown.clone()));
        Self { settings, api, ca, shutdown, provider }
    }

    /// The status that `path` of the internal port answers with.
    async fn internal(&self, path: &str) -> Option<u16> {
        status(self.settings.internal_listen, path).await
    }

    async fn until_ready_is(&self, status: u16) {
        let end = Instant::now() + SOON;
        while self.internal("/readyz").await != Some(status) {
            assert!(Instant::now() < end, "/readyz is {:?}", self.internal("/readyz").await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// None where nobody listens.
async fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let settings = Settings { acknowledgement_listen: address, ..settings() };
    let api =
        kube::Client::new(tower::service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>()), "");
    let error = run(api, settings, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address} for acknowledgements"));
}

#[tokio::test]
async fn a_pod_is_ready_once_it_has_loaded_everything_and_stays_so_without_the_api_server() {
    let pod = Running::start(true);
    pod.until_ready_is(503).await;
    assert_eq!(pod.internal("/healthz").await, Some(200));
    pod.api.away.store(false, Ordering::SeqCst);
    pod.until_ready_is(200).await;
    pod.api.away.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(pod.internal("/readyz").await, Some(200));
    assert_eq!(pod.internal("/metrics").await, Some(200));
    assert!(status(pod.settings.listen, "/").await.is_some(), "the public port answers");
}

#[tokio::test]
async fn no_stranger_keeps_a_kubelet_from_its_answer() {
    let pod = Running::start(false);
    pod.until_ready_is(200).await;
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(TcpStream::connect(pod.settings.internal_listen).await.unwrap());
    }
    // A probe waits for two seconds.
    let answer = tokio::time::timeout(Duration::from_secs(2), pod.internal("/healthz")).await;
    assert_eq!(answer, Ok(Some(200)));
}

#[tokio::test]
async fn the_operator_hears_what_is_served_and_goes_on_hearing_while_the_pod_leaves() {
    let pod = Running::start(false);
    pod.until_ready_is(200).await;
    let dialing = async {
        loop {
            // Until the certificate has come, connections are closed.
            let config = client_config(&pod.ca, Some(&pod.ca.operator()));
            match dial(pod.settings.acknowledgement_listen, config).await {
                Ok(answer) => return answer.into_body(),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let mut told = tokio::time::timeout(SOON, dialing).await.unwrap();
    let frames = lines(&mut told, 3).await;
    assert!(matches!(&frames[0], Frame::Hello { pod, uid, .. } if pod == "provider-0" && uid == "uid-0"), "{frames:?}");
    let Frame::Serving { documents } = &frames[1] else { panic!("{frames:?}") };
    assert_eq!((documents[0].name.clone(), documents[0].revision), (document().secret_name(), 4));
    assert_eq!(frames[2], Frame::Synced);

    pod.shutdown.cancel();
    pod.until_ready_is(503).await;
    assert!(status(pod.settings.listen, "/").await.is_some(), "it still answers while load balancers learn");
    assert!(matches!(lines(&mut told, 1).await[..], [Frame::Heartbeat { .. }, ..]));
    tokio::time::timeout(SOON, pod.provider).await.unwrap().unwrap().unwrap();
    for address in [pod.settings.listen, pod.settings.internal_listen, pod.settings.acknowledgement_listen] {
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_a_fault_ends_begins_anew() {
    let runs = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let task = move || {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(run >= 2, "as the test wants");
            std::future::pending::<()>().await;
        }
    };
    assert!(tokio::time::timeout(RESTART * 10, for_ever(task)).await.is_err());
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}
