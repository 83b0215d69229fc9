//! The state that a provider's parts share, and its public face.
//!
//! What feeds it (a watch in a cluster, a folder in `claviger dev`) calls [`Provider::apply_secret`],
//! [`Provider::secret_deleted`] and [`Provider::loaded`]; requests read what these have published and
//! never wait for them. An acknowledgement is made after the effect that it speaks of.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use claviger_crds::published::acknowledgement::Frame;
use claviger_crds::published::{ReadError, Stored};
use claviger_jose::ForeignKeys;
use futures::{FutureExt as _, Stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use prometheus_client::registry::Registry;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::expiry;
use crate::interaction::told::Told;
use crate::internal::Readiness;
use crate::logout::backchannel;
use crate::metrics::Metrics;
use crate::outbound::{Outbound, Source};
use crate::password::verify::Hashing;
use crate::secret_use::Uses;
use crate::secrets::WatchHealth;
use crate::served::{Pod, Served};
use crate::server::Answers;
use crate::store::Store;
use crate::tenant::directory::Directory;
use crate::tenant::index::{Deleted, Index, Outcome, Verdict};
use crate::web::client_address::TrustedProxies;
use crate::web::client_authentication::ClientKeys;
use crate::web::edge;
use crate::web::request_id::RequestIds;

/// What a provider must be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which pod this is.
    pub pod: Pod,
    /// What it remembers between requests, with others or alone.
    pub store: Arc<dyn Store>,
    /// How it calls other people's servers.
    pub outbound: Arc<Outbound>,
    /// The proxies between clients and this pod.
    pub trusted_proxies: TrustedProxies,
}

/// A provider: what it serves, to whom it tells so.
pub struct Provider {
    pod: Pod,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    served: Arc<Served>,
    /// What the documents say. Only those who feed it lock it.
    index: Mutex<Index>,
    directory: Directory,
    request_ids: RequestIds,
    store: Arc<dyn Store>,
    outbound: Arc<Outbound>,
    client_keys: ClientKeys,
    hashing: Arc<Hashing>,
    trusted_proxies: TrustedProxies,
    logouts_due: Notify,
    told: Told,
    loaded: AtomicBool,
    leaving: AtomicBool,
}

impl Provider {
    /// A provider that serves nothing yet.
    pub fn new(options: Options) -> Arc<Self> {
        Self::with_clock(options, Arc::new(SystemClock))
    }

    /// A provider whose time is told by `clock`.
    pub fn with_clock(options: Options, clock: Arc<dyn Clock>) -> Arc<Self> {
        let metrics = Metrics::new(options.store.metrics());
        Arc::new(Self {
            pod: options.pod,
            clock,
            index: Mutex::new(Index::new(metrics.keys())),
            metrics,
            served: Arc::new(Served::new()),
            directory: Directory::default(),
            request_ids: RequestIds::new(),
            store: options.store,
            client_keys: ClientKeys::new(Arc::clone(&options.outbound) as Arc<dyn Source>, parse_keys),
            outbound: options.outbound,
            hashing: Arc::new(Hashing::on_all_cores()),
            trusted_proxies: options.trusted_proxies,
            logouts_due: Notify::new(),
            told: Told::nothing(),
            loaded: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
        })
    }

    /// A published Secret was read. One that makes no sense, or is older than what is served, costs
    /// only itself: the last good one goes on being served.
    pub fn apply_secret(&self, secret: &Secret) {
        match Stored::from_secret(secret) {
            Ok(stored) => self.apply(stored),
            Err(error) => {
                let name = secret.metadata.name.as_deref().unwrap_or_default();
                self.refuse(name, category(&error), &error.to_string());
            }
        }
    }

    /// The published Secret `name` is gone. Unless it was withdrawn before, that is a loss, and what
    /// it said goes on being served.
    pub fn secret_deleted(&self, name: &str) {
        let mut index = self.index();
        match index.delete(name) {
            Deleted::Lost => {
                self.metrics.document_lost();
                tracing::warn!(document = name, "vanished without a withdrawal; it goes on being served");
            }
            Deleted::Forgotten => {
                self.served.drop_document(name);
                self.metrics.documents_served(index.len());
            }
        }
    }

    /// The first list is complete: requests are answered from now on.
    pub fn loaded(&self) {
        self.loaded.store(true, Ordering::Release);
        self.served.loaded();
    }

    /// The pod is about to end: it answers, but nobody is to keep what it says.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// Whether requests should be sent here.
    pub fn readiness(&self) -> Readiness {
        if self.leaving.load(Ordering::Acquire) {
            Readiness::Leaving
        } else if !self.loaded.load(Ordering::Acquire) {
            Readiness::Loading
        } else if self.store.is_held_up() {
            Readiness::HeldUp
        } else {
            Readiness::Ready
        }
    }

    /// What this provider serves: everything, then changes, with heartbeats between.
    pub fn acknowledgements(&self) -> impl Stream<Item = Frame> + Send + use<> {
        let clock = Arc::clone(&self.clock);
        Arc::clone(&self.served).subscribe(self.pod.clone(), move || clock.now())
    }

    /// The public endpoints.
    pub fn service(self: &Arc<Self>) -> impl Answers + use<> {
        let provider = Arc::clone(self);
        tower::service_fn(move |request| edge::respond(Arc::clone(&provider), request).map(Ok))
    }

    /// The same, for what is put around them.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback_service(self.service())
    }

    /// For `/metrics`.
    pub fn metrics(&self) -> Arc<Registry> {
        self.metrics.registry()
    }

    /// Where a watch of the API server tells of itself.
    pub fn watch_health(&self) -> WatchHealth {
        self.metrics.watch()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn counters(&self) -> &Metrics {
        &self.metrics
    }

    /// What this pod tells the operator.
    pub(crate) fn served(&self) -> &Served {
        &self.served
    }

    /// When clients' secrets were used.
    pub(crate) fn uses(&self) -> &Uses {
        self.served.uses()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Works beside the requests until `shutdown`: delivers logout tokens, and deletes what is over.
    pub async fn work(self: Arc<Self>, shutdown: CancellationToken) {
        let deliver = backchannel::deliver(Arc::clone(&self), shutdown.clone());
        tokio::join!(deliver, expiry::expire(self, shutdown));
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// For a task that outlives a request.
    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(crate) fn client_keys(&self) -> &ClientKeys {
        &self.client_keys
    }

    pub(crate) fn hashing(&self) -> &Arc<Hashing> {
        &self.hashing
    }

    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        self.trusted_proxies
    }

    /// Wakes what delivers logout tokens.
    pub(crate) fn logouts_due(&self) -> &Notify {
        &self.logouts_due
    }

    /// Which pages that end a way logs have told of lately.
    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.request_ids
    }

    /// Takes `stored` in, and then whatever waited for a name that it gave up.
    fn apply(&self, stored: Stored) {
        let mut index = self.index();
        let mut next = vec![stored];
        while let Some(stored) = next.pop() {
            let Outcome { verdict, revokes, touched, freed } = index.apply(&stored);
            for slug in touched {
                self.directory.publish(&slug, index.snapshot(&slug));
            }
            if revokes {
                self.served.revoke(&stored);
            }
            match verdict {
                Verdict::Serving => self.served.record(&stored),
                Verdict::Refused { category, reason } => self.refuse(&stored.name, category, &reason),
            }
            next.extend(freed);
        }
        self.metrics.documents_served(index.len());
    }

    fn refuse(&self, name: &str, category: &'static str, reason: &str) {
        tracing::warn!(document = name, reason, "not taken in; the last good one, if any, is served");
        self.metrics.document_refused(category);
        self.served.refuse(name, reason);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // The index changes only after everything that could fail has been done.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("pod", &self.pod).finish_non_exhaustive()
    }
}

fn parse_keys(bytes: &[u8]) -> Result<ForeignKeys, String> {
    ForeignKeys::parse(bytes).map_err(|error| error.to_string())
}

fn category(error: &ReadError) -> &'static str {
    match error {
        ReadError::Malformed(_) => "malformed",
        ReadError::Corrupted => "corrupted",
        ReadError::NewerVersion(_) => "newer_version",
        ReadError::Shape { .. } => "shape",
    }
}
