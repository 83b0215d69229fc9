//! The operator's engine and the provider, in this process, and the tasks that connect them.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use claviger_operator::cluster::{Event, Kind};
use claviger_operator::engine::{Change, Engine};
use claviger_provider::outbound::Outbound;
use claviger_provider::served::Pod;
use claviger_provider::server::{self, Limits};
use claviger_provider::store::Store;
use claviger_provider::tls::ServerTls;
use claviger_provider::{Provider, TrustedProxies};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::DevClock;
use super::hosts::{Hosts, refuse_foreign};
use crate::embedded::{Embedded, Told};

/// What the engine knows this process' provider by.
const POD: &str = "dev";
/// How long the parts have to end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the parts must know.
pub(super) struct Options {
    /// Root of the issuers.
    pub(super) external_url: String,
    /// Which `Host` a request may bear.
    pub(super) hosts: Arc<Hosts>,
    /// What the provider remembers.
    pub(super) store: Arc<dyn Store>,
    /// How it calls clients' servers.
    pub(super) outbound: Arc<Outbound>,
    /// For HTTPS.
    pub(super) tls: Option<ServerTls>,
    /// Tells the time.
    pub(super) clock: DevClock,
}

/// What there is to tell a person.
pub(super) struct News {
    /// A status was written.
    pub(super) statuses: mpsc::Receiver<()>,
    /// What happened to keys and clients' secrets.
    pub(super) happened: mpsc::UnboundedReceiver<Event>,
}

/// The running parts.
pub(super) struct Parts {
    tasks: Vec<JoinHandle<()>>,
}

impl Parts {
    /// Starts them.
    pub(super) fn start(
        cluster: &Arc<Embedded>,
        told: mpsc::UnboundedReceiver<Told>,
        listener: TcpListener,
        options: Options,
        shutdown: &CancellationToken,
    ) -> (Self, News) {
        let engine = cluster.engine(options.external_url);
        let pod = Pod { name: POD.to_owned(), uid: POD.to_owned() };
        let provider = Provider::with_clock(
            claviger_provider::Options {
                pod,
                store: options.store,
                outbound: options.outbound,
                trusted_proxies: TrustedProxies::default(),
            },
            Arc::new(options.clock),
        );
        let router = provider.router().layer(from_fn_with_state(options.hosts, refuse_foreign));
        let (status, statuses) = mpsc::channel(1);
        let (tells, happened) = mpsc::unbounded_channel();
        engine.pod_found(POD, POD);
        engine.providers_listed();

        // A developer who ends this wants it to end; nothing balances load in front of it.
        let limits = Limits { drain_delay: Duration::ZERO, drain_timeout: Duration::from_secs(2), ..Limits::default() };
        let served = server::serve(listener, router, limits, options.tls, shutdown.clone());
        let tasks = vec![
            tokio::spawn(async move {
                served.await;
            }),
            tokio::spawn({
                let (carried, shutdown) =
                    (carry(told, engine.clone(), provider.clone(), status, tells), shutdown.clone());
                async move {
                    shutdown.run_until_cancelled(carried).await;
                }
            }),
            tokio::spawn(Arc::clone(&provider).work(shutdown.clone())),
            tokio::spawn(acknowledge(provider, engine.clone(), shutdown.clone())),
            tokio::spawn({
                let shutdown = shutdown.clone();
                async move { engine.run(shutdown).await }
            }),
        ];
        (Self { tasks }, News { statuses, happened })
    }

    /// Another, which ends with the shutdown too.
    pub(super) fn add(&mut self, part: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(part));
    }

    /// Waits for their end, which the shutdown has begun.
    pub(super) async fn end(self) {
        let all = futures::future::join_all(self.tasks);
        if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
            tracing::warn!("not everything ended in time");
        }
    }
}

/// Carries what the embedded cluster tells to the engine and the provider, in order. What was told
/// before this begins is the first list of a watch.
async fn carry(
    mut told: mpsc::UnboundedReceiver<Told>,
    engine: Arc<Engine>,
    provider: Arc<Provider>,
    status: mpsc::Sender<()>,
    tells: mpsc::UnboundedSender<Event>,
) {
    let mut listed = false;
    loop {
        if !listed && told.is_empty() {
            listed = true;
            provider.loaded();
            engine.change(Change::Synced);
        }
        let Some(next) = told.recv().await else { return };
        match next {
            Told::Change(change) => engine.change(change),
            Told::Published(secret) => provider.apply_secret(&secret),
            Told::Unpublished(name) => provider.secret_deleted(&name),
            Told::LookAgain => engine.resync(),
            // A full channel has told already.
            Told::Status => drop(status.try_send(())),
            Told::Event(event) => {
                tracing::info!(kind = %event.kind, name = %event.name, reason = event.reason, "{}", event.note);
                // Of everything else the standings tell.
                if matches!(event.kind, Kind::SigningKey | Kind::OAuthClient) {
                    let _ = tells.send(event);
                }
            }
        }
    }
}

/// Carries what the provider serves to the engine.
async fn acknowledge(provider: Arc<Provider>, engine: Arc<Engine>, shutdown: CancellationToken) {
    let frames = provider.acknowledgements().take_until(shutdown.cancelled_owned());
    let mut frames = std::pin::pin!(frames);
    while let Some(frame) = frames.next().await {
        engine.acknowledge_own(POD, frame);
    }
}
