//! The one decision about a client's secret: what is asked for, what is published, what the Secret
//! holds, what the pods serve and what time it is, to what happens next. Pure; called by `secrets`,
//! and by nothing that could write.
//!
//! A new secret is published by its hash first. Only when every pod serves that does the
//! application's Secret change, and the one before is accepted for the overlap from then on. So what
//! the Secret holds, or held a moment ago, is refused by no pod. A secret that was revoked is the
//! exemption: nobody is to use it, so nothing waits for it.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::published::SecretHash;
use jiff::Timestamp;

use crate::acknowledgements::Standing;
use crate::clock::{self, Moment, left, spread};
use crate::liveness::{BEHIND, waits_for};

/// So many secrets work beside the current one: the document and the status have bounds.
pub(super) const MOST_BEFORE: usize = 8;
/// So many hashes of secrets that are to follow are published: one, and those that an operator which
/// ended took with it. None of these is given up before the Secret was written again, for their maker
/// may only be paused, and about to write there.
const MOST_PENDING: usize = 4;
/// How often clocks are looked at again that are too far apart.
const SKEWED: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The operator makes the client's secret; else somebody else puts it into its Secret.
    pub(super) generated: bool,
    /// How often it is made anew.
    pub(super) interval: Option<Duration>,
    /// How long the one before still works.
    pub(super) overlap: Duration,
    /// Somebody wants one that is no older than this, not before this time.
    pub(super) rotate_at: Option<Timestamp>,
}

/// How things stand.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    /// What is published, newest first, without what was revoked.
    pub(super) hashes: Vec<SecretHash>,
    /// The hash of what the Secret holds.
    pub(super) held: Option<String>,
    /// That was revoked.
    pub(super) held_revoked: bool,
    /// The hash of the secret that this process made to follow the current one.
    pub(super) made: Option<String>,
    /// How the pods stand to the stored document; `None` while that is not known.
    pub(super) standing: Option<Standing>,
    /// Whose clocks are too far from ours.
    pub(super) skewed: Vec<String>,
    /// When this process saw the Secret change last.
    pub(super) switched: Option<Moment>,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// What the Secret holds stays the client's.
    Keep,
    /// Another secret is made, unless it is, and its hash published beside the others.
    Begin,
    /// The Secret gets the secret that was made.
    Switch,
}

/// What is to be done, and what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) step: Step,
    /// Why a rotation that is due waits.
    pub(super) waits: Option<(Reason, String)>,
    /// When to decide again though nothing changed.
    pub(super) again: Option<Duration>,
    /// When the secret is made anew.
    pub(super) next: Option<Timestamp>,
}

/// The hashes that a document is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Of what the Secret holds once the plan is carried out.
    pub(super) current: Option<String>,
    /// Of what is to follow.
    pub(super) next: Option<String>,
    /// Set where `current` was chosen by somebody.
    pub(super) salt: Option<String>,
}

/// What the client's secret needs now.
pub(super) fn decide(rules: &Rules, situation: &Situation, now: Moment) -> Decision {
    let keep = Decision { step: Step::Keep, waits: None, again: expiry(situation, now), next: None };
    let Some(held) = situation.held.as_deref().filter(|_| rules.generated) else {
        return keep;
    };
    let find = |hash: &str| situation.hashes.iter().find(|known| known.hash == hash);
    let made = situation.made.as_deref().filter(|made| *made != held);
    let ready = made.and_then(find).filter(|made| made.pending);
    if situation.held_revoked {
        let step = if ready.is_some() { Step::Switch } else { Step::Begin };
        return Decision { step, again: Some(Duration::ZERO), ..keep };
    }
    let current = find(held);
    let created_at = current.map_or(now.wall, |current| current.created_at);
    let next =
        scheduled(rules, held, created_at).into_iter().chain(rules.rotate_at.filter(|at| *at > created_at)).min();
    let keep = Decision { next, ..keep };
    // A Secret that holds what is called pending has changed: the document is to say so.
    let begun = pending(situation).is_some() && !current.is_some_and(|current| current.pending);
    let left = next.map(|next| until(next, None, now));
    if !begun && left.is_none_or(|left| !left.is_zero()) {
        return Decision { again: soonest(keep.again, left), ..keep };
    }
    if !situation.skewed.is_empty() {
        let message = format!("clocks are more than 30 seconds apart from ours: {}", situation.skewed.join(", "));
        return waits(keep, Reason::ClockSkew, &message, Some(SKEWED));
    }
    match (ready, begun) {
        (Some(ready), _) => switch(keep, ready, situation, now),
        (None, true) => Decision { step: Step::Begin, ..keep },
        (None, false) if old(situation).count() >= MOST_BEFORE => {
            let message = format!("{MOST_BEFORE} secrets from before are still accepted");
            let again = keep.again;
            waits(keep, Reason::WaitingForOverlap, &message, again)
        }
        (None, false) => Decision { step: Step::Begin, ..keep },
    }
}

/// The end of the secret's interval, a little less by chance: secrets that were made together do not rotate
/// together for ever. Never so much that the overlap of the one before would not be over.
fn scheduled(rules: &Rules, hash: &str, created_at: Timestamp) -> Option<Timestamp> {
    let interval = rules.interval?;
    let shortest = interval.saturating_sub(interval.saturating_sub(rules.overlap) / 10);
    created_at.checked_add(spread(shortest, interval, hash)).ok()
}

fn waits(keep: Decision, reason: Reason, why: &str, again: Option<Duration>) -> Decision {
    let message = format!("a new secret is due and waits: {why}");
    Decision { waits: Some((reason, message)), again: soonest(keep.again, again), ..keep }
}

/// The hash of the new secret is published: the Secret changes when every pod serves it.
fn switch(keep: Decision, ready: &SecretHash, situation: &Situation, now: Moment) -> Decision {
    let Some(standing) = &situation.standing else { return keep };
    let Some((reason, why)) = waits_for(standing, "accepted") else {
        return Decision { step: Step::Switch, ..keep };
    };
    // A pod is given a moment before it is named.
    match ready.created_at.checked_add(BEHIND).map(|named| until(named, None, now)) {
        Ok(left) if !left.is_zero() => Decision { again: soonest(keep.again, Some(left)), ..keep },
        _ => waits(keep, reason, &why, None),
    }
}

/// The hashes that are accepted once the plan is carried out, newest first: what is to follow, the
/// current one for good, and those before it until the overlap is over.
pub(super) fn hashes(rules: &Rules, situation: &Situation, wanted: &Wanted, now: Moment) -> Vec<SecretHash> {
    let Wanted { current, next, salt } = wanted;
    let known = |hash: &String| situation.hashes.iter().find(|known| known.hash == *hash);
    let is_current = |hash: &SecretHash| current.as_ref() == Some(&hash.hash);
    let follows = next.iter().map(|next| match known(next) {
        Some(known) => known.clone(),
        None => SecretHash { pending: true, ..SecretHash::current(next.clone(), now.wall) },
    });
    // The Secret was written since these were published, so that whoever made them cannot write there.
    let changed = current.as_ref().is_some_and(|current| known(current).is_none_or(|known| known.pending));
    let pending = situation.hashes.iter().filter(|hash| hash.pending && !changed && !is_current(hash));
    let pending = pending.filter(|hash| next.as_ref() != Some(&hash.hash)).cloned();
    let first = current.iter().map(|current| match known(current) {
        Some(known) => {
            SecretHash { expires_at: None, pending: false, salt: known.salt.clone().or(salt.clone()), ..known.clone() }
        }
        None => SecretHash { salt: salt.clone(), ..SecretHash::current(current.clone(), now.wall) },
    });
    let before = situation.hashes.iter().filter(|hash| !hash.pending && !is_current(hash));
    let before = before.map(|hash| match (hash.expires_at, current) {
        // Nothing takes its place.
        (None, None) => hash.clone(),
        (expires_at, _) => {
            let expires_at = expires_at.or_else(|| now.wall.checked_add(rules.overlap).ok());
            SecretHash { expires_at, ..hash.clone() }
        }
    });
    let before = before.filter(|hash| !is_over(hash, situation, now)).take(MOST_BEFORE);
    follows.chain(pending).take(MOST_PENDING).chain(first).chain(before).collect()
}

/// Whether a secret is to leave the document. While clocks are apart the pods' own tell.
fn is_over(hash: &SecretHash, situation: &Situation, now: Moment) -> bool {
    let end = hash.expires_at;
    situation.skewed.is_empty() && end.is_some_and(|end| until(end, situation.switched, now).is_zero())
}

/// When the next of the secrets before is over.
fn expiry(situation: &Situation, now: Moment) -> Option<Duration> {
    if !situation.skewed.is_empty() {
        return old(situation).next().map(|_| SKEWED);
    }
    old(situation).map(|end| until(end, situation.switched, now)).filter(|left| !left.is_zero()).min()
}

fn old(situation: &Situation) -> impl Iterator<Item = Timestamp> {
    situation.hashes.iter().filter_map(|hash| hash.expires_at)
}

/// The newest that is to follow the current one.
fn pending(situation: &Situation) -> Option<&SecretHash> {
    situation.hashes.iter().find(|hash| hash.pending && situation.held.as_ref() != Some(&hash.hash))
}

fn soonest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

/// How long until `end`: where this process knows since `seen` what time it is, by both clocks.
fn until(end: Timestamp, seen: Option<Moment>, now: Moment) -> Duration {
    match seen {
        Some(seen) => left(seen.wall, Some(seen), clock::until(end, seen.wall), now),
        None => clock::until(end, now.wall),
    }
}

#[cfg(test)]
mod tests;
