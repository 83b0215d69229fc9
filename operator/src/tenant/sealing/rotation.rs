//! When a tenant's sealing keys change: pure. As a ring's keys do, but nobody outside knows these: it is
//! the pods alone that must be able to open what one of them seals, so that no cache is waited for.

use std::time::Duration;

use claviger_crds::published::{SealingKeyDocument, SealingPhase};
use jiff::Timestamp;

use super::{Sealing, standby};
use crate::clock::{spread, until};

/// A key seals for so long, less a tenth by chance, so that tenants that were made together do not
/// rotate together. Far from the 2³² nonces at which AES-GCM wears out (NIST SP 800-38D §8.3), at any
/// rate that a tenant could reach.
const INTERVAL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Beyond the longest life of what was sealed: clocks, and a pod that was told late.
const MARGIN: Duration = Duration::from_secs(3600);

/// A key that has just stopped sealing is looked at again.
const SOON: Duration = Duration::from_secs(1);

/// What surrounds the decision.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tenant) struct Around {
    /// Every pod serves the tenant's document with exactly the keys that are stored.
    pub(in crate::tenant) served: bool,
    /// Clocks are too far apart to go by them.
    pub(in crate::tenant) skewed: bool,
    /// The longest that anything may live which is sealed now, seconds.
    pub(in crate::tenant) longest: u32,
}

impl Sealing {
    /// The keys as they should be, if that is another; and when to look again.
    pub(super) fn rotated(&self, around: &Around, now: Timestamp) -> (Option<Self>, Option<Duration>) {
        let mut changed = self.clone();
        changed.longest = changed.longest.max(around.longest);
        if !changed.keys.iter().any(|key| key.phase == SealingPhase::Published) {
            changed.keys.insert(0, standby(now));
        }
        let mut again = None;
        if around.served && !around.skewed && changed.keys.len() == self.keys.len() {
            again = changed.promote(now);
            changed.end(now);
        }
        let ends = changed.until.values().map(|end| until(*end, now)).min();
        let retiring =
            changed.keys.iter().any(|key| key.phase == SealingPhase::Retiring && !changed.until.contains_key(&key.id));
        let again = [again, ends, retiring.then_some(SOON)].into_iter().flatten().min();
        ((changed != *self).then_some(changed), again)
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
    fn end(&mut self, now: Timestamp) {
        let wait = Duration::from_secs(u64::from(self.longest)) + MARGIN;
        let Self { keys, until, .. } = self;
        // One that was retired just now may still seal on a pod.
        for key in keys.iter().filter(|key| key.phase == SealingPhase::Retiring && key.retiring_at != Some(now)) {
            until.entry(key.id.clone()).or_insert_with(|| now.checked_add(wait).unwrap_or(Timestamp::MAX));
        }
        keys.retain(|key| until.get(&key.id).is_none_or(|until| *until > now));
        until.retain(|id, _| keys.iter().any(|key| key.id == *id));
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

    const SERVED: Around = Around { served: true, skewed: false, longest: 1_000 };

    fn phases(sealing: &Sealing) -> Vec<SealingPhase> {
        sealing.keys.iter().map(|key| key.phase).collect()
    }

    fn rotated(sealing: &Sealing, now: i64) -> Sealing {
        let changed = sealing.rotated(&SERVED, at(now)).0.unwrap();
        assert!(usable(&changed.keys));
        changed
    }

    #[test]
    fn a_key_seals_for_a_month_and_the_next_one_is_known_to_every_pod_by_then() {
        let sealing = sealing();
        let (changed, again) = sealing.rotated(&SERVED, at(27 * DAY - 1));
        assert_eq!(changed, None);
        assert!(again.unwrap() <= Duration::from_secs(3 * 24 * 3600 + 1));
        let changed = rotated(&sealing, 30 * DAY);
        assert_eq!(phases(&changed), [SealingPhase::Published, SealingPhase::Active, SealingPhase::Retiring]);
        assert_eq!(changed.active(), Some(sealing.keys[0].id.as_str()));
    }

    #[test]
    fn a_pod_that_is_behind_and_a_clock_that_is_set_hold_it() {
        for around in [Around { served: false, ..SERVED }, Around { skewed: true, ..SERVED }] {
            assert_eq!(sealing().rotated(&around, at(40 * DAY)).0, None);
        }
    }

    #[test]
    fn what_was_sealed_stays_readable_for_its_life_from_when_no_pod_seals_with_the_key() {
        let retired = rotated(&sealing(), 30 * DAY);
        let behind = Around { served: false, ..SERVED };
        assert_eq!(retired.rotated(&behind, at(32 * DAY)).0, None, "a pod may still seal with it");
        let ending = rotated(&retired, 33 * DAY);
        assert_eq!(phases(&ending), phases(&retired));
        let end = 33 * DAY + 1_000 + 3_600;
        let (changed, again) = ending.rotated(&SERVED, at(end - 1));
        assert_eq!((changed, again), (None, Some(Duration::from_secs(1))));
        let over = rotated(&ending, end);
        assert_eq!(phases(&over), [SealingPhase::Published, SealingPhase::Active]);
        assert!(over.until.is_empty());
    }

    #[test]
    fn the_longest_life_only_grows() {
        let longer = Around { longest: 5_000, ..SERVED };
        let changed = sealing().rotated(&longer, at(1)).0.unwrap();
        assert_eq!(changed.longest, 5_000);
        assert_eq!(changed.rotated(&SERVED, at(2)).0, None);
    }

    #[test]
    fn a_missing_standby_is_made_and_seals_nothing_before_the_pods_know_it() {
        let mut alone = sealing();
        alone.keys.remove(0);
        let changed = rotated(&alone, 40 * DAY);
        assert_eq!(phases(&changed), [SealingPhase::Published, SealingPhase::Active]);
    }
}
