//! What the provider counts. Every label comes from a closed set, and every counter is resolved
//! once, so that counting a request is an addition.

mod keys;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) use self::keys::{KeyMetrics, Returned, Unknown};
use crate::audit::LogoutDelivery;
use crate::router::Endpoint;
use crate::secrets::WatchHealth;
use crate::store::StoreMetrics;
use crate::web::error::ErrorCode;

/// Seconds: a look-up is microseconds, an RSA signature a quarter of a millisecond.
const BUCKETS: [f64; 9] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0];
/// 1xx to 5xx.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The provider's metrics and the registry that shows them.
#[derive(Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    watch: WatchHealth,
    requests: Vec<[Counter; CLASSES.len()]>,
    durations: Vec<Histogram>,
    errors: Vec<Counter>,
    tokens: Counter,
    panics: Counter,
    logouts: [Counter; LogoutDelivery::ALL.len()],
    keys: KeyMetrics,
    documents: Gauge,
    refused: Family<Reason, Counter>,
    lost: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    endpoint: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEndpoint {
    endpoint: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByError {
    error: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Metrics {
    /// All at zero; those of the store beside.
    pub fn new(store: &StoreMetrics) -> Self {
        let mut registry = Registry::with_prefix("claviger_provider");
        let (watch, tokens, panics) = (WatchHealth::default(), Counter::default(), Counter::default());
        let (documents, lost, refused) = (Gauge::default(), Counter::default(), Family::default());
        watch.register(&mut registry);
        store.register(&mut registry);
        let requests = requests(&mut registry);
        let durations = durations(&mut registry);
        let errors = errors(&mut registry);
        let logouts = logouts(&mut registry);
        registry.register("tokens_issued", "Access tokens that were issued", tokens.clone());
        let keys = KeyMetrics::default();
        keys.register(&mut registry);
        registry.register("panics", "Requests that met a fault of the provider's own", panics.clone());
        registry.register(
            "documents_served",
            "Published documents that are served, withdrawals included",
            documents.clone(),
        );
        registry.register(
            "documents_refused",
            "Published documents that were not taken in; the last good ones are served",
            Family::clone(&refused),
        );
        registry.register(
            "documents_lost",
            "Published documents that vanished without a withdrawal and are served all the same",
            lost.clone(),
        );
        Self {
            registry: Arc::new(registry),
            watch,
            requests,
            durations,
            errors,
            tokens,
            panics,
            logouts,
            keys,
            documents,
            refused,
            lost,
        }
    }

    /// For `/metrics`.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// What the watch tells of itself.
    pub fn watch(&self) -> WatchHealth {
        self.watch.clone()
    }

    /// What snapshots count of keys.
    pub(crate) fn keys(&self) -> KeyMetrics {
        self.keys.clone()
    }

    pub(crate) fn answered(&self, endpoint: Endpoint, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let counter = self.requests.get(endpoint as usize).and_then(|classes| classes.get(class));
        if let Some(counter) = counter {
            counter.inc();
        }
        if let Some(histogram) = self.durations.get(endpoint as usize) {
            histogram.observe(took.as_secs_f64());
        }
    }

    pub(crate) fn token_issued(&self) {
        self.tokens.inc();
    }

    pub(crate) fn token_refused(&self, error: ErrorCode) {
        if let Some(counter) = self.errors.get(error as usize) {
            counter.inc();
        }
    }

    pub(crate) fn logout_delivery(&self, outcome: LogoutDelivery) {
        if let Some(counter) = self.logouts.get(outcome as usize) {
            counter.inc();
        }
    }

    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    pub(crate) fn documents_served(&self, count: usize) {
        self.documents.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn document_refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn document_lost(&self) {
        self.lost.inc();
    }
}

fn requests(registry: &mut Registry) -> Vec<[Counter; CLASSES.len()]> {
    let family = Family::<Request, Counter>::default();
    registry.register("http_requests", "Requests that were answered", family.clone());
    let counters = |endpoint: &Endpoint| {
        CLASSES.map(|code| family.get_or_create_owned(&Request { endpoint: endpoint.as_str(), code }))
    };
    Endpoint::ALL.iter().map(counters).collect()
}

fn durations(registry: &mut Registry) -> Vec<Histogram> {
    let family = Family::<ByEndpoint, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
    let help = "Seconds from a request's head to its answer";
    registry.register("http_request_duration_seconds", help, family.clone());
    let histogram = |endpoint: &Endpoint| family.get_or_create_owned(&ByEndpoint { endpoint: endpoint.as_str() });
    Endpoint::ALL.iter().map(histogram).collect()
}

fn errors(registry: &mut Registry) -> Vec<Counter> {
    let family = Family::<ByError, Counter>::default();
    registry.register("token_errors", "Token requests that were refused", family.clone());
    let counter = |error: &ErrorCode| family.get_or_create_owned(&ByError { error: error.label() });
    ErrorCode::ALL.iter().map(counter).collect()
}

fn logouts(registry: &mut Registry) -> [Counter; LogoutDelivery::ALL.len()] {
    let family = Family::<ByOutcome, Counter>::default();
    registry.register("logout_deliveries", "Attempts to tell a client of a logout", family.clone());
    LogoutDelivery::ALL.map(|outcome| family.get_or_create_owned(&ByOutcome { outcome: outcome.as_str() }))
}
