//! One connection: handshake, HTTP/1 or HTTP/2 as the client begins, and its end.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use futures::FutureExt as _;
use futures::future::Map;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::Service as _;

use super::Limits;
use super::guard::Guarded;
use crate::tls::ServerTls;

/// What every connection of a listener uses.
pub(super) struct Shared {
    protocol: auto::Builder<TokioExecutor>,
    routes: Routes,
    limits: Limits,
    tls: Option<ServerTls>,
}

impl Shared {
    pub(super) fn new(router: Router, limits: Limits, tls: Option<ServerTls>, leaving: Arc<AtomicBool>) -> Self {
        // With its state given, the router is made ready once here and not for every request.
        let routes = Routes { router: router.with_state(()), leaving };
        Self { protocol: protocol(&limits), routes, limits, tls }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Hyper's clock for a head runs between two requests too, so it is the idle clock; a head
        // that has begun is the guard's.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(usize::try_from(limits.max_head_bytes).unwrap_or(usize::MAX).max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(limits.max_head_bytes)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

/// Serves `stream` until either side ends it, or until the request under way when `stopped` turns
/// true is answered.
pub(super) async fn run(shared: Arc<Shared>, stream: TcpStream, stopped: watch::Receiver<bool>) {
    // Answers are written whole: waiting for more to send would only delay them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match &shared.tls {
        None => http(&shared, stream, stopped).await,
        Some(tls) => {
            if let Some(stream) = handshake(tls, stream, &shared.limits).await {
                http(&shared, stream, stopped).await;
            }
        }
    }
}

async fn handshake(tls: &ServerTls, stream: TcpStream, limits: &Limits) -> Option<TlsStream<TcpStream>> {
    let Some(config) = tls.current() else {
        tracing::debug!("closed a connection: there is no certificate yet");
        return None;
    };
    match tokio::time::timeout(limits.handshake_timeout, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("TLS handshake took too long");
            None
        }
    }
}

async fn http<IO>(shared: &Shared, io: IO, mut stopped: watch::Receiver<bool>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Limits { handshake_timeout, request_timeout, write_timeout, .. } = shared.limits;
    let io = TokioIo::new(Guarded::new(io, handshake_timeout, request_timeout, write_timeout));
    let mut connection = pin!(shared.protocol.serve_connection(io, shared.routes.clone()));
    let ended = tokio::select! {
        biased;
        outcome = connection.as_mut() => Some(outcome),
        () = until(&mut stopped) => None,
    };
    let outcome = match ended {
        Some(outcome) => outcome,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error, "connection ended");
    }
}

async fn until(stopped: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, which is a stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// The router as hyper calls it, without tower's readiness: a router is always ready.
#[derive(Clone)]
struct Routes {
    router: Router,
    leaving: Arc<AtomicBool>,
}

type Finish = fn(Result<Response, Infallible>) -> Result<Response, Infallible>;

impl Service<Request<Incoming>> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Map<RouteFuture<Infallible>, Finish>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // A client with a pool of connections would go on using them until they are closed under
        // its request. HTTP/2 has GOAWAY for this and forbids the header (RFC 9113 §8.2.2).
        let closing = request.version() <= Version::HTTP_11 && self.leaving.load(Ordering::Relaxed);
        let finish: Finish = if closing { close } else { |outcome| outcome };
        self.router.clone().call(request).map(finish)
    }
}

fn close(outcome: Result<Response, Infallible>) -> Result<Response, Infallible> {
    outcome.map(|mut response| {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    })
}
