//! When a tenant's sealing keys change: pure. As a ring's keys do, but nobody outside knows these: it is
//! the pods alone that must be able to open what one of them seals, so that no cache is waited for.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::published::{SealingKeyDocument, SealingPhase};
use jiff::Timestamp;

use super::{Ends, Sealing, standby};
use crate::acknowledgements::Standing;
use crate::clock::{Moment, left, spread, until};
use crate::liveness::waits_for;

/// A key seals for so long, less a tenth by chance, so that tenants that were made together do not
/// rotate together. Far from the 2³² nonces at which AES-GCM wears out (NIST SP 800-38D §8.3), at any
/// rate that a tenant could reach.
const INTERVAL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Beyond the longest life of what was sealed: clocks, and a pod that was told late.
const MARGIN: Duration = Duration::from_secs(3600);

/// A key that has just stopped sealing is looked at again.
const SOON: Duration = Duration::from_secs(1);

/// How often clocks are looked at again that are too far apart.
const SKEWED: Duration = Duration::from_secs(60);

/// Why a change waits, as a condition has it.
pub(in crate::tenant) type Held = (Reason, String);

/// What surrounds the decision.
#[derive(Clone, Debug, Default)]
pub(in crate::tenant) struct Around {
    /// How the pods stand to the tenant's document with exactly the keys that are stored; `None` while
    /// another is published.
    pub(in crate::tenant) standing: Option<Standing>,
    /// Whose clocks are too far apart to go by them.
    pub(in crate::tenant) skewed: Vec<String>,
    /// The longest that anything may live which is sealed now, seconds.
    pub(in crate::tenant) longest: u32,
    /// So long what is due may wait before that is said.
    pub(in crate::tenant) patience: Duration,
}

/// What is to be done, and what waits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// The keys as they should be, if that is another.
    pub(super) changed: Option<Sealing>,
    /// When to look again.
    pub(super) again: Option<Duration>,
    /// Why a change waits.
    pub(super) held: Option<Held>,
}

impl Sealing {
    /// What the keys need now.
    pub(super) fn rotated(&self, around: &Around, ends: &Ends, now: Moment) -> Decision {
        let mut changed = self.clone();
        changed.longest = changed.longest.max(around.longest);
        if !changed.keys.iter().any(|key| key.phase == SealingPhase::Published) {
            changed.keys.insert(0, standby(now.wall));
        }
        let (mut again, mut held) = (None, None);
        let served = around.standing.as_ref().is_some_and(Standing::is_acknowledged);
        if changed.keys.len() != self.keys.len() {
            // First the pods must know the standby.
        } else if served && around.skewed.is_empty() {
            again = changed.promote(now.wall);
            changed.end(ends, now);
            let unended = changed.unended().next().is_some();
            again = [again, unended.then_some(SOON)].into_iter().flatten().min();
        } else {
            (again, held) = self.held(around, now);
        }
        let end = changed.until.iter().map(|(id, end)| left_of(ends, id, *end, now)).min();
        let again = [again, end].into_iter().flatten().min();
        Decision { changed: (changed != *self).then_some(changed), again, held }
    }

    /// Why what is due waits; and when to look again.
    fn held(&self, around: &Around, now: Moment) -> (Option<Duration>, Option<Held>) {
        let active = self.keys.iter().find(|key| key.phase == SealingPhase::Active);
        let due = active.map(|key| (due(key), "the next sealing key is due, and seals once every pod knows it"));
        let kept = self.unended().filter_map(|key| key.retiring_at);
        let kept = kept.map(|at| (at, "a sealing key ends some time after every pod seals with the next one"));
        let Some((since, what)) = kept.chain(due).min_by_key(|(at, _)| *at) else {
            return (None, None);
        };
        let left = until(since, now.wall).max(until(since.checked_add(around.patience).unwrap_or(since), now.wall));
        if !left.is_zero() {
            return (Some(left), None);
        }
        if !around.skewed.is_empty() {
            let message = format!("clocks are more than 30 seconds apart from ours: {}", around.skewed.join(", "));
            return (Some(SKEWED), Some((Reason::ClockSkew, message)));
        }
        let held = around.standing.as_ref().and_then(|standing| waits_for(standing, "acknowledged"));
        (None, held.map(|(reason, why)| (reason, format!("{what}: {why}"))))
    }

    /// The keys that seal no more and whose end is not yet counted: a pod may still seal with them.
    fn unended(&self) -> impl Iterator<Item = &SealingKeyDocument> {
        self.keys.iter().filter(|key| key.phase == SealingPhase::Retiring && !self.until.contains_key(&key.id))
    }

    /// Remembers in `ends` what this process has not seen before, and forgets what is over.
    pub(super) fn note_ends(&self, ends: &mut Ends, now: Moment) {
        ends.retain(|id, (end, _)| self.until.get(id) == Some(end));
        for (id, end) in &self.until {
            ends.entry(id.clone()).or_insert((*end, now));
        }
    }

    /// ID of the key that seals.
    pub(super) fn active(&self) -> Option<&str> {
        self.keys.iter().find(|key| key.phase == SealingPhase::Active).map(|key| key.id.as_str())
    }

    /// The standby seals when the interval of the other is over; how long until then.
    fn promote(&mut self, now: Timestamp) -> Option<Duration> {
        let active = self.keys.iter().find(|key| key.phase == SealingPhase::Active)?;
        let left = until(due(active), now);
        if !left.is_zero() {
            return Some(left);
        }
        for key in &mut self.keys {
            match key.phase {
                SealingPhase::Published => (key.phase, key.active_at) = (SealingPhase::Active, Some(now)),
                SealingPhase::Active => (key.phase, key.retiring_at) = (SealingPhase::Retiring, Some(now)),
                SealingPhase::Retiring => {}
            }
        }
        self.keys.insert(0, standby(now));
        None
    }

    /// A key that no pod seals with any more opens for as long as something lives that it sealed.
    fn end(&mut self, ends: &Ends, now: Moment) {
        let wait = Duration::from_secs(u64::from(self.longest)) + MARGIN;
        let Self { keys, until, .. } = self;
        // One that was retired just now may still seal on a pod.
        for key in keys.iter().filter(|key| key.phase == SealingPhase::Retiring && key.retiring_at != Some(now.wall)) {
            until.entry(key.id.clone()).or_insert_with(|| now.wall.checked_add(wait).unwrap_or(Timestamp::MAX));
        }
        keys.retain(|key| until.get(&key.id).is_none_or(|end| !left_of(ends, &key.id, *end, now).is_zero()));
        until.retain(|id, _| keys.iter().any(|key| key.id == *id));
    }
}

/// How long until the key `id` ends: by the wall clock, and by the monotonic one since this process first saw
/// when that is.
fn left_of(ends: &Ends, id: &str, end: Timestamp, now: Moment) -> Duration {
    match ends.get(id) {
        Some((seen, at)) if *seen == end => left(at.wall, Some(*at), until(end, at.wall), now),
        _ => until(end, now.wall),
    }
}

fn due(active: &SealingKeyDocument) -> Timestamp {
    let interval = spread(INTERVAL.saturating_sub(INTERVAL / 10), INTERVAL, &active.id);
    active.active_at.unwrap_or(active.published_at).checked_add(interval).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{first, usable};
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sealing() -> Sealing {
        Sealing { longest: 1_000, ..Sealing::new("acme", first(at(0))) }
    }

    fn moment(seconds: i64) -> Moment {
        Moment { wall: at(seconds), monotonic: Duration::from_secs(u64::try_from(seconds).unwrap()) }
    }

    fn standing(standing: Standing) -> Around {
        Around { standing: Some(standing), longest: 1_000, patience: Duration::from_secs(5), ..Around::default() }
    }

    fn served() -> Around {
        standing(Standing::Acknowledged { since: moment(0) })
    }

    fn behind() -> Around {
        standing(Standing::Waiting { pods: vec!["pod-b".to_owned()] })
    }

    /// What is decided by who has seen nothing before.
    fn decide(sealing: &Sealing, around: &Around, now: i64) -> Decision {
        sealing.rotated(around, &Ends::new(), moment(now))
    }

    fn phases(sealing: &Sealing) -> Vec<SealingPhase> {
        sealing.keys.iter().map(|key| key.phase).collect()
    }

    fn rotated(sealing: &Sealing, now: i64) -> Sealing {
        let changed = decide(sealing, &served(), now).changed.unwrap();
        assert!(usable(&changed.keys));
        changed
    }

    #[test]
    fn a_key_seals_for_a_month_and_the_next_one_is_known_to_every_pod_by_then() {
        let sealing = sealing();
        let Decision { changed, again, .. } = decide(&sealing, &served(), 27 * DAY - 1);
        assert_eq!(changed, None);
        assert!(again.unwrap() <= Duration::from_secs(3 * 24 * 3600 + 1));
        let changed = rotated(&sealing, 30 * DAY);
        assert_eq!(phases(&changed), [SealingPhase::Published, SealingPhase::Active, SealingPhase::Retiring]);
        assert_eq!(changed.active(), Some(sealing.keys[0].id.as_str()));
    }

    #[test]
    fn a_pod_that_is_behind_and_a_clock_that_is_set_hold_it() {
        let skewed = Around { skewed: vec!["pod-c".to_owned()], ..served() };
        for (around, reason, name) in
            [(behind(), Reason::WaitingForProviders, "pod-b"), (skewed, Reason::ClockSkew, "pod-c")]
        {
            let sealing = sealing();
            let Decision { changed, held, .. } = decide(&sealing, &around, 40 * DAY);
            let (why, message) = held.unwrap();
            assert!(changed.is_none() && why == reason && message.contains(name), "{why}: {message}");
            // Not said before anything is due, nor in the moment in which it is.
            let due = until(due(&sealing.keys[1]), at(0));
            let due = i64::try_from(due.as_secs()).unwrap();
            for (now, again) in [(due - 10, 15), (due + 4, 1)] {
                let Decision { again: left, held, .. } = decide(&sealing, &around, now);
                assert_eq!((left.map(|left| left.as_secs()), held), (Some(again), None));
            }
        }
    }

    #[test]
    fn what_was_sealed_stays_readable_for_its_life_from_when_no_pod_seals_with_the_key() {
        let retired = rotated(&sealing(), 30 * DAY);
        let Decision { changed, held, .. } = decide(&retired, &behind(), 32 * DAY);
        assert_eq!(changed, None, "a pod may still seal with it");
        assert!(held.unwrap().1.contains("pod-b"));
        let ending = rotated(&retired, 33 * DAY);
        assert_eq!(phases(&ending), phases(&retired));
        let end = 33 * DAY + 1_000 + 3_600;
        let Decision { changed, again, .. } = decide(&ending, &served(), end - 1);
        assert_eq!((changed, again), (None, Some(Duration::from_secs(1))));
        let over = rotated(&ending, end);
        assert_eq!(phases(&over), [SealingPhase::Published, SealingPhase::Active]);
        assert!(over.until.is_empty());
    }

    #[test]
    fn a_clock_that_is_set_forward_ends_no_key_early() {
        let ending = rotated(&rotated(&sealing(), 30 * DAY), 33 * DAY);
        let mut ends = Ends::new();
        ending.note_ends(&mut ends, moment(33 * DAY));
        let set = |seconds| Moment { wall: at(34 * DAY + seconds), ..moment(33 * DAY + seconds) };
        let left = ending.rotated(&served(), &ends, set(10));
        assert_eq!((left.changed, left.again), (None, Some(Duration::from_secs(4_590))));
        // Whoever sees it at a clock that is right goes by what is left then.
        ending.note_ends(&mut ends, set(20));
        assert_eq!(ending.rotated(&served(), &ends, set(4_599)).changed, None);
        let over = ending.rotated(&served(), &ends, set(4_600)).changed.unwrap();
        assert_eq!(phases(&over), [SealingPhase::Published, SealingPhase::Active]);
        over.note_ends(&mut ends, set(4_601));
        assert!(ends.is_empty());
    }

    #[test]
    fn the_longest_life_only_grows() {
        let longer = Around { longest: 5_000, ..served() };
        let changed = decide(&sealing(), &longer, 1).changed.unwrap();
        assert_eq!(changed.longest, 5_000);
        assert_eq!(decide(&changed, &served(), 2).changed, None);
    }

    #[test]
    fn a_missing_standby_is_made_and_seals_nothing_before_the_pods_know_it() {
        let mut alone = sealing();
        alone.keys.remove(0);
        let changed = rotated(&alone, 40 * DAY);
        assert_eq!(phases(&changed), [SealingPhase::Published, SealingPhase::Active]);
    }
}
