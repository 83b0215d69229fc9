//! What every reconcile shares: the index, the seam to the world with its writes counted, time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{DocumentKind, PasswordSource, SecretText};
use claviger_crds::signing_key::SigningKey;
use k8s_openapi::api::core::v1::Secret;
use tokio::sync::{Notify, Semaphore};

use crate::acknowledgements::{Acknowledgements, Standing};
use crate::clock::{Clock, Moment};
use crate::cluster::{Cluster, ClusterError, Event, StatusWrite};
use crate::engine::Options;
use crate::index::Index;
use crate::index::claims::Claim;
use crate::liveness::Liveness;
use crate::metrics::{Metrics, Verb, Written};
use crate::oauth_client::Rotating;
use crate::queue::{Queue, Urgency};
use crate::secret_uses::SecretUses;
use crate::sweep::{Held, Strays};
use crate::tenant::sealing::Ends;
use crate::work::{Kind, Work};

/// So many keys and password hashes are computed at once, beside the async threads.
const COMPUTED_AT_ONCE: usize = 2;

/// All that the engine knows. Held only between awaits.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) index: Index,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) liveness: Liveness,
    pub(crate) queue: Queue<Work>,
    pub(crate) held: Held,
    pub(crate) strays: Strays,
    /// The UID of a Tenant that has no SigningKey, and since when that is known.
    pub(crate) ringless: HashMap<ObjectName, (String, Moment)>,
    /// The ring that is being made as the first of a tenant, by slug: another one that is made meanwhile
    /// is not the first, though nothing is published yet.
    pub(crate) first_rings: HashMap<String, ObjectName>,
    /// Of each Tenant: when its sealing keys end.
    pub(crate) sealing_ends: HashMap<ObjectName, Ends>,
    /// Of each User whose document could not be written: the hash of its password, and of which Secret
    /// that is. A hash is dear, and the next try has the same.
    pub(crate) hashed: HashMap<ObjectName, (PasswordSource, SecretText)>,
    /// Of each client whose secret rotates: what was made for that.
    pub(crate) rotating: HashMap<ObjectName, Rotating>,
    /// When clients' secrets were used last, as the pods told.
    pub(crate) uses: SecretUses,
    /// Every watch has listed everything.
    pub(crate) synced: bool,
    /// The API server's clock is too far from ours.
    pub(crate) server_skewed: bool,
}

impl State {
    /// Whose clocks are too far from ours.
    pub(crate) fn skewed(&self) -> Vec<String> {
        let server = self.server_skewed.then(|| "the API server".to_owned());
        server.into_iter().chain(self.acknowledgements.skewed()).collect()
    }

    /// UID of the owner of `document`, if that stands, or stood, or a pod serves it; it is empty where
    /// the pods alone know of it.
    pub(crate) fn published_owner(&self, document: &str) -> Option<String> {
        let documents = &self.index.documents;
        let known = documents.known(document);
        let served = || self.acknowledgements.highest_revision(document).map(|_| String::new());
        known.map(|entry| entry.owner_uid.clone()).or_else(served)
    }

    /// The highest revision of `document` that was ever stored or served, as far as is known; else 0.
    pub(crate) fn highest_revision(&self, document: &str) -> u64 {
        let documents = &self.index.documents;
        let known = documents.known(document).map(|entry| entry.revision);
        known.max(self.acknowledgements.highest_revision(document)).unwrap_or(0)
    }

    /// What pods say of `document`, or what is stored of it, has changed: who waits for that is
    /// woken once there is something to say. A pod may be quicker than the API server's answer to
    /// the write, so both sides call this.
    pub(crate) fn standing_changed(&mut self, document: &str) {
        let Some(entry) = self.index.documents.get(document) else {
            let works = self.liveness.wake(document);
            return self.wake(works);
        };
        let ahead = self.acknowledgements.highest_revision(document).is_some_and(|highest| highest > entry.revision);
        let standing = self.acknowledgements.standing(document, &entry.digest, entry.revision);
        let owner = ahead.then(|| Work::new(Kind::from(entry.kind), entry.owner.clone()));
        let tenants = match entry.kind {
            DocumentKind::SigningKey => self.index.documents.holders(&Claim::Slug(entry.tenant.clone())).to_vec(),
            _ => Vec::new(),
        };
        self.wake(owner);
        if matches!(standing, Standing::Waiting { .. }) {
            return self.liveness.stands(document, &standing);
        }
        let works = self.liveness.wake(document);
        self.wake(works);
        for tenant in tenants {
            let works = self.liveness.wake(&names::published_secret(DocumentKind::Tenant.as_str(), &tenant));
            self.wake(works);
        }
    }

    /// A pod was found or began to speak, which changes how documents stand that it says nothing of.
    pub(crate) fn pods_changed(&mut self) {
        for document in self.liveness.told() {
            if let Some(entry) = self.index.documents.get(&document) {
                let standing = self.acknowledgements.standing(&document, &entry.digest, entry.revision);
                self.liveness.stands(&document, &standing);
            }
        }
    }

    /// The next work that is due. None before every watch has listed everything: what has not been
    /// seen yet looks like what is not there, and live objects would be withdrawn for it.
    pub(crate) fn take(&mut self, now: Duration) -> Option<Work> {
        if self.synced { self.queue.take(now) } else { None }
    }

    /// How much work stands in line.
    pub(crate) fn ready(&self) -> usize {
        if self.synced { self.queue.ready() } else { 0 }
    }

    /// When the next work is due: at once is zero.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.queue.next_due().filter(|_| self.synced)
    }

    /// Wants all of `works`, because something changed.
    pub(crate) fn wake(&mut self, works: impl IntoIterator<Item = Work>) {
        self.want(works, Urgency::Changed);
    }

    /// Wants all of `works`, to look them over again.
    pub(crate) fn look_over(&mut self, works: impl IntoIterator<Item = Work>) {
        self.want(works, Urgency::Routine);
    }

    fn want(&mut self, works: impl IntoIterator<Item = Work>, otherwise: Urgency) {
        for work in works {
            let urgency = self.urgency(&work).unwrap_or(otherwise);
            self.queue.add(work, urgency);
        }
    }

    /// Wants `work` at the monotonic time `at`.
    pub(crate) fn want_at(&mut self, work: Work, at: Duration) {
        let urgency = self.urgency(&work).unwrap_or(Urgency::Routine);
        self.queue.add_at(work, at, urgency);
    }

    /// What may have to end somebody's trust goes before all else, however it came into line: a thousand
    /// clients that are looked over must not hold up a revocation.
    fn urgency(&self, work: &Work) -> Option<Urgency> {
        match work.kind {
            Kind::SigningKey => Some(Urgency::Key),
            Kind::OAuthClient => {
                let valid = self.index.clients.get(&work.name)?.valid()?;
                (!valid.revoked_secrets.is_empty()).then_some(Urgency::Revokes)
            }
            Kind::Tenant | Kind::User | Kind::IdentityProvider => None,
        }
    }
}

/// See the module.
pub(crate) struct Context {
    cluster: Arc<dyn Cluster>,
    pub(crate) options: Options,
    clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    state: Mutex<State>,
    /// The queue has something new.
    pub(crate) queued: Notify,
    /// The sweep has something new.
    pub(crate) orphaned: Notify,
    /// A pod has met a key of the cluster's that it does not know.
    pub(crate) unknown_key: Notify,
    /// Bounds what is computed beside the async threads.
    pub(crate) computing: Semaphore,
}

impl Context {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, options: Options, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self {
            cluster,
            state: Mutex::new(State { index: Index::of(&options.external_url), ..State::default() }),
            options,
            clock,
            metrics,
            queued: Notify::new(),
            orphaned: Notify::new(),
            unknown_key: Notify::new(),
            computing: Semaphore::new(COMPUTED_AT_ONCE),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Now, as keys and clients' secrets age: by both clocks at the pace of the wall clock.
    pub(crate) fn now_of_keys(&self) -> Moment {
        self.now().at_pace(self.pace())
    }

    /// See [`Clock::pace`].
    pub(crate) fn pace(&self) -> u32 {
        self.clock.pace().max(1)
    }

    /// How long to sleep until the wall clock has moved on by `wait`.
    pub(crate) fn sleep_of(&self, wait: Duration) -> Duration {
        /// In fast motion what looks again each minute must not keep a core busy.
        const SHORTEST: Duration = Duration::from_millis(20);
        match self.pace() {
            1 => wait,
            pace => (wait / pace).max(SHORTEST.min(wait)),
        }
    }

    /// Works on the state. A panic elsewhere leaves no half of a change: each is one call.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let out = work(&mut state);
        let ready = state.ready();
        drop(state);
        self.metrics.queue_length(ready);
        if ready > 0 {
            self.queued.notify_one();
        }
        out
    }

    /// The read past every cache.
    pub(crate) fn cluster(&self) -> &dyn Cluster {
        &*self.cluster
    }

    pub(crate) async fn create_secret(&self, what: Written, secret: Secret) -> Result<Secret, ClusterError> {
        self.metrics.wrote(Verb::Create, what);
        self.cluster.create_secret(secret).await
    }

    pub(crate) async fn replace_secret(&self, what: Written, secret: Secret) -> Result<Secret, ClusterError> {
        self.metrics.wrote(Verb::Replace, what);
        self.cluster.replace_secret(secret).await
    }

    pub(crate) async fn delete_secret(
        &self,
        what: Written,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> Result<(), ClusterError> {
        self.metrics.wrote(Verb::Delete, what);
        self.cluster.delete_secret(name, uid, resource_version).await
    }

    pub(crate) async fn create_signing_key(&self, key: SigningKey) -> Result<(), ClusterError> {
        self.metrics.wrote(Verb::Create, Written::SigningKey);
        self.cluster.create_signing_key(key).await
    }

    pub(crate) async fn delete_signing_key(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> Result<(), ClusterError> {
        self.metrics.wrote(Verb::Delete, Written::SigningKey);
        self.cluster.delete_signing_key(name, uid, resource_version).await
    }

    pub(crate) async fn write_status(&self, status: StatusWrite) -> Result<String, ClusterError> {
        self.metrics.wrote(Verb::Replace, Written::Status);
        self.cluster.write_status(status).await
    }

    /// Tells people. That it could not be told is no reason to fail what is told of.
    pub(crate) async fn event(&self, event: Event) {
        self.metrics.wrote(Verb::Create, Written::Event);
        if let Err(error) = self.cluster.event(event).await {
            tracing::warn!(%error, "an Event could not be written");
        }
    }

    /// A Normal or Warning Event about an object.
    pub(crate) async fn tell(&self, work: &Work, uid: &str, warning: bool, reason: &'static str, note: String) {
        let Work { kind, name } = work.clone();
        self.event(Event { kind, name, uid: uid.to_owned(), warning, reason, note, part: None }).await;
    }

    /// When an object that names a Secret looks at it again. The more there are, the longer, so that
    /// all together read at most fifty a second; a fifth more or less, so that they spread.
    pub(crate) fn recheck(&self) -> Duration {
        const BASE_MILLIS: u64 = 60_000;
        const MILLIS_EACH: u64 = 20;
        let objects = self.with(|state| {
            let index = &state.index;
            index.clients.len() + index.users.len() + index.signing_keys.len()
        });
        let millis = BASE_MILLIS.max(MILLIS_EACH * u64::try_from(objects).unwrap_or(u64::MAX));
        let [jitter]: [u8; 1] = claviger_jose::random::bytes();
        Duration::from_millis(millis * 8 / 10 + millis * 4 / 10 * u64::from(jitter) / 255)
    }

    /// Name of the Secret `name` in the published namespace.
    pub(crate) fn published(&self, name: &str) -> ObjectName {
        ObjectName::new(self.options.published_namespace.clone(), name)
    }
}

/// Whether the kind has documents.
pub(crate) fn document_kind(kind: Kind) -> Option<DocumentKind> {
    DocumentKind::ALL.into_iter().find(|document| Kind::from(*document) == kind)
}
