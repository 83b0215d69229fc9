//! When the standby takes over: what asks for it, and what it waits for.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::published::KeyPhase;
use jiff::Timestamp;

use super::wait::{accepted_for, after, cached_for, until, until_cached};
use super::{Cause, Surroundings};
use crate::acknowledgements::Reached;
use crate::clock::{Moment, spread};
use crate::liveness::named;
use crate::signing_key::ring::{Key, Purpose, Ring};

/// At most so many keys are in the JWK Set that no longer sign. More would be an interval that does not
/// fit the tokens' lifetimes, and a JWK Set without a bound.
pub(super) const MOST_RETIRING: usize = 32;

/// A take-over to come. Its times rest on the ring and the SigningKey alone, so that every leader says
/// the same: the pods may make it later, never earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Promotion {
    /// Why.
    pub(crate) cause: Cause,
    /// From when it is asked for.
    pub(crate) due: Timestamp,
    /// From when it can be, at the earliest.
    pub(crate) at: Timestamp,
}

/// Whether the standby may sign now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// Every verifier knows it.
    Given,
    /// Not yet, and for so long nothing else can be known.
    Wait(Duration),
    /// It is asked for, and this is in the way.
    Blocked(Reason, String),
}

impl Promotion {
    /// The take-over of `standby` from `active`.
    pub(crate) fn of(purpose: &Purpose, ring: &Ring, active: &Key, standby: &Key) -> Self {
        let asked =
            purpose.rotate_at.filter(|at| ring.rotated_at.is_none_or(|done| *at > done) && !stays(purpose, active));
        let causes = [
            scheduled(purpose, active).map(|at| (at, Cause::Interval)),
            asked.map(|at| (at, Cause::Asked(at))),
            wanted(purpose, active, standby).then_some((standby.published_at, Cause::Algorithm)),
        ];
        let (due, cause) =
            causes.into_iter().flatten().min_by_key(|(at, _)| *at).unwrap_or((Timestamp::MAX, Cause::Interval));
        let ahead = Duration::from_secs(u64::from(purpose.rotation.publish_ahead));
        let known = after(standby.published_at, ahead.max(cached_for(standby.max_age_without)));
        Self { cause, due, at: due.max(known) }
    }

    /// Whether it may be now.
    pub(super) fn permission(&self, ring: &Ring, standby: &Key, around: &Surroundings, now: Moment) -> Permission {
        let due = until(self.due, now);
        let known = match around.reached(standby.revision) {
            Reached::Everywhere { since } => until_cached(*since, standby.max_age_without, now),
            behind if due.is_zero() => {
                return Permission::Blocked(
                    Reason::WaitingForProviders,
                    format!("the next key {}: {}", standby.kid, not_heard(behind, standby.published_at)),
                );
            }
            _ => return Permission::Wait(due),
        };
        let left = known.max(until(self.at, now));
        if !left.is_zero() {
            return Permission::Wait(left);
        }
        if ring.in_phase(KeyPhase::Retiring).count() >= MOST_RETIRING {
            return Permission::Blocked(Reason::LifetimesDoNotFit, do_not_fit(ring.max_token_lifetime));
        }
        Permission::Given
    }
}

/// What is wrong with an interval that would leave more keys in the JWK Set than may be there: said as
/// soon as it is asked for, not when rotation comes to a halt days later.
pub(crate) fn check_lifetimes(purpose: &Purpose) -> Result<(), (Reason, String)> {
    let most = u32::try_from(MOST_RETIRING).unwrap_or(u32::MAX);
    if accepted_for(purpose.token_lifetime) > shortest(purpose).saturating_mul(most) {
        return Err((Reason::LifetimesDoNotFit, do_not_fit(purpose.token_lifetime)));
    }
    Ok(())
}

fn do_not_fit(token_lifetime: u32) -> String {
    format!(
        "spec.rotation.interval is too short for the tenant's tokens, which live {token_lifetime} s: when \
         {MOST_RETIRING} keys are in the JWK Set whose tokens still live, the next one signs only when the oldest of \
         them has left it. Lengthen the interval, or shorten the lifetimes of the Tenant and its clients"
    )
}

/// The end of the time for which `active` signs, a little less by chance: rings that were made together
/// do not rotate together for ever. Never so much that the standby would be too young.
fn scheduled(purpose: &Purpose, active: &Key) -> Option<Timestamp> {
    if stays(purpose, active) {
        return None;
    }
    let interval = Duration::from_secs(u64::from(purpose.rotation.interval));
    let signs = spread(shortest(purpose), interval, active.kid.as_str());
    Some(after(active.active_at.unwrap_or(active.created_at), signs))
}

/// The shortest time for which a key signs, after which another takes over by the clock.
fn shortest(purpose: &Purpose) -> Duration {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let (interval, ahead) = (seconds(purpose.rotation.interval), seconds(purpose.rotation.publish_ahead));
    interval.saturating_sub(interval.saturating_sub(ahead) / 10)
}

/// Whether `active` signs until another is imported: somebody else says which key signs, and neither time
/// nor a wish for any other key speaks against that.
pub(crate) fn stays(purpose: &Purpose, active: &Key) -> bool {
    active.imported && purpose.imported.is_some()
}

/// Whether the SigningKey asks for such a key as `standby` is, and not as `active` is.
fn wanted(purpose: &Purpose, active: &Key, standby: &Key) -> bool {
    match &purpose.imported {
        Some(kid) => standby.kid == *kid && active.kid != *kid,
        None => active.public_key.algorithm() != standby.public_key.algorithm(),
    }
}

/// Who has not acknowledged what has been published since `published`, and since when that, or the pod,
/// has been there.
pub(super) fn not_heard(reached: &Reached, published: Timestamp) -> String {
    let pods = match reached {
        Reached::Behind { pods } if !pods.is_empty() => pods,
        _ => return "no provider pod is connected".to_owned(),
    };
    let pods: Vec<String> = pods
        .iter()
        .map(|(pod, since)| {
            let since = since.wall.max(published);
            let seconds = Timestamp::from_second(since.as_second()).unwrap_or(since);
            format!("{pod} (since {seconds})")
        })
        .collect();
    format!("not yet acknowledged by: {}", named(&pods))
}
