//! The one decision about a ring: what it is for, how it stands, what the pods serve and what time
//! it is, to what must change. Pure; called by `plan`, and by nothing that could write.
//!
//! A verifier that obeys `Cache-Control` never meets an unknown `kid`: a key signs only when every pod
//! has shown it for longer than any verifier may cache, and it is shown for as long as a token lives
//! that it signed. `leave` says the same of whole rings.

mod leave;
mod promotion;
mod serve;
mod wait;

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::names;
use claviger_jose::Kid;
use jiff::Timestamp;

pub(crate) use self::promotion::{Promotion, check_lifetimes, stays};
pub(crate) use self::serve::{gone_at, verify_only_at};
pub(crate) use self::wait::until_cached;
pub(super) use self::wait::{after, cached_for};
use super::ring::{Purpose, Revoked, Ring};
use crate::acknowledgements::Reached;
use crate::clock::Moment;

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
    /// Whether there is another ring of the tenant that signs, served by all pods or not, leaving or not.
    pub(crate) another_signs: bool,
    /// The greatest `max-age` that the tenant's rings ever advertised, seconds.
    pub(crate) max_cache_lifetime: u32,
    /// Since when every pod serves this ring as it stands.
    pub(crate) acknowledged_since: Option<Moment>,
    /// Since when every pod serves this ring as it was at a revision or became later, of the revisions
    /// from which something is counted.
    pub(crate) reached: BTreeMap<u64, Reached>,
    /// The keys that must no longer be trusted, by whoever says so.
    pub(crate) revoked: BTreeMap<Kid, Revocation>,
    /// The revision of a later state of this ring than is stored, where a pod serves one or one is published.
    pub(crate) rolled_back: Option<u64>,
    /// The ring is lost, and one of `revoked` is news: neither what is published says so, nor do pods.
    pub(crate) lost_and_revoked: bool,
    /// Pods whose clocks are too far from ours.
    pub(crate) skewed: Vec<String>,
    /// So long a pod may take for what was published a moment ago.
    pub(crate) patience: Duration,
}

/// That a key must no longer be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// Why.
    pub(crate) reason: String,
    /// Who says so.
    pub(crate) by: String,
}

/// Why a key takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The interval is over.
    Interval,
    /// Somebody asked for it.
    Asked(Timestamp),
    /// The SigningKey names another algorithm.
    Algorithm,
    /// The one that signed may not be trusted, or is not there.
    Emergency,
}

/// One change of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make the ring: one key Active at once, and a standby.
    Create {
        /// Other rings of the tenant sign: verifiers may hold a JWK Set without this one.
        joining: bool,
        /// The greatest `max-age` that was ever advertised without its keys, seconds.
        max_age: u32,
        /// The key that signs is the one that is imported.
        import: bool,
    },
    /// Its SigningKey is back: the same keys serve again.
    Return {
        /// Other rings sign: this one counts as the youngest, for its keys may be cached nowhere.
        youngest: bool,
        /// As in [`Action::Create`].
        max_age: u32,
    },
    /// Every verifier knows its keys: it may sign like the others.
    Join,
    /// Serve what is asked for now.
    Adjust,
    /// The key leaves everything, at once and for good.
    Revoke {
        /// Which.
        kid: Kid,
        /// That it was.
        revoked: Revoked,
    },
    /// The standby is of no use, and never signed.
    Discard {
        /// Which.
        kid: Kid,
    },
    /// Make the missing standby.
    AddStandby,
    /// The imported key stands by.
    Import,
    /// The standby signs from now on, and what signed before retires.
    Promote {
        /// Why.
        cause: Cause,
        /// Until when a verifier may not know it.
        unknown_until: Option<Timestamp>,
    },
    /// The key leaves the JWK Set.
    Unpublish {
        /// Which.
        kid: Kid,
    },
    /// The key is gone.
    Drop {
        /// Which.
        kid: Kid,
    },
    /// Tell the pods to sign with another ring.
    HandOver,
    /// No key signs any more; they stay in the JWK Set.
    Retire,
    /// No token of it lives, or nobody is left to issue any: it becomes a tombstone.
    Withdraw,
    /// The document keeps its revision: pods that serve a later one must not take it. Those that take it all the
    /// same, for nothing of theirs may sign any more, show it for the first time: verifiers may have forgotten its keys.
    KeepRevision {
        /// The greatest `max-age` that was ever advertised without its keys, seconds.
        max_age: u32,
    },
    /// A person gives up what pods serve for what is stored: that counts as published now for the first time, at
    /// a revision above all that are known.
    Accept {
        /// The highest revision that is known.
        above: u64,
        /// The greatest `max-age` that was ever advertised without its keys, seconds.
        max_age: u32,
    },
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
            Self::Create { import, .. } => 2 - usize::from(*import),
            Self::AddStandby => 1,
            _ => 0,
        }
    }

    /// The key that it says it is about.
    pub(crate) fn kid(&self) -> Option<&Kid> {
        match self {
            Self::Revoke { kid, .. } | Self::Discard { kid } | Self::Unpublish { kid } | Self::Drop { kid } => {
                Some(kid)
            }
            _ => None,
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

impl Decision {
    fn block(&mut self, reason: Reason, message: String) {
        self.blocked.get_or_insert((reason, message));
    }

    fn wait(&mut self, left: Duration) {
        self.again = Some(self.again.map_or(left, |again| again.min(left)));
    }
}

impl Surroundings {
    /// The same, where the monotonic clock runs at the wall clock's `pace`.
    pub(crate) fn at_pace(mut self, pace: u32) -> Self {
        // A moment that is forgotten here would make a wait end late by that factor.
        let Self {
            successor_since,
            acknowledged_since,
            reached,
            patience,
            another_signs: _,
            max_cache_lifetime: _,
            revoked: _,
            rolled_back: _,
            lost_and_revoked: _,
            skewed: _,
        } = &mut self;
        let everywhere = reached.values_mut().filter_map(|reached| match reached {
            Reached::Everywhere { since } | Reached::NoProviders { since: Some(since) } => Some(since),
            Reached::Behind { .. } | Reached::NoProviders { since: None } => None,
        });
        for moment in [successor_since, acknowledged_since].into_iter().flatten().chain(everywhere) {
            *moment = moment.at_pace(pace);
        }
        *patience = patience.saturating_mul(pace);
        self
    }

    /// Since when every pod serves the ring as it was at `revision`, or became later.
    pub(crate) fn reached(&self, revision: u64) -> &Reached {
        const UNKNOWN: &Reached = &Reached::Behind { pods: Vec::new() };
        self.reached.get(&revision).unwrap_or(UNKNOWN)
    }
}

/// What a ring needs now.
pub(crate) fn decide(wish: &Wish, ring: Option<&Ring>, around: &Surroundings, now: Moment) -> Decision {
    if let Some(later) = around.rolled_back {
        return match wish {
            // That one and no other: what was meant for this set-back says nothing of the next.
            Wish::Serve(purpose) if purpose.gives_up == Some(later) => accept(wish, ring, around, later, now),
            Wish::Serve(purpose) => rolled_back(Some(purpose), ring, around, later, now),
            Wish::Leave | Wish::Withdraw => rolled_back(None, ring, around, later, now),
        };
    }
    match (wish, ring) {
        (Wish::Serve(purpose), None) => Decision { actions: vec![create(purpose, around)], ..Decision::default() },
        (Wish::Serve(purpose), Some(ring)) => serve::serve(purpose, ring, around, now),
        (Wish::Leave, Some(ring)) if ring.leaving_since.is_some() && ring.withdrawn_at.is_none() => {
            leave::leave(ring, around, now)
        }
        (Wish::Withdraw, Some(ring)) if ring.withdrawn_at.is_none() => wait::once(Action::Withdraw, Duration::ZERO),
        (Wish::Leave | Wish::Withdraw, _) => Decision::default(),
    }
}

/// What a ring needs though nobody can say what it is for: that a key which may not be trusted is not.
pub(crate) fn emergency(ring: Option<&Ring>, around: &Surroundings, now: Moment) -> Decision {
    if let Some(later) = around.rolled_back {
        return rolled_back(None, ring, around, later, now);
    }
    let served = ring.filter(|ring| ring.withdrawn_at.is_none());
    served.map(|ring| serve::emergency(ring, around, now)).unwrap_or_default()
}

fn create(purpose: &Purpose, around: &Surroundings) -> Action {
    let (joining, max_age) = (around.another_signs, around.max_cache_lifetime);
    Action::Create { joining, max_age, import: purpose.imported.is_some() }
}

/// Nothing is changed by a memory that was set back, but that a key which may not be trusted is trusted
/// again: pods that serve the later state take that, and nothing else, from the older document. Where there is
/// no memory at all a ring is made to carry it.
fn rolled_back(
    purpose: Option<&Purpose>,
    ring: Option<&Ring>,
    around: &Surroundings,
    later: u64,
    now: Moment,
) -> Decision {
    let stored = ring.map_or_else(|| "none".to_owned(), |ring| format!("revision {}", ring.revision));
    let waits = ring.is_none() && purpose.is_none() && around.lost_and_revoked;
    let revoked = if waits {
        "No key is changed, nor are the revoked ones out before the SigningKey's Tenant is accepted"
    } else {
        "No key is changed but that revoked ones are out"
    };
    let message = format!(
        "provider pods serve revision {later} of this ring, or it is published, and stored is {stored}: it was restored \
         from a backup, or lost. {revoked}. Restart no pod: it may come back with other keys than the rest. Restore the \
         ring's Secret from a later backup; or, if there is none, give up what pods serve by the annotation {}: \"{later}\"",
        names::ANNOTATION_ACCEPT_STORED_RING
    );
    let mut actions = match (ring, purpose) {
        (Some(ring), _) => serve::emergency(ring, around, now).actions,
        (None, Some(purpose)) if around.lost_and_revoked => {
            let mut actions = vec![create(purpose, around)];
            actions.extend(serve::revocations(None, around, true, now));
            actions
        }
        (None, _) => Vec::new(),
    };
    if !actions.is_empty() {
        actions.push(Action::KeepRevision { max_age: around.max_cache_lifetime });
    }
    Decision { actions, again: None, blocked: Some((Reason::RingRolledBack, message)) }
}

/// What the stored ring, or a new one, needs to take the place of the later one: all that it would need if
/// nothing had been heard of any pod, for what they have acknowledged are other keys. A key of theirs that is revoked
/// now is remembered, though the stored ring does not know it: else it could be imported again.
fn accept(wish: &Wish, ring: Option<&Ring>, around: &Surroundings, later: u64, now: Moment) -> Decision {
    let unheard =
        Surroundings { rolled_back: None, reached: BTreeMap::new(), acknowledged_since: None, ..around.clone() };
    let Decision { mut actions, .. } = decide(wish, ring, &unheard, now);
    let theirs = serve::revocations(ring, around, true, now);
    actions.extend(
        theirs.filter(|action| action.kid().is_some_and(|kid| ring.is_none_or(|ring| ring.key(kid).is_none()))),
    );
    actions.push(Action::Accept { above: later, max_age: around.max_cache_lifetime });
    Decision { actions, ..Decision::default() }
}

#[cfg(test)]
mod tests;
