//! The operator's metrics. Every label comes from a closed set.

mod client_secrets;
mod rings;
mod service_account_keys;

use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::published::DocumentKind;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use self::client_secrets::ClientSecrets;
pub(crate) use self::client_secrets::{Rotation, SecretStanding};
pub(crate) use self::rings::RingTimes;
use self::rings::Rings;
use self::service_account_keys::ServiceAccountKeys;
use crate::work::Kind;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    verb: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// What the engine counts. Cheap to clone; every clone counts into the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    leader: Gauge,
    reconciles: Family<ReconcileLabels, Counter>,
    duration: Family<KindLabels, Histogram, fn() -> Histogram>,
    queue: Gauge,
    writes: Family<WriteLabels, Counter>,
    calls_delayed: Counter,
    repaired: Family<KindLabels, Counter>,
    sweep_held: Family<KindLabels, Gauge>,
    rings_rolled_back: Counter,
    rings: Rings,
    client_secrets: ClientSecrets,
    service_account_keys: ServiceAccountKeys,
    pods: Gauge,
    programmed: Family<KindLabels, Histogram, fn() -> Histogram>,
}

/// What is written, for the count of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// A published document.
    Document,
    /// A ring.
    Ring,
    /// A tenant's sealing keys.
    Sealing,
    /// A credentials Secret.
    Credentials,
    /// A default ring's SigningKey.
    SigningKey,
    /// A status.
    Status,
    /// An Event.
    Event,
}

impl Written {
    fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Ring => "ring",
            Self::Sealing => "sealing",
            Self::Credentials => "credentials",
            Self::SigningKey => "signing_key",
            Self::Status => "status",
            Self::Event => "event",
        }
    }
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A create.
    Create,
    /// A replace.
    Replace,
    /// A delete.
    Delete,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }
}

impl Metrics {
    /// Metrics that are shown by `registry`.
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("claviger_operator");
        let metrics = Self::unregistered();
        registry.register("leader", "Whether this process leads: 1 or 0", metrics.leader.clone());
        registry.register("reconciles", "Reconciles by kind and outcome", metrics.reconciles.clone());
        registry.register("reconcile_duration_seconds", "Duration of a reconcile", metrics.duration.clone());
        registry.register("queue_length", "Objects that wait to be reconciled at once", metrics.queue.clone());
        registry.register("writes", "Writes to the API by verb and what was written", metrics.writes.clone());
        registry.register(
            "api_calls_delayed",
            "Calls to the API that waited, because the operator's rate was used up",
            metrics.calls_delayed.clone(),
        );
        registry.register(
            "documents_repaired",
            "Published documents that were changed, corrupted or deleted by others and written again",
            metrics.repaired.clone(),
        );
        registry.register("sweep_held", "Documents whose withdrawal in bulk is held back", metrics.sweep_held.clone());
        registry.register(
            "rings_rolled_back",
            "Times a ring was found older than what a provider serves",
            metrics.rings_rolled_back.clone(),
        );
        metrics.rings.register(registry);
        metrics.client_secrets.register(registry);
        metrics.service_account_keys.register(registry);
        registry.register("provider_pods_connected", "Provider pods that acknowledge", metrics.pods.clone());
        registry.register(
            "programmed_latency_seconds",
            "From the write of a document to its acknowledgement by every pod",
            metrics.programmed.clone(),
        );
        metrics
    }

    /// Metrics that nobody shows.
    pub fn unregistered() -> Self {
        Self {
            leader: Gauge::default(),
            reconciles: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14))),
            queue: Gauge::default(),
            writes: Family::default(),
            calls_delayed: Counter::default(),
            repaired: Family::default(),
            sweep_held: Family::default(),
            rings_rolled_back: Counter::default(),
            rings: Rings::default(),
            client_secrets: ClientSecrets::default(),
            service_account_keys: ServiceAccountKeys::default(),
            pods: Gauge::default(),
            programmed: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 12))),
        }
    }

    pub(crate) fn leads(&self) {
        self.leader.set(1);
    }

    /// The term is over, and what only a leader knows is no longer known.
    pub(crate) fn leads_no_more(&self) {
        self.leader.set(0);
        self.queue.set(0);
        self.pods.set(0);
        self.sweep_held.clear();
        self.rings.clear();
        self.client_secrets.clear();
        self.service_account_keys.clear();
    }

    pub(crate) fn reconciled(&self, kind: Kind, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { kind: kind.as_str(), outcome }).inc();
        self.duration.get_or_create(&KindLabels { kind: kind.as_str() }).observe(took.as_secs_f64());
    }

    pub(crate) fn queue_length(&self, length: usize) {
        self.queue.set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    pub(crate) fn call_delayed(&self) {
        self.calls_delayed.inc();
    }

    pub(crate) fn wrote(&self, verb: Verb, what: Written) {
        self.writes.get_or_create(&WriteLabels { verb: verb.as_str(), kind: what.as_str() }).inc();
    }

    pub(crate) fn repaired(&self, kind: DocumentKind) {
        self.repaired.get_or_create(&KindLabels { kind: kind.as_str() }).inc();
    }

    pub(crate) fn sweep_held(&self, kind: DocumentKind, documents: usize) {
        let documents = i64::try_from(documents).unwrap_or(i64::MAX);
        self.sweep_held.get_or_create(&KindLabels { kind: kind.as_str() }).set(documents);
    }

    pub(crate) fn ring_rolled_back(&self) {
        self.rings_rolled_back.inc();
    }

    pub(crate) fn promoted(&self) {
        self.rings.promotions.inc();
    }

    pub(crate) fn revoked(&self) {
        self.rings.revocations.inc();
    }

    /// How a ring stands, or that it is gone.
    pub(crate) fn ring(&self, ring: &ObjectName, times: Option<RingTimes>) {
        match times {
            Some(times) => self.rings.show(ring, times),
            None => self.rings.forget(ring),
        }
    }

    /// How the secret of a client stands; none where it has none.
    pub(crate) fn client_secret(&self, client: &ObjectName, standing: Option<SecretStanding>) {
        self.client_secrets.show(client, standing);
    }

    pub(crate) fn client_secret_rotated(&self) {
        self.client_secrets.rotations.inc();
    }

    pub(crate) fn client_secret_revoked(&self) {
        self.client_secrets.revocations.inc();
    }

    /// The cluster's keys, by which `issuer` signs, were read at `read`, and are these `since`.
    pub(crate) fn service_account_keys_read(&self, issuer: &str, read: Timestamp, since: Option<Timestamp>) {
        self.service_account_keys.show(issuer, read, since);
    }

    pub(crate) fn service_account_keys_unread(&self) {
        self.service_account_keys.failures.inc();
    }

    pub(crate) fn pods_connected(&self, pods: usize) {
        self.pods.set(i64::try_from(pods).unwrap_or(i64::MAX));
    }

    pub(crate) fn programmed(&self, kind: Kind, took: Duration) {
        self.programmed.get_or_create(&KindLabels { kind: kind.as_str() }).observe(took.as_secs_f64());
    }

    /// How many clients' secrets stand so, and since when a new one is due.
    #[cfg(test)]
    pub(crate) fn client_secrets(&self, rotation: Rotation) -> (i64, i64) {
        self.client_secrets.shown(rotation)
    }

    /// How many keys were revoked.
    #[cfg(test)]
    pub(crate) fn revocations(&self) -> u64 {
        self.rings.revocations.get()
    }

    /// How many documents of `kind` were repaired.
    #[cfg(test)]
    pub(crate) fn repairs(&self, kind: DocumentKind) -> u64 {
        self.repaired.get_or_create(&KindLabels { kind: kind.as_str() }).get()
    }
}
