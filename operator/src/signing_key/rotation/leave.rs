//! A ring whose SigningKey is gone: another signs, its tokens expire, then it goes.

use claviger_crds::published::KeyPhase;

use super::serve::LISTEN;
use super::wait::{accepted_for, left, once, until_cached};
use super::{Action, Decision, Surroundings};
use crate::acknowledgements::Reached;
use crate::clock::Moment;
use crate::signing_key::ring::Ring;

pub(super) fn leave(ring: &Ring, around: &Surroundings, now: Moment) -> Decision {
    // Nobody's wish, and no clock's business: what may not be trusted is not.
    let emergency = super::serve::emergency(ring, around, now);
    if !emergency.actions.is_empty() {
        return emergency;
    }
    if !around.skewed.is_empty() {
        return Decision { again: Some(accepted_for(0)), ..Decision::default() };
    }
    if ring.handed_over_at.is_none() {
        let Some(since) = around.successor_since else {
            return Decision::default();
        };
        let max_age = around.max_cache_lifetime.max(ring.max_cache_lifetime);
        return once(Action::HandOver, until_cached(since, max_age, now));
    }
    if ring.active().is_some() {
        let served = around.acknowledged_since.is_some() && around.successor_since.is_some();
        return Decision { actions: served.then_some(Action::Retire).into_iter().collect(), ..Decision::default() };
    }
    let wait = accepted_for(ring.max_token_lifetime);
    let lefts = ring.in_phase(KeyPhase::Retiring).map(|key| match around.reached(key.retiring_revision) {
        // Where no pod is found, nobody is there to sign.
        Reached::Everywhere { since } | Reached::NoProviders { since: Some(since) } => {
            left(since.wall, Some(*since), wait, now)
        }
        // They may sign with the key still, also those that have never been heard.
        Reached::Behind { .. } | Reached::NoProviders { since: None } => LISTEN,
    });
    once(Action::Withdraw, lefts.max().unwrap_or_default())
}
