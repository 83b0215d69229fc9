//! Serving one listener: the connections, their limits, and how they end.
//!
//! Owns what a stranger can do to a socket before a request reaches what answers it: how many
//! connections there are, how long a handshake, a head, a body or a read answer may take, how much
//! a head may hold. `run` and the embedded mode call [`serve`]; it knows nothing of tenants.

mod activity;
mod connection;
mod crowd;
mod guard;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::Service;

use self::activity::Activity;
use self::connection::Shared;
use self::crowd::Crowd;
use crate::tls::ServerTls;

/// What a listener's clients may take, and how it ends.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections, at least two.
    pub max_connections: usize,
    /// What becomes of the next one.
    pub when_full: WhenFull,
    /// Whether HTTP/2 is spoken beside HTTP/1.
    pub http2: bool,
    /// For the TLS handshake, and then for the first bytes of HTTP.
    pub handshake_timeout: Duration,
    /// HTTP/1: from the first byte of a request, its head or its body, to the first byte of the
    /// answer.
    pub request_timeout: Duration,
    /// HTTP/1: between two requests. HTTP/2: without a request and without any progress of an
    /// answer; then the connection is shut down in order, and cut after `write_timeout`. Longer than a
    /// reverse proxy keeps an idle connection (60 s is common), so that the proxy is the one that
    /// closes and never loses a request to a race.
    pub idle_timeout: Duration,
    /// For a client that does not read its answer.
    pub write_timeout: Duration,
    /// Bytes of a request's head. At least 8192.
    pub max_head_bytes: u32,
    /// HTTP/2: requests at once on one connection.
    pub max_streams: u32,
    /// HTTP/2: how often a client is asked whether it is still there.
    pub ping_interval: Duration,
    /// HTTP/2: how long it has to say so.
    pub ping_timeout: Duration,
    /// After the shutdown began: how long new connections are still taken, while load balancers
    /// learn that this server leaves. HTTP/1 answers say `Connection: close` from the start of it.
    pub drain_delay: Duration,
    /// And then: how long requests that are under way may take.
    pub drain_timeout: Duration,
}

/// What becomes of a newcomer when there are as many connections as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits in the listener's backlog until one ends: every client is as good as the next.
    Wait,
    /// It is served at once, and another ends for it: one without a handshake, else one without a
    /// request, else the oldest. One slot is kept free for this. For ports where an answer that
    /// comes late is taken for none, and which strangers can reach.
    MakeRoom,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            when_full: WhenFull::Wait,
            http2: true,
            handshake_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_head_bytes: 16 * 1024,
            max_streams: 128,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            drain_delay: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Limits of a port for the cluster's own parts: few connections, HTTP/1 alone, no delay. Any
    /// pod may knock there, and must not keep a kubelet's probe or the operator out.
    pub fn internal() -> Self {
        Self {
            max_connections: 64,
            when_full: WhenFull::MakeRoom,
            http2: false,
            handshake_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(5),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(1),
            ..Self::default()
        }
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that ended by themselves while the server drained.
    pub finished: usize,
    /// Connections that were cut because they were still busy when the time was over.
    pub cut: usize,
}

/// The other end of a request's connection, in the request's extensions. It may be a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What answers requests: a router, or [`Provider::service`](crate::Provider::service). Neither is ever unready, which
/// is not asked.
pub trait Answers:
    Service<Request, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves `service` on `listener` until `shutdown`, then drains. With `tls`, every connection has to begin with a
/// handshake, and is closed while there is no certificate.
pub async fn serve(
    listener: TcpListener,
    service: impl Answers,
    limits: Limits,
    tls: Option<ServerTls>,
    shutdown: CancellationToken,
) -> DrainReport {
    let leaving = Arc::new(AtomicBool::new(false));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let shared = Arc::new(Shared::new(service, limits.clone(), tls, Arc::clone(&leaving)));
    tokio::select! {
        biased;
        () = until_stop(&shutdown, &leaving, limits.drain_delay) => {}
        () = accept_all(&listener, &shared, &stopped, &mut connections) => {}
    }
    drop(listener);
    // Fails only where no connection is left to be told.
    let _ = stop.send(true);
    drain(connections, limits.drain_timeout).await
}

/// Returns when no more connections are to be taken.
async fn until_stop(shutdown: &CancellationToken, leaving: &AtomicBool, delay: Duration) {
    shutdown.cancelled().await;
    leaving.store(true, Ordering::Relaxed);
    tokio::time::sleep(delay).await;
}

/// Takes connections for ever, each in a task of its own.
async fn accept_all(
    listener: &TcpListener,
    shared: &Arc<Shared<impl Answers>>,
    stopped: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let Limits { max_connections, when_full, .. } = *shared.limits();
    let slots = Arc::new(Semaphore::new(max_connections));
    let mut crowd = Crowd::default();
    loop {
        // The slot before the connection: where clients wait, they wait in the backlog. It is never
        // closed, so there is no other end.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let stream = accept(listener).await;
        while let Some(ended) = connections.try_join_next() {
            note(ended);
        }
        if when_full == WhenFull::MakeRoom && slots.available_permits() == 0 {
            crowd.make_room();
        }
        let activity = Arc::new(Activity::default());
        let connection = connection::run(Arc::clone(shared), stream, Arc::clone(&activity), stopped.clone());
        let task = connections.spawn(async move {
            connection.await;
            drop(slot);
        });
        if when_full == WhenFull::MakeRoom {
            crowd.join(activity, task);
        }
    }
}

/// The next connection. An error of the listener itself is waited out: out of file descriptors, a
/// loop without a pause would take the processor from the connections that could free some.
async fn accept(listener: &TcpListener) -> TcpStream {
    let mut pause = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Whether only the connection failed that was to be accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Waits for the connections that are left, then cuts the rest.
async fn drain(mut connections: JoinSet<()>, limit: Duration) -> DrainReport {
    while let Some(ended) = connections.try_join_next() {
        note(ended);
    }
    let open = connections.len();
    let all = async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    };
    let in_time = tokio::time::timeout(limit, all).await.is_ok();
    let cut = if in_time { 0 } else { connections.len() };
    connections.shutdown().await;
    DrainReport { finished: open - cut, cut }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a request handler panicked; its connection is closed");
    }
}
