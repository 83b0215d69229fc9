//! How often the API server may be called. A token bucket in the form of one moment, that at which it
//! will be full again: pure, of a monotonic time.

use std::time::Duration;

use crate::settings::Rate;

/// What is left of a [`Rate`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    full_at: Duration,
}

impl Bucket {
    pub(crate) const fn full(rate: Rate) -> Self {
        Self { rate, full_at: Duration::ZERO }
    }

    /// Takes a token, if there is one at `now`.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let after = self.next(now);
        let there = after.wait(now).is_zero();
        if there {
            *self = after;
        }
        there
    }

    /// Takes a token that is there after the time returned. Whoever asks later is later.
    pub(crate) fn reserve(&mut self, now: Duration) -> Duration {
        *self = self.next(now);
        self.wait(now)
    }

    fn next(self, now: Duration) -> Self {
        Self { full_at: self.full_at.max(now) + self.interval(), ..self }
    }

    /// How long until no more than a burst is owed.
    fn wait(self, now: Duration) -> Duration {
        self.full_at.saturating_sub(now + self.interval() * self.rate.burst.get())
    }

    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.rate.per_second.get()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const RATE: Rate = Rate { per_second: NonZeroU32::new(5).unwrap(), burst: NonZeroU32::new(50).unwrap() };
    const START: Duration = Duration::from_secs(100);

    #[test]
    fn a_flood_is_bounded_and_ends() {
        let mut bucket = Bucket::full(RATE);
        let at_once = (0..1_000).filter(|_| bucket.take(START)).count();
        assert_eq!(at_once, 50);
        let in_ten_seconds = (0..=1_000).filter(|step| bucket.take(START + Duration::from_millis(step * 10))).count();
        assert_eq!(in_ten_seconds, 50);
        let rested = START + Duration::from_secs(60);
        assert_eq!((0..1_000).filter(|_| bucket.take(rested)).count(), 50);
    }

    #[test]
    fn who_waits_has_a_place_in_line() {
        let mut bucket = Bucket::full(RATE);
        let waits: Vec<_> = (0..52).map(|_| bucket.reserve(START)).collect();
        assert!(waits[..50].iter().all(Duration::is_zero));
        assert_eq!(waits[50..], [Duration::from_millis(200), Duration::from_millis(400)]);
        assert!(!bucket.take(START + Duration::from_millis(400)), "the places in line are others'");
        assert_eq!(bucket.reserve(START + Duration::from_millis(400)), Duration::from_millis(200));
    }
}
