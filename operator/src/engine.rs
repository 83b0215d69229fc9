//! The engine: changes go in, reconciles run, writes go out through [`Cluster`].
//!
//! The Kubernetes watches and the embedded mode feed the same engine. Whoever runs it makes sure
//! that it is the leader, and ends [`Engine::run`] the moment it no longer is.

mod change;
mod resync;
mod service_accounts;
mod uses;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use claviger_crds::published::acknowledgement::Frame;
use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use self::change::{Change, Seen};
use crate::acknowledgements::CLOCK_SKEW;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::context::{Context, State};
use crate::error::StepError;
use crate::index::Index;
use crate::metrics::Metrics;
pub use crate::service_account_issuer::ServiceAccountIssuer;
use crate::work::{Kind, Next, Work};
use crate::{oauth_client, signing_key, sweep, tenant, user};

/// How often silent pods are looked for.
const TICK: Duration = Duration::from_millis(500);
/// A worker looks again after this long, whatever the queue says.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// What the engine must be told of its surroundings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the provider is reached from outside, without a trailing slash: the issuers' root.
    pub external_url: String,
    /// Namespace of the Secrets with rings and sealing keys.
    pub operator_namespace: String,
    /// Namespace of published Secrets.
    pub published_namespace: String,
    /// How many reconciles run at once.
    pub workers: usize,
}

/// The operator's mind.
pub struct Engine {
    context: Context,
}

#[cfg(test)]
impl Engine {
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }
}

// === impl Engine: what it is told ===

impl Engine {
    /// An engine that knows nothing yet and does nothing until [`Engine::run`].
    pub fn new(cluster: Arc<dyn Cluster>, options: Options, clock: Arc<dyn Clock>, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self { context: Context::new(cluster, options, clock, metrics) })
    }

    /// Takes in what a watch saw. Never blocks on I/O.
    pub fn change(&self, change: Change) {
        let published = match &change {
            Change::Published(Seen::Applied(secret)) => secret.metadata.name.clone(),
            _ => None,
        };
        let now = self.context.now().wall;
        let orphaned = self.context.with(|state| {
            let works = take_in(&mut state.index, change, &mut state.synced, now);
            if !state.synced {
                return false;
            }
            let Some(works) = works else {
                let everything = state.index.everything();
                state.look_over(everything);
                return true;
            };
            let orphaned = works.iter().any(|work| state.index.ownerless().contains(work));
            for work in works.iter().filter(|work| !state.index.ownerless().contains(work)) {
                state.held.returned(work);
            }
            state.wake(works);
            if let Some(document) = published {
                state.standing_changed(&document);
            }
            orphaned
        });
        if orphaned {
            self.context.orphaned.notify_one();
        }
    }

    /// Looks everything over again.
    pub fn resync(&self) {
        self.context.with(|state| {
            let everything = state.index.everything();
            state.look_over(everything);
        });
    }

    /// Discovery names a provider pod: `key` tells it from others, `name` is for people. Saying so
    /// again is harmless.
    pub fn pod_found(&self, key: &str, name: &str) {
        let now = self.context.now();
        self.context.with(|state| {
            if state.acknowledgements.found(key, name, now) {
                state.pods_changed();
            }
        });
    }

    /// The pod said something.
    pub fn acknowledge(&self, key: &str, frame: Frame) {
        let now = self.context.now();
        if let Frame::Used { secrets } = &frame {
            self.used(secrets.clone());
        }
        if frame == Frame::UnknownServiceAccountKey {
            self.service_account_key_unknown();
        }
        let begins = matches!(frame, Frame::Hello { .. });
        let connected = self.context.with(|state| {
            let touched = state.acknowledgements.apply(key, frame, now);
            if begins {
                state.pods_changed();
            }
            for document in &touched {
                state.standing_changed(document);
                if state.index.documents.get(document).is_none() {
                    state.strays.suspect(document, now.monotonic);
                }
            }
            self.settle(state);
            state.acknowledgements.connected()
        });
        self.context.metrics.pods_connected(connected);
    }

    /// A pod in this very process said something. Its clock is ours, however far that has moved on since.
    pub fn acknowledge_own(&self, key: &str, mut frame: Frame) {
        if let Frame::Hello { now, .. } | Frame::Heartbeat { now } = &mut frame {
            *now = self.context.now().wall;
        }
        self.acknowledge(key, frame);
    }

    /// The pod's stream ended; it is still waited for.
    pub fn pod_lost(&self, key: &str) {
        let now = self.context.now();
        let connected = self.context.with(|state| {
            state.acknowledgements.lost(key, now);
            let works = state.liveness.wake_all();
            state.wake(works);
            state.acknowledgements.connected()
        });
        self.context.metrics.pods_connected(connected);
    }

    /// Discovery no longer names the pod.
    pub fn pod_gone(&self, key: &str) {
        let now = self.context.now();
        let connected = self.context.with(|state| {
            state.acknowledgements.gone(key, now);
            let works = state.liveness.wake_all();
            state.wake(works);
            self.settle(state);
            state.acknowledgements.connected()
        });
        self.context.metrics.pods_connected(connected);
    }

    /// Discovery has named every pod there is, so that the engine knows for whom it waits. Until
    /// then, and until each has reported or ten seconds have passed, no status is written and no
    /// ring is changed.
    pub fn providers_listed(&self) {
        let now = self.context.now();
        self.context.with(|state| {
            state.acknowledgements.listed(now);
            state.liveness.listed(now);
            self.settle(state);
        });
    }

    /// The API server's clock less ours, whole seconds. Where they are too far apart, no time that
    /// another process wrote means what it says, and no key is changed by it.
    pub fn server_clock(&self, offset: i64) {
        self.context.with(|state| {
            let skewed = offset.unsigned_abs() > CLOCK_SKEW.as_secs();
            if std::mem::replace(&mut state.server_skewed, skewed) != skewed {
                let rings = state.index.everything().into_iter().filter(|work| work.kind == Kind::SigningKey);
                state.wake(rings);
            }
        });
    }

    fn settle(&self, state: &mut State) {
        let all_synced = state.acknowledgements.all_synced();
        if let Some(works) = state.liveness.settle(all_synced, self.context.now()) {
            state.look_over(works);
        }
    }

    /// What passes by itself: silence, and the end of the wait for the pods' first reports.
    pub(crate) fn tick(&self) {
        let now = self.context.now();
        let connected = self.context.with(|state| {
            if state.acknowledgements.expire(now) {
                let works = state.liveness.wake_all();
                state.wake(works);
            }
            let misinformed = state.liveness.wake_doubted(now);
            state.wake(misinformed);
            self.settle(state);
            state.acknowledgements.connected()
        });
        self.context.metrics.pods_connected(connected);
    }
}

/// Takes a change into the index: whose work it makes, or `None` for everybody's.
fn take_in(index: &mut Index, change: Change, synced: &mut bool, now: Timestamp) -> Option<BTreeSet<Work>> {
    use Seen::{Applied, Deleted};
    Some(match change {
        Change::Tenant(Applied(tenant)) => index.apply_tenant(&tenant),
        Change::Tenant(Deleted(name)) => index.delete_tenant(&name),
        Change::OAuthClient(Applied(client)) => index.apply_client(&client),
        Change::OAuthClient(Deleted(name)) => index.delete_client(&name),
        Change::SigningKey(Applied(key)) => index.apply_signing_key(&key),
        Change::SigningKey(Deleted(name)) => index.delete_signing_key(&name),
        Change::User(Applied(user)) => index.apply_user(&user),
        Change::User(Deleted(name)) => index.delete_user(&name),
        Change::Namespace(Applied(namespace)) => index.apply_namespace(&namespace),
        Change::Namespace(Deleted(name)) => index.delete_namespace(&name.name),
        Change::ServiceAccount(Applied(account)) => index.apply_service_account(&account),
        Change::ServiceAccount(Deleted(name)) => index.delete_service_account(&name),
        Change::ServiceAccountIssuer(issuer) => index.apply_service_account_issuer(issuer, now),
        Change::Published(Applied(secret)) => index.apply_published(&secret),
        Change::Published(Deleted(name)) => index.delete_published(&name.name),
        Change::Ring(Applied(secret)) => index.apply_ring(&secret),
        Change::Ring(Deleted(name)) => index.delete_ring(&name.name),
        Change::Sealing(Applied(secret)) => index.apply_sealing(&secret),
        Change::Sealing(Deleted(name)) => index.delete_sealing(&name.name),
        Change::Synced => {
            *synced = true;
            index.recall_service_account_issuer();
            return None;
        }
    })
}

// === impl Engine: what it does ===

impl Engine {
    /// Works until `shutdown`, and ends only after every reconcile that was begun. For one term of
    /// leadership: who leads again makes a new engine, which hears from every pod first.
    pub async fn run(self: &Arc<Self>, shutdown: CancellationToken) {
        let workers = (0..self.context.options.workers.max(1)).map(|_| {
            let (engine, shutdown) = (Arc::clone(self), shutdown.clone());
            tokio::spawn(async move { engine.work(&shutdown).await })
        });
        let workers = workers.collect::<Vec<_>>();
        let beside = async {
            tokio::join!(self.tick_until(&shutdown), self.sweep_until(&shutdown), self.resync_until(&shutdown))
        };
        tokio::join!(join_all(workers), beside);
    }

    async fn work(&self, shutdown: &CancellationToken) {
        while let Some(work) = self.next(shutdown).await {
            self.reconcile(&work).await;
        }
    }

    /// Waits for the next work that is due; `None` after a shutdown.
    async fn next(&self, shutdown: &CancellationToken) -> Option<Work> {
        while !shutdown.is_cancelled() {
            let now = self.context.now().monotonic;
            let (work, due) = self.context.with(|state| (state.take(now), state.next_due()));
            if let Some(work) = work {
                // Another worker waits in this one's stead for what is due later.
                if due.is_some() {
                    self.context.queued.notify_one();
                }
                return Some(work);
            }
            let nap = due.map_or(LONGEST_NAP, |due| due.saturating_sub(now)).min(LONGEST_NAP);
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.context.queued.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
        None
    }

    async fn tick_until(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            self.tick();
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn sweep_until(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let next = sweep::round(&self.context).await;
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.context.orphaned.notified() => {}
                () = tokio::time::sleep(next.after.unwrap_or(LONGEST_NAP)) => {}
            }
        }
    }

    /// Does everything that is due now, one after the other. Whether there was anything.
    #[cfg(test)]
    pub(crate) async fn drain(&self) -> bool {
        let mut worked = false;
        loop {
            let now = self.context.now().monotonic;
            let Some(work) = self.context.with(|state| state.take(now)) else {
                break;
            };
            self.reconcile(&work).await;
            worked = true;
        }
        sweep::round(&self.context).await;
        worked || self.context.with(|state| state.ready()) > 0
    }

    /// One reconcile. A bad object costs only itself: even a panic is one failure of its own.
    async fn reconcile(&self, work: &Work) {
        let began = self.context.now();
        let result = AssertUnwindSafe(self.dispatch(work)).catch_unwind().await;
        let now = self.context.now();
        let (next, outcome, failed) = match result {
            Ok(Ok(next)) => (next, "ok", false),
            Ok(Err(error)) if error.is_expected() => {
                tracing::debug!(%work, %error, "a reconcile was overtaken; it is tried again");
                (Next::IDLE, error.category(), true)
            }
            Ok(Err(error)) => {
                tracing::warn!(%work, %error, "a reconcile failed; it is tried again");
                (Next::IDLE, error.category(), true)
            }
            Err(_) => {
                tracing::error!(%work, "a reconcile panicked; it is tried again");
                (Next::IDLE, "panic", true)
            }
        };
        self.context.metrics.reconciled(work.kind, outcome, now.monotonic.saturating_sub(began.monotonic));
        self.context.with(|state| {
            state.queue.done(work, failed, now.monotonic);
            if let Some(after) = next.after {
                state.want_at(work.clone(), now.monotonic.saturating_add(after));
            }
        });
    }

    async fn dispatch(&self, work: &Work) -> Result<Next, StepError> {
        match work.kind {
            Kind::Tenant => tenant::reconcile(&self.context, &work.name).await,
            Kind::SigningKey => signing_key::reconcile(&self.context, &work.name).await,
            Kind::OAuthClient => oauth_client::reconcile(&self.context, &work.name).await,
            Kind::User => user::reconcile(&self.context, &work.name).await,
            Kind::IdentityProvider => Ok(Next::IDLE),
        }
    }
}

#[cfg(test)]
mod tests;
