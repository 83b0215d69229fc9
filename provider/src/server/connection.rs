//! One connection: handshake, HTTP/1 or HTTP/2 as the client begins, and its end.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use futures::FutureExt as _;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::{Activity, Answer};
use super::guard::Guarded;
use super::{Answers, Limits, Peer};
use crate::tls::ServerTls;

/// What every connection of a listener uses.
pub(super) struct Shared<S> {
    protocol: auto::Builder<TokioExecutor>,
    service: S,
    leaving: Arc<AtomicBool>,
    limits: Limits,
    tls: Option<ServerTls>,
}

impl<S: Answers> Shared<S> {
    pub(super) fn new(service: S, limits: Limits, tls: Option<ServerTls>, leaving: Arc<AtomicBool>) -> Self {
        Self { protocol: protocol(&limits), service, leaving, limits, tls }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The service as hyper calls it.
    fn service(
        &self,
        activity: Arc<Activity>,
        peer: Peer,
    ) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send + 'static> + use<S>
    {
        let (service, leaving) = (self.service.clone(), Arc::clone(&self.leaving));
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            // A client with a pool of connections would go on using them until they are closed under
            // its request. HTTP/2 has GOAWAY for this and forbids the header (RFC 9113 §8.2.2).
            let closing = request.version() <= Version::HTTP_11 && leaving.load(Ordering::Relaxed);
            let underway = activity.begin();
            service.clone().call(request.map(Body::new)).map(move |answered| {
                answered.map(|mut response| {
                    if closing {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    response.map(|body| underway.with(body))
                })
            })
        })
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
    if limits.http2 { builder } else { builder.http1_only() }
}

/// Serves `stream` until either side ends it, or until the request under way when `stopped` turns
/// true is answered. What it is doing, `activity` tells.
pub(super) async fn run(
    shared: Arc<Shared<impl Answers>>,
    stream: TcpStream,
    activity: Arc<Activity>,
    stopped: watch::Receiver<bool>,
) {
    // Answers are written whole: waiting for more to send would only delay them.
    let (Ok(()), Ok(peer)) = (stream.set_nodelay(true), stream.peer_addr()) else { return };
    let peer = Peer(peer.ip());
    match &shared.tls {
        None => http(&shared, stream, peer, activity, stopped).await,
        Some(tls) => {
            if let Some(stream) = handshake(tls, stream, &shared.limits).await {
                http(&shared, stream, peer, activity, stopped).await;
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

async fn http<IO>(
    shared: &Shared<impl Answers>,
    io: IO,
    peer: Peer,
    activity: Arc<Activity>,
    mut stopped: watch::Receiver<bool>,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    activity.establish();
    let Limits { idle_timeout, write_timeout, .. } = shared.limits;
    let io = TokioIo::new(Guarded::new(io, &shared.limits, Arc::clone(&activity)));
    let service = shared.service(Arc::clone(&activity), peer);
    let mut connection = pin!(shared.protocol.serve_connection(io, service));
    let end = tokio::select! {
        biased;
        outcome = connection.as_mut() => End::Reached(outcome),
        () = until(&mut stopped) => End::Stopped,
        () = activity.idle(idle_timeout) => End::Idle,
    };
    let outcome = match end {
        End::Reached(outcome) => outcome,
        End::Stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        End::Idle => {
            connection.as_mut().graceful_shutdown();
            // What is left then is an answer that its client does not read.
            tokio::time::timeout(write_timeout, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error, "connection ended");
    }
}

/// Why a connection is no longer just served.
enum End<T> {
    /// It has ended.
    Reached(T),
    /// The server ends.
    Stopped,
    /// Nobody uses it.
    Idle,
}

async fn until(stopped: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, which is a stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
