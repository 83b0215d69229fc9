//! The work queue: what is due, what runs, and when what failed is tried again. Pure state over
//! monotonic time; the engine's workers take from it.
//!
//! An item is in it at most once and never runs twice at the same time: asked for while it runs,
//! it runs once more afterwards. What just changed goes before what is only looked over again, so
//! that a full resync delays nobody, and keys go before all else.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// The first wait after a failure; it doubles from there.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
/// No wait after a failure is longer.
const BACKOFF_MOST: Duration = Duration::from_secs(30);

/// How soon an item is wanted among those that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A ring of keys: what was revoked is out of use before anything else is done.
    Key,
    /// Secrets of its own were revoked.
    Revokes,
    /// Something changed.
    Changed,
    /// It is looked over again, in bulk or by a timer.
    Routine,
}

/// A deduplicating queue of `K` with delays.
#[derive(Debug)]
pub(crate) struct Queue<K> {
    slots: HashMap<K, Slot>,
    /// By [`Urgency`].
    lines: [VecDeque<K>; 4],
    delayed: BTreeSet<(Duration, K)>,
}

#[derive(Debug)]
struct Slot {
    place: Place,
    running: bool,
    /// Of its last run, with which it is tried again.
    urgency: Urgency,
    failures: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Nowhere,
    Ready(Urgency),
    /// Wanted again once the present run is over.
    Again(Urgency),
    Delayed(Duration, Urgency),
}

impl Default for Slot {
    fn default() -> Self {
        Self { place: Place::Nowhere, running: false, urgency: Urgency::Routine, failures: 0 }
    }
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self { slots: HashMap::new(), lines: Default::default(), delayed: BTreeSet::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    /// Wants `item` at once.
    pub(crate) fn add(&mut self, item: K, urgency: Urgency) {
        let slot = self.slots.entry(item.clone()).or_default();
        match slot.place {
            Place::Ready(before) | Place::Again(before) if before <= urgency => return,
            Place::Delayed(at, _) => {
                self.delayed.remove(&(at, item.clone()));
            }
            Place::Ready(_) | Place::Again(_) | Place::Nowhere => {}
        }
        if slot.running {
            slot.place = Place::Again(urgency);
            return;
        }
        slot.place = Place::Ready(urgency);
        self.line(urgency).push_back(item);
    }

    /// Wants `item` at the monotonic time `at`, unless it is wanted sooner already.
    pub(crate) fn add_at(&mut self, item: K, at: Duration, urgency: Urgency) {
        let slot = self.slots.entry(item.clone()).or_default();
        match slot.place {
            Place::Ready(_) | Place::Again(_) => return,
            Place::Delayed(before, _) if before <= at => return,
            Place::Delayed(before, _) => {
                self.delayed.remove(&(before, item.clone()));
            }
            Place::Nowhere => {}
        }
        slot.place = Place::Delayed(at, urgency);
        self.delayed.insert((at, item));
    }

    /// The next item that is due and not running. Whoever takes it says [`Queue::done`].
    pub(crate) fn take(&mut self, now: Duration) -> Option<K> {
        self.ripen(now);
        loop {
            let (urgency, item) = self.pop()?;
            // An item that was raised to another line is left in this one, and passed over.
            if let Some(slot) = self.slots.get_mut(&item)
                && slot.place == Place::Ready(urgency)
            {
                slot.place = Place::Nowhere;
                slot.running = true;
                slot.urgency = urgency;
                return Some(item);
            }
        }
    }

    /// The run of `item` is over. After a failure it is wanted again as it was, later each time; at once if
    /// it was asked for meanwhile, for what failed did not know of that.
    pub(crate) fn done(&mut self, item: &K, failed: bool, now: Duration) {
        let Some(slot) = self.slots.get_mut(item) else {
            return;
        };
        slot.running = false;
        slot.failures = if failed { slot.failures.saturating_add(1) } else { 0 };
        let (failures, urgency) = (slot.failures, slot.urgency);
        match slot.place {
            Place::Again(urgency) => {
                slot.place = Place::Ready(urgency);
                self.line(urgency).push_back(item.clone());
            }
            Place::Nowhere if !failed => {
                self.slots.remove(item);
            }
            Place::Nowhere | Place::Ready(_) | Place::Delayed(..) => {}
        }
        if failed {
            self.add_at(item.clone(), now + backoff(failures), urgency);
        }
    }

    /// When the next item is due: at once is zero.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        if self.ready() > 0 {
            return Some(Duration::ZERO);
        }
        self.delayed.first().map(|(at, _)| *at)
    }

    /// How many items stand in line, those that were raised to another line twice.
    pub(crate) fn ready(&self) -> usize {
        self.lines.iter().map(VecDeque::len).sum()
    }

    /// Moves what has become due into line.
    fn ripen(&mut self, now: Duration) {
        while let Some((at, _)) = self.delayed.first()
            && *at <= now
            && let Some((_, item)) = self.delayed.pop_first()
        {
            let Some(slot) = self.slots.get_mut(&item) else {
                continue;
            };
            let Place::Delayed(_, urgency) = slot.place else {
                continue;
            };
            if slot.running {
                slot.place = Place::Again(urgency);
            } else {
                slot.place = Place::Ready(urgency);
                self.line(urgency).push_back(item);
            }
        }
    }

    fn pop(&mut self) -> Option<(Urgency, K)> {
        [Urgency::Key, Urgency::Revokes, Urgency::Changed, Urgency::Routine]
            .into_iter()
            .find_map(|urgency| Some((urgency, self.line(urgency).pop_front()?)))
    }

    fn line(&mut self, urgency: Urgency) -> &mut VecDeque<K> {
        let [keys, revokes, changed, routine] = &mut self.lines;
        match urgency {
            Urgency::Key => keys,
            Urgency::Revokes => revokes,
            Urgency::Changed => changed,
            Urgency::Routine => routine,
        }
    }
}

fn backoff(failures: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn an_item_asked_for_twice_runs_once() {
        let mut queue = Queue::default();
        queue.add("a", Urgency::Changed);
        queue.add("a", Urgency::Changed);
        assert_eq!(queue.take(NOW), Some("a"));
        assert_eq!(queue.take(NOW), None);
    }

    #[test]
    fn an_item_asked_for_while_it_runs_runs_again_afterwards() {
        let mut queue = Queue::default();
        queue.add("a", Urgency::Changed);
        assert_eq!(queue.take(NOW), Some("a"));
        queue.add("a", Urgency::Changed);
        assert_eq!(queue.take(NOW), None, "it still runs");
        queue.done(&"a", false, NOW);
        assert_eq!(queue.take(NOW), Some("a"));
        queue.done(&"a", false, NOW);
        assert_eq!(queue.take(NOW), None);
    }

    #[test]
    fn keys_go_before_what_changed_and_that_before_a_resync() {
        let mut queue = Queue::default();
        queue.add("old", Urgency::Routine);
        queue.add("raised", Urgency::Routine);
        queue.add("new", Urgency::Changed);
        queue.add("raised", Urgency::Changed);
        queue.add("revokes", Urgency::Revokes);
        queue.add("key", Urgency::Key);
        let order: Vec<_> = std::iter::from_fn(|| queue.take(NOW)).collect();
        assert_eq!(order, ["key", "revokes", "new", "raised", "old"]);
    }

    #[test]
    fn what_failed_or_was_put_off_is_as_urgent_as_before() {
        let mut queue = Queue::default();
        queue.add("key", Urgency::Key);
        assert_eq!(queue.take(NOW), Some("key"));
        queue.done(&"key", true, NOW);
        queue.add_at("other key", NOW + Duration::from_millis(20), Urgency::Key);
        queue.add("old", Urgency::Routine);
        queue.add("new", Urgency::Changed);
        let order: Vec<_> = std::iter::from_fn(|| queue.take(NOW + BACKOFF_FIRST)).collect();
        assert_eq!(order, ["other key", "key", "new", "old"]);
    }

    #[test]
    fn the_sooner_of_two_times_counts() {
        let mut queue = Queue::default();
        queue.add_at("a", NOW + Duration::from_secs(60), Urgency::Routine);
        queue.add_at("a", NOW + Duration::from_secs(1), Urgency::Routine);
        queue.add_at("a", NOW + Duration::from_secs(30), Urgency::Routine);
        assert_eq!(queue.take(NOW), None);
        assert_eq!(queue.next_due(), Some(NOW + Duration::from_secs(1)));
        assert_eq!(queue.take(NOW + Duration::from_secs(1)), Some("a"));
        queue.done(&"a", false, NOW);
        assert_eq!(queue.next_due(), None, "the later times are forgotten");
    }

    #[test]
    fn a_failure_is_retried_later_each_time_and_a_success_forgets_it() {
        let mut queue = Queue::default();
        let mut waits = Vec::new();
        let mut now = NOW;
        queue.add("a", Urgency::Changed);
        for _ in 0..12 {
            assert_eq!(queue.take(now), Some("a"));
            queue.done(&"a", true, now);
            let due = queue.next_due().unwrap();
            waits.push(due - now);
            now = due;
        }
        assert_eq!(waits[0], BACKOFF_FIRST);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits.last(), Some(&BACKOFF_MOST));
        assert_eq!(queue.take(now), Some("a"));
        queue.done(&"a", false, now);
        queue.add("a", Urgency::Changed);
        assert_eq!(queue.take(now), Some("a"));
        queue.done(&"a", true, now);
        assert_eq!(queue.next_due(), Some(now + BACKOFF_FIRST));
    }

    #[test]
    fn a_change_during_a_failing_run_does_not_wait_and_does_not_forget_the_failures() {
        let mut queue = Queue::default();
        queue.add("a", Urgency::Changed);
        for _ in 0..10 {
            assert_eq!(queue.take(NOW), Some("a"));
            queue.add("a", Urgency::Changed);
            queue.done(&"a", true, NOW);
        }
        assert_eq!(queue.take(NOW), Some("a"));
        queue.done(&"a", true, NOW);
        assert_eq!(queue.take(NOW), None);
        assert_eq!(queue.next_due(), Some(NOW + backoff(11)));
    }

    #[test]
    fn a_change_overtakes_the_wait_after_a_failure() {
        let mut queue = Queue::default();
        queue.add("a", Urgency::Changed);
        queue.take(NOW);
        queue.done(&"a", true, NOW);
        queue.add("a", Urgency::Changed);
        assert_eq!(queue.take(NOW), Some("a"));
    }
}
