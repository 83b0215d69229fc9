//! The one decision about a ring: what it is for, how it stands, what the pods serve and what time
//! it is, to what must change. Pure; called by `plan`, and by nothing that could write.
//!
//! A verifier that obeys `Cache-Control` never meets an unknown `kid`: a ring takes over from
//! another only when every pod has served its keys for longer than any verifier may cache.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::published::KeyPhase;
use jiff::Timestamp;

use super::ring::{Purpose, Ring};
use crate::clock::Moment;

/// Beyond twice the largest `max-age`: for clocks and requests under way.
const CACHE_MARGIN: Duration = Duration::from_secs(10);
/// Beyond a token's lifetime: what a verifier's clock may be behind.
const SKEW: Duration = Duration::from_secs(60);

/// What is wanted of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It serves this.
    Serve(Purpose),
    /// Its SigningKey is gone and its tenant lives: it leaves in order.
    Leave,
    /// Its tenant is gone.
    Withdraw,
}

/// What surrounds the decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Since when no pod can have served anything without another ring of the tenant that can sign
    /// and does not leave.
    pub(crate) successor_since: Option<Moment>,
    /// Whether there is another ring of the tenant that signs, served by all pods or not.
    pub(crate) another_signs: bool,
    /// The greatest `max-age` that the tenant's rings advertise, seconds.
    pub(crate) cache_lifetime: u32,
    /// Since when every pod serves this ring as it stands.
    pub(crate) acknowledged_since: Option<Moment>,
    /// A pod has served a later state of this ring than is stored.
    pub(crate) rolled_back: bool,
    /// Pods whose clocks are too far from ours.
    pub(crate) skewed: Vec<String>,
    /// When this process saw the ring's last key stop signing, if it did.
    pub(crate) retired: Option<Moment>,
}

/// One change of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make the ring: one key Active at once, since nobody has cached anything, and a standby.
    Create,
    /// Its SigningKey is back: the same keys serve again.
    Return {
        /// Other rings sign: this one counts as the youngest, for its keys may be cached nowhere.
        youngest: bool,
    },
    /// Serve what is asked for now.
    Adjust,
    /// Make the missing standby.
    AddStandby,
    /// Make the missing Active key of the standby.
    Promote,
    /// Tell the pods to sign with another ring.
    HandOver,
    /// No key signs any more; they stay in the JWK Set.
    Retire,
    /// No token of it lives, or nobody is left to issue any: it becomes a tombstone.
    Withdraw,
    /// Its document was changed by somebody else: it gets a revision above all that are known.
    Republish {
        /// The highest revision that is known.
        above: u64,
    },
}

impl Action {
    /// How many keys must be made for it.
    pub(crate) fn keys(&self) -> usize {
        match self {
            Self::Create => 2,
            Self::AddStandby => 1,
            _ => 0,
        }
    }
}

/// What must change, and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// To be done in this order, in one write.
    pub(crate) actions: Vec<Action>,
    /// When to decide again though nothing changed.
    pub(crate) again: Option<Duration>,
    /// Why changes wait.
    pub(crate) blocked: Option<(Reason, String)>,
}

/// What a ring needs now.
pub(crate) fn decide(wish: &Wish, ring: Option<&Ring>, around: &Surroundings, now: Moment) -> Decision {
    if around.rolled_back {
        let message = "a provider pod serves a later state of this ring than is stored: the cluster's state was \
                       restored from a backup, and no key is changed until the ring is put in order by hand";
        return Decision { blocked: Some((Reason::RingRolledBack, message.to_owned())), ..Decision::default() };
    }
    match (wish, ring) {
        (Wish::Serve(_), None) => Decision { actions: vec![Action::Create], ..Decision::default() },
        (Wish::Serve(purpose), Some(ring)) => serve(purpose, ring, around),
        (Wish::Leave, Some(ring)) if ring.leaving_since.is_some() && ring.withdrawn_at.is_none() => {
            leave(ring, around, now)
        }
        (Wish::Withdraw, Some(ring)) if ring.withdrawn_at.is_none() => once(Action::Withdraw, Duration::ZERO),
        (Wish::Leave | Wish::Withdraw, _) => Decision::default(),
    }
}

fn serve(purpose: &Purpose, ring: &Ring, around: &Surroundings) -> Decision {
    let mut actions = Vec::new();
    if ring.leaving_since.is_some() || ring.withdrawn_at.is_some() {
        actions.push(Action::Return { youngest: around.another_signs });
    }
    if !fits(purpose, ring) {
        actions.push(Action::Adjust);
    }
    match (ring.active(), ring.standby()) {
        (Some(_), Some(_)) => {}
        (Some(_), None) => actions.push(Action::AddStandby),
        // What returns has a key that signed before.
        (None, _) if returns(ring) => {
            if ring.standby().is_none() {
                actions.push(Action::AddStandby);
            }
        }
        (None, Some(_)) => actions.extend([Action::Promote, Action::AddStandby]),
        (None, None) => actions.extend([Action::AddStandby, Action::Promote, Action::AddStandby]),
    }
    let blocked = (!around.skewed.is_empty()).then(|| {
        let message = format!("clocks are more than 30 seconds apart from ours: {}", around.skewed.join(", "));
        (Reason::ClockSkew, message)
    });
    Decision { actions, again: None, blocked }
}

fn returns(ring: &Ring) -> bool {
    (ring.leaving_since.is_some() || ring.withdrawn_at.is_some())
        && ring.keys.iter().any(|key| key.phase == KeyPhase::Retiring)
}

/// Whether the ring serves the purpose already. Its greatest lifetimes only grow: tokens that live
/// longer may be about.
fn fits(purpose: &Purpose, ring: &Ring) -> bool {
    let Purpose { tenant, tenant_name, algorithm, cache_lifetime, token_lifetime, session_lifetime } = purpose;
    ring.tenant == *tenant
        && ring.tenant_name == *tenant_name
        && ring.algorithm == *algorithm
        && ring.cache_lifetime == *cache_lifetime
        && ring.max_token_lifetime >= *token_lifetime
        && ring.max_session_lifetime >= *session_lifetime
}

fn leave(ring: &Ring, around: &Surroundings, now: Moment) -> Decision {
    if !around.skewed.is_empty() {
        return Decision { again: Some(SKEW), ..Decision::default() };
    }
    if ring.handed_over_at.is_none() {
        let Some(since) = around.successor_since else {
            return Decision::default();
        };
        let max_age = around.cache_lifetime.max(ring.max_cache_lifetime);
        return once(Action::HandOver, until_cached(since, max_age, now));
    }
    if ring.active().is_some() {
        let served = around.acknowledged_since.is_some() && around.successor_since.is_some();
        return Decision { actions: served.then_some(Action::Retire).into_iter().collect(), ..Decision::default() };
    }
    let Some(retired_at) = ring.keys.iter().filter_map(|key| key.retiring_at).max() else {
        return once(Action::Withdraw, Duration::ZERO);
    };
    let wait = Duration::from_secs(u64::from(ring.max_token_lifetime)) + SKEW;
    once(Action::Withdraw, left(retired_at, around.retired, wait, now))
}

/// How long until every verifier knows keys that all pods have served since `since`, where
/// `max_age` is the greatest that was advertised without them, seconds.
pub(crate) fn until_cached(since: Moment, max_age: u32, now: Moment) -> Duration {
    let wait = Duration::from_secs(2 * u64::from(max_age)) + CACHE_MARGIN;
    left(since.wall, Some(since), wait, now)
}

fn once(action: Action, left: Duration) -> Decision {
    if left.is_zero() {
        Decision { actions: vec![action], ..Decision::default() }
    } else {
        Decision { again: Some(left), ..Decision::default() }
    }
}

/// What is left of a wait that began at `from`: over when the wall clock says so, and, where this
/// process saw the beginning, the monotonic one too.
fn left(from: Timestamp, seen: Option<Moment>, wait: Duration, now: Moment) -> Duration {
    let passed = Duration::try_from(now.wall.duration_since(from)).unwrap_or(Duration::ZERO);
    let by_wall = wait.saturating_sub(passed);
    let by_monotonic =
        seen.map_or(Duration::ZERO, |seen| wait.saturating_sub(now.monotonic.saturating_sub(seen.monotonic)));
    by_wall.max(by_monotonic)
}

#[cfg(test)]
mod tests;
