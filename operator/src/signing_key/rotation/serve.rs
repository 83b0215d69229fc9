//! A ring that serves: it always has one key that signs and one that stands by.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::published::KeyPhase;
use jiff::Timestamp;

use super::promotion::{Permission, Promotion, not_heard};
use super::wait::{accepted_for, after, cached_for, left, until, until_cached};
use super::{Action, Cause, Decision, Surroundings};
use crate::acknowledgements::Reached;
use crate::clock::Moment;
use crate::signing_key::ring::{Key, Purpose, Revoked, Ring};

/// For so long beyond a session's lifetime a late `id_token_hint` is verified.
const LATE: Duration = Duration::from_secs(7 * 24 * 3600);
/// At most so many keys are kept for late hints alone: with short intervals the oldest go early.
const MOST_VERIFY_ONLY: usize = 32;
/// A pod that has not heard of a change for this long is looked for again.
pub(super) const LISTEN: Duration = Duration::from_secs(60);

pub(super) fn serve(purpose: &Purpose, ring: &Ring, around: &Surroundings, now: Moment) -> Decision {
    let mut decision = Decision::default();
    // First of all: a ring that returns signs with what is left of it.
    revoke(ring, around, now, &mut decision);
    let returns = ring.leaving_since.is_some() || ring.withdrawn_at.is_some();
    if returns {
        let (youngest, max_age) = (around.another_signs, around.max_cache_lifetime);
        decision.actions.push(Action::Return { youngest, max_age });
    }
    if !fits(purpose, ring) {
        decision.actions.push(Action::Adjust);
    }
    stand(Some(purpose), ring, around, now, &mut decision);
    // What follows goes by the phases of the keys, which are others once the ring is back: the one that is to sign
    // again would leave the JWK Set, for its tokens have expired.
    if returns {
        return decision;
    }
    if !around.skewed.is_empty() {
        let message = format!("clocks are more than 30 seconds apart from ours: {}", around.skewed.join(", "));
        decision.block(Reason::ClockSkew, message);
        return decision;
    }
    if decision.actions.is_empty() {
        take_over(purpose, ring, around, now, &mut decision);
    }
    join(ring, around, now, &mut decision);
    unpublish(ring, around, now, &mut decision);
    forget(ring, now, &mut decision);
    decision
}

/// What a ring needs because a key of it may not be trusted: all that is done against a wish, or
/// without any.
pub(super) fn emergency(ring: &Ring, around: &Surroundings, now: Moment) -> Decision {
    let mut decision = Decision::default();
    revoke(ring, around, now, &mut decision);
    if !decision.actions.is_empty() && ring.active().is_some() {
        stand(None, ring, around, now, &mut decision);
    }
    decision
}

/// Whether the ring serves the purpose already. Its greatest lifetimes only grow: tokens that live
/// longer may be about.
fn fits(purpose: &Purpose, ring: &Ring) -> bool {
    ring.tenant == purpose.tenant
        && ring.tenant_name == purpose.tenant_name
        && ring.algorithm == purpose.algorithm
        && ring.cache_lifetime == purpose.rotation.cache_lifetime
        && ring.max_token_lifetime >= purpose.token_lifetime
        && ring.max_session_lifetime >= purpose.session_lifetime
}

fn is_revoked(key: &Key, around: &Surroundings) -> bool {
    key.phase == KeyPhase::Revoked || around.revoked.contains_key(&key.kid)
}

fn revoke(ring: &Ring, around: &Surroundings, now: Moment, decision: &mut Decision) {
    decision.actions.extend(revocations(Some(ring), around, around.rolled_back.is_some(), now));
}

/// The revocations that are news to `ring`, or to one that is made; `set_back` as in [`Ring::may_revoke`].
pub(super) fn revocations<'a>(
    ring: Option<&'a Ring>,
    around: &'a Surroundings,
    set_back: bool,
    now: Moment,
) -> impl Iterator<Item = Action> + 'a {
    let max_age = ring.map_or(0, |ring| ring.max_cache_lifetime).max(around.max_cache_lifetime);
    let news = around.revoked.iter().filter(move |(kid, _)| ring.is_none_or(|ring| ring.may_revoke(kid, set_back)));
    news.map(move |(kid, revocation)| {
        let revoked = Revoked {
            at: now.wall,
            reason: revocation.reason.clone(),
            by: revocation.by.clone(),
            trusted_until: after(now.wall, cached_for(max_age)),
        };
        Action::Revoke { kid: kid.clone(), revoked }
    })
}

/// One key that signs, and one that stands by and is of use.
fn stand(purpose: Option<&Purpose>, ring: &Ring, around: &Surroundings, now: Moment, decision: &mut Decision) {
    let active = ring.active().filter(|key| !is_revoked(key, around));
    let standby = ring.standby().filter(|key| !is_revoked(key, around));
    let emergency = |standby: Option<&Key>| Action::Promote {
        cause: Cause::Emergency,
        unknown_until: unknown_until(ring, standby, around, now),
    };
    let actions = &mut decision.actions;
    match (active, standby) {
        (Some(active), Some(standby)) => {
            if let Some(purpose) = purpose.filter(|purpose| !is_of_use(purpose, active, standby)) {
                actions.push(Action::Discard { kid: standby.kid.clone() });
                actions.push(next(purpose, active));
            }
        }
        (Some(active), None) => actions.push(purpose.map_or(Action::AddStandby, |purpose| next(purpose, active))),
        // What returns has a key that signed before, which signs again.
        (None, _) if returns(ring, around) => {
            if standby.is_none() {
                actions.push(Action::AddStandby);
            }
        }
        (None, Some(_)) => actions.extend([emergency(standby), Action::AddStandby]),
        (None, None) => actions.extend([Action::AddStandby, emergency(None), Action::AddStandby]),
    }
}

/// The next standby: what is to be imported, unless that signs.
fn next(purpose: &Purpose, active: &Key) -> Action {
    match &purpose.imported {
        Some(kid) if active.kid != *kid => Action::Import,
        _ => Action::AddStandby,
    }
}

/// Whether `standby` is what the SigningKey asks for next.
fn is_of_use(purpose: &Purpose, active: &Key, standby: &Key) -> bool {
    match &purpose.imported {
        Some(kid) if active.kid != *kid => standby.kid == *kid,
        _ => !standby.imported && standby.public_key.algorithm() == purpose.algorithm,
    }
}

fn returns(ring: &Ring, around: &Surroundings) -> bool {
    (ring.leaving_since.is_some() || ring.withdrawn_at.is_some())
        && ring.in_phase(KeyPhase::Retiring).any(|key| !is_revoked(key, around))
}

/// Until when a verifier may not know `standby`, which has to sign now; `None` if all do.
fn unknown_until(ring: &Ring, standby: Option<&Key>, around: &Surroundings, now: Moment) -> Option<Timestamp> {
    // A ring without any key that was shown: nobody has cached anything.
    if ring.keys.is_empty() {
        return None;
    }
    // Pods that serve a later state have shown the key some time, and verifiers may have forgotten it since.
    let known = standby.filter(|_| around.rolled_back.is_none());
    let left = match known.map(|key| (around.reached(key.revision), key.max_age_without)) {
        Some((Reached::Everywhere { since }, max_age)) => until_cached(*since, max_age, now),
        _ => cached_for(ring.max_cache_lifetime),
    };
    (!left.is_zero()).then(|| after(now.wall, left))
}

fn take_over(purpose: &Purpose, ring: &Ring, around: &Surroundings, now: Moment, decision: &mut Decision) {
    let (Some(active), Some(standby)) = (ring.active(), ring.standby()) else {
        return;
    };
    // Before anything else: it is the one exemption from the promise.
    if let Some(unknown) = active.unknown_until.filter(|unknown| *unknown > now.wall) {
        let message = format!(
            "the key {} had to sign before every verifier knew it: until {unknown} some may refuse its tokens",
            active.kid
        );
        decision.block(Reason::StandbyTooYoung, message);
        decision.wait(until(unknown, now));
    }
    let promotion = Promotion::of(purpose, ring, active, standby);
    match promotion.permission(ring, standby, around, now) {
        Permission::Given => {
            decision
                .actions
                .extend([Action::Promote { cause: promotion.cause, unknown_until: None }, Action::AddStandby]);
        }
        Permission::Wait(left) => decision.wait(left),
        Permission::Blocked(reason, message) => {
            decision.block(reason, message);
            decision.wait(LISTEN);
        }
    }
}

fn join(ring: &Ring, around: &Surroundings, now: Moment, decision: &mut Decision) {
    let Some(active) = ring.active().filter(|_| ring.joining) else {
        return;
    };
    if !around.another_signs {
        return decision.actions.push(Action::Join);
    }
    match around.reached(active.revision) {
        Reached::Everywhere { since } => match until_cached(*since, active.max_age_without, now) {
            Duration::ZERO => decision.actions.push(Action::Join),
            left => decision.wait(left),
        },
        behind => match until(after(active.published_at, around.patience), now) {
            Duration::ZERO => {
                decision.wait(LISTEN);
                let message = format!(
                    "the ring signs beside the tenant's others once every pod shows its key {}: {}",
                    active.kid,
                    not_heard(behind, active.published_at)
                );
                decision.block(Reason::WaitingForProviders, message);
            }
            // What was published a moment ago is on its way.
            left => decision.wait(left),
        },
    }
}

/// A key leaves the JWK Set when the last token has expired that any pod may have signed with it.
fn unpublish(ring: &Ring, around: &Surroundings, now: Moment, decision: &mut Decision) {
    let wait = accepted_for(ring.max_token_lifetime);
    for key in ring.in_phase(KeyPhase::Retiring).filter(|key| !is_revoked(key, around)) {
        match around.reached(key.retiring_revision) {
            Reached::Everywhere { since } => match left(since.wall, Some(*since), wait, now) {
                Duration::ZERO => decision.actions.push(Action::Unpublish { kid: key.kid.clone() }),
                left => decision.wait(left),
            },
            behind => {
                decision.wait(LISTEN);
                if let Some(at) = key.retiring_at.filter(|at| until(after(*at, wait), now).is_zero()) {
                    let message =
                        format!("the key {} stays in the JWK Set, its successor is {}", key.kid, not_heard(behind, at));
                    decision.block(Reason::WaitingForProviders, message);
                }
            }
        }
    }
}

/// What verifies nothing any more is gone.
fn forget(ring: &Ring, now: Moment, decision: &mut Decision) {
    let mut kept = 0;
    for key in &ring.keys {
        let Some(at) = gone_at(ring, key) else { continue };
        let late = key.phase == KeyPhase::VerifyOnly;
        kept += usize::from(late);
        match until(at, now) {
            left if left.is_zero() || (late && kept > MOST_VERIFY_ONLY) => {
                decision.actions.push(Action::Drop { kid: key.kid.clone() });
            }
            left => decision.wait(left),
        }
    }
}

/// When `key` is gone, if it is out of the JWK Set.
pub(crate) fn gone_at(ring: &Ring, key: &Key) -> Option<Timestamp> {
    let since = match key.phase {
        KeyPhase::VerifyOnly => key.verify_only_at?,
        KeyPhase::Revoked => key.revocation.as_ref()?.at,
        KeyPhase::Published | KeyPhase::Active | KeyPhase::Retiring => return None,
    };
    let session = Duration::from_secs(u64::from(ring.max_session_lifetime.max(ring.max_token_lifetime)));
    Some(after(since, session + LATE))
}

/// When `key` leaves the JWK Set at the earliest, if it no longer signs.
pub(crate) fn verify_only_at(ring: &Ring, key: &Key) -> Option<Timestamp> {
    Some(after(key.retiring_at?, accepted_for(ring.max_token_lifetime)))
}
