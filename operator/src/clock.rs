//! Time: the one place of the operator that asks for it. Everywhere else it is an argument.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// One moment as two clocks tell it. The wall clock is what documents and other processes speak
/// of, but it can be set; the monotonic one cannot. A wait is over when both say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// Time since the process (or the test) began; never goes back.
    pub monotonic: Duration,
}

impl Moment {
    /// The later of the two, by each clock: where the wall clock was set between them, neither is later
    /// by both, and who waits must wait for the later of each.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self { wall: self.wall.max(other.wall), monotonic: self.monotonic.max(other.monotonic) }
    }

    /// The same moment where both clocks run at the wall clock's `pace`, see [`Clock::pace`].
    #[must_use]
    pub(crate) fn at_pace(self, pace: u32) -> Self {
        Self { monotonic: self.monotonic.saturating_mul(pace), ..self }
    }
}

/// How long until the wall clock shows `at`.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// What is left of a wait that began at `from`: over when the wall clock says so, and, where this
/// process saw the beginning, the monotonic one too.
pub(crate) fn left(from: Timestamp, seen: Option<Moment>, wait: Duration, now: Moment) -> Duration {
    let passed = Duration::try_from(now.wall.duration_since(from)).unwrap_or(Duration::ZERO);
    let by_wall = wait.saturating_sub(passed);
    let by_monotonic =
        seen.map_or(Duration::ZERO, |seen| wait.saturating_sub(now.monotonic.saturating_sub(seen.monotonic)));
    by_wall.max(by_monotonic)
}

/// A time between `shortest` and `longest` by chance, so that what began together does not end together
/// for ever. The chance lies in `name`, which is as good as random, and is the same for every leader.
pub(crate) fn spread(shortest: Duration, longest: Duration, name: &str) -> Duration {
    let hash = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    longest.saturating_sub(longest.saturating_sub(shortest) / 1000 * (hash % 1000))
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;

    /// How many seconds the wall clock shows in one that passes. More than one where somebody watches
    /// in fast motion what keys do in months. The monotonic clock is never faster: heartbeats, queues
    /// and back-offs are about machines, which are as slow as ever.
    fn pace(&self) -> u32 {
        1
    }
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one home of ambient time")]
    fn now(&self) -> Moment {
        Moment { wall: Timestamp::now(), monotonic: self.began.elapsed() }
    }
}
