//! What the sweep remembers from round to round, so that no number and no clock alone makes it
//! withdraw or delete: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use claviger_crds::published::DocumentKind;
use jiff::Timestamp;

use super::{TOMBSTONE, passed};
use crate::clock::Moment;
use crate::work::{Next, Work};

/// How long a withdrawal in bulk is held back.
const HOLD: Duration = Duration::from_secs(60);
/// No more than this many of a kind are "in bulk", however few there are.
const FEW: usize = 5;
/// What was let through counts for so long beside what comes next: who deletes a bulk one by one
/// deletes a bulk.
const RECENT: Duration = Duration::from_secs(10);
/// So long this process knows a tombstone before it deletes it: by then the clocks of others, which
/// are looked at every minute, were compared with its own.
const KNOWN: Duration = Duration::from_secs(5 * 60);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Since when each of a bulk is held back, by monotonic time. Each has a minute of its own: a
    /// later wave must not go with the first.
    bulk: BTreeMap<DocumentKind, BTreeMap<Work, Duration>>,
    /// When each that was not held back was let through, by monotonic time.
    through: BTreeMap<DocumentKind, BTreeMap<Work, Duration>>,
    tombstones: BTreeMap<Work, Tombstone>,
}

/// A tombstone as this process first saw it.
#[derive(Clone, Copy, Debug)]
struct Tombstone {
    withdrawn_at: Timestamp,
    seen: Moment,
}

/// What may be done.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// At once.
    pub(super) now: BTreeSet<Work>,
    /// How many wait for their numbers' sake.
    pub(super) held: usize,
    /// When more of it may.
    pub(super) next: Next,
}

impl Held {
    /// What of `kind` was let through a moment ago. What is tried again is remembered for as long as
    /// that takes, so that it neither counts twice nor is held back in the end.
    pub(super) fn recent(
        &mut self,
        kind: DocumentKind,
        orphans: &BTreeSet<Work>,
        now: Moment,
    ) -> impl Iterator<Item = &Work> {
        let through = self.through.entry(kind).or_default();
        through.retain(|work, at| now.monotonic.saturating_sub(*at) < RECENT || orphans.contains(work));
        through.keys()
    }

    /// Which of the `orphans`, all of one kind, may be withdrawn. `all` is how many documents of the
    /// kind are served, or were until a moment ago.
    pub(super) fn withdrawals(&mut self, kind: DocumentKind, orphans: &BTreeSet<Work>, all: usize, now: Moment) -> Due {
        let before = self.recent(kind, orphans, now).filter(|work| !orphans.contains(work)).count();
        let (bulk, through) = (self.bulk.entry(kind).or_default(), self.through.entry(kind).or_default());
        bulk.retain(|work, _| orphans.contains(work));
        let together = before + orphans.len();
        if together > FEW && together * 10 > all {
            let known = bulk.len();
            for work in orphans.iter().filter(|work| !through.contains_key(work)) {
                bulk.entry(work.clone()).or_insert(now.monotonic);
            }
            if bulk.len() > known {
                tracing::warn!(
                    kind = kind.as_str(),
                    orphans = together,
                    "more than a tenth of all documents of this kind lost their owners within seconds: those that are \
                     left are withdrawn in a minute",
                );
            }
        }
        let mut due = Due { next: Next::IDLE, ..Due::default() };
        for work in orphans {
            let Some(since) = bulk.get(work) else {
                through.entry(work.clone()).or_insert(now.monotonic);
                due.put(work, Duration::ZERO);
                continue;
            };
            due.put(work, HOLD.saturating_sub(now.monotonic.saturating_sub(*since)));
        }
        due
    }

    /// The owner of `work` is there: what was held against it, or let through, is forgotten.
    pub(crate) fn returned(&mut self, work: &Work) {
        self.bulk.values_mut().chain(self.through.values_mut()).for_each(|works| {
            works.remove(work);
        });
    }

    /// Which of the `tombstones`, each with the time of its withdrawal, may be deleted: those whose
    /// time is over by the wall clock, and by the monotonic one as far as this process can tell. So
    /// a wall clock that jumps deletes nothing.
    pub(super) fn expiries(&mut self, tombstones: &BTreeMap<Work, Timestamp>, now: Moment) -> Due {
        self.tombstones.retain(|work, known| tombstones.get(work) == Some(&known.withdrawn_at));
        let mut due = Due { next: Next::IDLE, ..Due::default() };
        for (work, withdrawn_at) in tombstones {
            let first = Tombstone { withdrawn_at: *withdrawn_at, seen: now };
            let known = *self.tombstones.entry(work.clone()).or_insert(first);
            due.put(work, known.left(now));
        }
        due
    }
}

impl Tombstone {
    fn left(&self, now: Moment) -> Duration {
        let by_wall = |at: Moment| TOMBSTONE.saturating_sub(passed(self.withdrawn_at, at.wall));
        let known = now.monotonic.saturating_sub(self.seen.monotonic);
        by_wall(now).max(by_wall(self.seen).max(KNOWN).saturating_sub(known))
    }
}

impl Due {
    fn put(&mut self, work: &Work, left: Duration) {
        if left.is_zero() {
            self.now.insert(work.clone());
        } else {
            self.held += 1;
            self.next = self.next.or(Next::after(left));
        }
    }
}

#[cfg(test)]
mod tests;
