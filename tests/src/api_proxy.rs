//! A proxy before the API server that counts writes and can be the end of the world between two.
//!
//! Plain HTTP on loopback in front, TLS behind. The caller's bearer token passes through, so that
//! the API server sees who asks; watches stream. Upgraded connections (exec, port-forward) do not
//! pass. Point an operator at it with [`crate::cluster::Cluster::kubeconfig_through`].

mod traffic;

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use self::traffic::{Category, Moment, Write};
use self::traffic::{Traffic, Verdict};
use crate::cluster::Cluster;

/// The running proxy. It ends with the test that started it.
#[derive(Debug)]
pub struct ApiProxy {
    url: String,
    traffic: Arc<Traffic>,
    _accepting: JoinSet<Infallible>,
}

impl ApiProxy {
    /// Starts one before that cluster's API server, on a port of its own.
    ///
    /// # Errors
    /// When the cluster's certificate authority cannot be read, or no port is free.
    pub async fn start(cluster: &Cluster) -> Result<Self> {
        let authority = reqwest::Certificate::from_pem(&cluster.certificate_authority()?)?;
        let upstream = Upstream {
            server: cluster.server().to_owned(),
            caller: reqwest::Client::builder()
                .tls_certs_only([authority])
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()?,
            traffic: Arc::new(Traffic::new()),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let traffic = Arc::clone(&upstream.traffic);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, upstream));
        Ok(Self { url, traffic, _accepting: accepting })
    }

    /// Where it listens: `http://127.0.0.1:…`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All writes since the start or [`ApiProxy::restore`], in order.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.traffic.writes()
    }

    /// The writes of one category among [`ApiProxy::writes`].
    #[must_use]
    pub fn writes_of(&self, category: Category) -> Vec<Write> {
        let mut writes = self.writes();
        writes.retain(|write| write.category == category);
        writes
    }

    /// Makes the `nth` write of an object from now on (the first is 1) the last thing that happens:
    /// its connection and all others are lost, and no new one is served.
    pub fn cut_at_write(&self, nth: usize, moment: Moment) {
        let mut seen = 0;
        self.cut_at(moment, move |write| {
            seen += usize::from(write.category == Category::Object);
            seen == nth && write.category == Category::Object
        });
    }

    /// The same for the first write that `fatal` names.
    pub fn cut_at(&self, moment: Moment, fatal: impl FnMut(&Write) -> bool + Send + 'static) {
        self.traffic.decide(moment, Box::new(fatal));
    }

    /// Cuts now: every connection is lost, and no new one is served.
    pub fn cut(&self) {
        self.traffic.set_cut(true);
    }

    /// Waits until the cut has come.
    ///
    /// # Errors
    /// When it has not come after `limit`: there were fewer writes.
    pub async fn wait_for_cut(&self, limit: Duration) -> Result<()> {
        let mut cut = self.traffic.watch_cut();
        tokio::time::timeout(limit, cut.wait_for(|cut| *cut))
            .await
            .with_context(|| format!("no cut within {limit:?}: {} writes", self.writes().len()))??;
        Ok(())
    }

    /// Serves again, and counts from nothing.
    pub fn restore(&self) {
        self.traffic.forget();
        self.traffic.set_cut(false);
    }
}

#[derive(Clone)]
struct Upstream {
    server: String,
    caller: reqwest::Client,
    traffic: Arc<Traffic>,
}

async fn accept(listener: TcpListener, upstream: Upstream) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, upstream.clone()));
            },
            Some(_) = connections.join_next() => (),
        }
    }
}

/// Serves one connection until it ends or the cut comes.
async fn serve(stream: TcpStream, upstream: Upstream) {
    let mut cut = upstream.traffic.watch_cut();
    let server = auto::Builder::new(TokioExecutor::new());
    let service = service_fn(move |request| {
        let upstream = upstream.clone();
        async move { upstream.forward(request).await }
    });
    tokio::select! {
        biased;
        _ = cut.wait_for(|cut| *cut) => (),
        _ = server.serve_connection(TokioIo::new(stream), service) => (),
    }
}

impl Upstream {
    /// An error here has the connection closed without an answer.
    async fn forward(&self, request: Request<Incoming>) -> Result<Response<reqwest::Body>> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let begun = match Write::of(&head.method, &head.uri) {
            None => None,
            Some(write) => Some(self.traffic.begin(write).context("cut")?),
        };
        if matches!(begun, Some((_, Verdict::CutBefore))) {
            anyhow::bail!("cut before the write");
        }
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        head.headers.remove(HOST);
        head.headers.remove(CONNECTION);
        head.headers.remove(TRANSFER_ENCODING);
        let sent =
            self.caller.request(head.method, format!("{}{target}", self.server)).headers(head.headers).body(body);
        let answer = sent.send().await?;
        if let Some((number, verdict)) = begun {
            self.traffic.answered(number, answer.status().as_u16());
            if verdict == Verdict::CutAfter {
                self.traffic.set_cut(true);
                anyhow::bail!("cut after the write");
            }
        }
        let mut response = Response::<reqwest::Body>::from(answer);
        // Those of the connection behind; hyper makes its own for the one in front.
        response.headers_mut().remove(CONNECTION);
        response.headers_mut().remove(TRANSFER_ENCODING);
        *response.version_mut() = http::Version::HTTP_11;
        Ok(response)
    }
}
