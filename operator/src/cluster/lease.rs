//! Leader election over one coordination.k8s.io/v1 Lease, with client-go's semantics.
//!
//! A candidate never compares the holder's timestamps with its own clock: it takes a Lease over
//! once it has not seen it change for the Lease's duration, by a monotonic clock. A leader that
//! cannot renew in time is none any more, by its own clock and without asking anybody; every write
//! asks [`Leadership::is_current`]. Called by [`crate::run`]; knows nothing of what a leader does.

mod decide;
mod leadership;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::decide::{Move, Observer, decide, record, released};
pub(crate) use self::leadership::Leadership;
use crate::clock::Clock;

/// Name of the Lease in the operator's namespace.
pub(crate) const NAME: &str = "claviger-operator";

/// How long what takes in the election. `renew_deadline` lies below `duration`, so that a leader
/// gives up before anybody may follow it, and `retry` far below both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// How long a candidate waits without seeing a change; whole seconds count in the Lease.
    pub(crate) duration: Duration,
    /// How long after its last renewal a leader still is one.
    pub(crate) renew_deadline: Duration,
    /// How often a leader renews and a candidate looks.
    pub(crate) retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// One candidate, or leader.
pub(crate) struct Election {
    leases: Api<Lease>,
    identity: String,
    timing: Timing,
    clock: Arc<dyn Clock>,
    observer: Observer,
    /// The Lease as this process last wrote it, while it holds it.
    held: Option<Lease>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The Lease is ours since the write that began at this monotonic time.
    Leads(Duration),
    /// Somebody else's.
    Follows,
}

impl Election {
    /// A candidate under `identity`, which no other process may use at the same time.
    pub(crate) fn new(
        client: Client,
        namespace: &str,
        identity: String,
        timing: Timing,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let leases = Api::namespaced(client, namespace);
        Self { leases, identity, timing, clock, observer: Observer::default(), held: None }
    }

    /// Waits until this process leads; `None` if `shutdown` comes first. `answered` is told each
    /// time that the API has named another leader.
    pub(crate) async fn win(&mut self, answered: impl Fn(), shutdown: &CancellationToken) -> Option<Leadership> {
        loop {
            let standing = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                standing = self.attempt_in_time(self.timing.renew_deadline) => standing,
            };
            match standing {
                Some(Standing::Leads(since)) => {
                    let leadership = Leadership::new(Arc::clone(&self.clock), since, self.timing.renew_deadline);
                    tracing::info!(identity = self.identity, "leading");
                    return Some(leadership);
                }
                Some(Standing::Follows) => answered(),
                None => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = tokio::time::sleep(self.timing.retry) => {}
            }
        }
    }

    /// Renews until `stop`, or until the leadership is lost; then it is cancelled.
    pub(crate) async fn keep(&mut self, leadership: &Leadership, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.timing.retry) => {}
            }
            // A process that was paused finds here that its time is over, and renews nothing.
            let Some(left) = leadership.time_left() else {
                tracing::error!("the lease could not be renewed in time");
                return leadership.lose();
            };
            match self.attempt_in_time(left.min(self.timing.renew_deadline / 2)).await {
                Some(Standing::Leads(since)) => leadership.renewed(since),
                Some(Standing::Follows) => {
                    tracing::error!("another process holds the lease");
                    return leadership.lose();
                }
                None => {}
            }
        }
    }

    /// Gives the Lease back, so that the next leader need not wait. Only after the last write.
    pub(crate) async fn release(&mut self, leadership: &Leadership) {
        leadership.lose();
        let Some(mut lease) = self.held.take() else { return };
        lease.spec = Some(released(lease.spec.as_ref(), self.clock.now().wall));
        let released = timeout(self.timing.renew_deadline / 2, self.replace(&lease)).await;
        match released {
            Ok(Ok(_)) => tracing::info!("the lease is released"),
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be released"),
            Err(_) => tracing::warn!("the lease could not be released in time"),
        }
    }

    /// `None` when the API did not say.
    async fn attempt_in_time(&mut self, limit: Duration) -> Option<Standing> {
        match timeout(limit, self.attempt()).await {
            Ok(Ok(standing)) => return Some(standing),
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be read or written"),
            Err(_) => tracing::warn!(?limit, "the API did not answer about the lease in time"),
        }
        None
    }

    async fn attempt(&mut self) -> Result<Standing, kube::Error> {
        // What is held is renewed without a read: one request, refused if anybody wrote meanwhile.
        if let Some(held) = self.held.take()
            && let Some(standing) = self.write(held, Move::Renew).await?
        {
            return Ok(standing);
        }
        let lease = self.leases.get_opt(NAME).await?;
        let now = self.clock.now().monotonic;
        self.observer.see(lease.as_ref().and_then(|lease| lease.spec.as_ref()), now);
        let step = decide(&self.identity, self.observer.observed(), now, self.timing.duration);
        match (step, lease) {
            (Move::Wait, _) => Ok(Standing::Follows),
            (step, Some(lease)) => Ok(self.write(lease, step).await?.unwrap_or(Standing::Follows)),
            (_, None) => self.create().await,
        }
    }

    async fn create(&mut self) -> Result<Standing, kube::Error> {
        let began = self.clock.now();
        let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
        let spec = record(&self.identity, Move::Take, None, self.timing.duration, began.wall);
        let lease = Lease { metadata, spec: Some(spec) };
        match self.leases.create(&PostParams::default(), &lease).await {
            Ok(lease) => Ok(self.hold(lease, began.monotonic)),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Standing::Follows),
            Err(error) => Err(error),
        }
    }

    /// Writes over `lease` as it was read; `None` if somebody wrote meanwhile.
    async fn write(&mut self, mut lease: Lease, step: Move) -> Result<Option<Standing>, kube::Error> {
        let began = self.clock.now();
        lease.spec = Some(record(&self.identity, step, lease.spec.as_ref(), self.timing.duration, began.wall));
        match self.replace(&lease).await {
            Ok(lease) => Ok(Some(self.hold(lease, began.monotonic))),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, kube::Error> {
        self.leases.replace(NAME, &PostParams::default(), lease).await
    }

    fn hold(&mut self, lease: Lease, since: Duration) -> Standing {
        self.observer.see(lease.spec.as_ref(), since);
        self.held = Some(lease);
        Standing::Leads(since)
    }
}

/// Whose Lease it is.
fn holder(spec: &LeaseSpec) -> &str {
    spec.holder_identity.as_deref().unwrap_or_default()
}
