//! What a leader holds: the answer to "am I still the leader?", by its own monotonic clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// Leadership for as long as it is renewed. Cheap to clone and to ask.
#[derive(Clone)]
pub(crate) struct Leadership {
    clock: Arc<dyn Clock>,
    deadline: Duration,
    /// Monotonic nanoseconds.
    valid_until: Arc<AtomicU64>,
    lost: CancellationToken,
}

impl Leadership {
    /// Leadership that rests on a write which began at `since` and is good for `deadline` from then:
    /// counted from before the request, for nobody knows when within it the server took it.
    pub(crate) fn new(clock: Arc<dyn Clock>, since: Duration, deadline: Duration) -> Self {
        let valid_until = Arc::new(AtomicU64::new(nanoseconds(since.saturating_add(deadline))));
        Self { clock, deadline, valid_until, lost: CancellationToken::new() }
    }

    /// Whether this process may write now. A process that was paused for long may not, though
    /// nobody has told it yet.
    pub(crate) fn is_current(&self) -> bool {
        self.time_left().is_some()
    }

    /// Cancelled when the leadership is over.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// How long it is good for if it is not renewed; `None` if it is over.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        if self.lost.is_cancelled() {
            return None;
        }
        let valid_until = Duration::from_nanos(self.valid_until.load(Ordering::Acquire));
        valid_until.checked_sub(self.clock.now().monotonic).filter(|left| !left.is_zero())
    }

    /// Renewed by a write that began at `since`.
    pub(crate) fn renewed(&self, since: Duration) {
        self.valid_until.fetch_max(nanoseconds(since.saturating_add(self.deadline)), Ordering::AcqRel);
    }

    /// It is over.
    pub(crate) fn lose(&self) {
        self.lost.cancel();
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership").field("time_left", &self.time_left()).finish_non_exhaustive()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::Timestamp;

    use super::*;
    use crate::clock::Moment;

    struct Hands(Mutex<Duration>);

    impl Clock for Hands {
        fn now(&self) -> Moment {
            Moment { wall: Timestamp::UNIX_EPOCH, monotonic: *self.0.lock().unwrap() }
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn leadership_ends_by_itself_when_it_is_not_renewed() {
        let clock = Arc::new(Hands(Mutex::new(seconds(3))));
        let leadership = Leadership::new(clock.clone(), seconds(2), seconds(10));
        assert_eq!(leadership.time_left(), Some(seconds(9)));
        *clock.0.lock().unwrap() = seconds(12);
        assert!(!leadership.is_current());
        leadership.renewed(seconds(11));
        assert_eq!(leadership.time_left(), Some(seconds(9)));
    }

    #[test]
    fn a_renewal_that_began_before_a_long_pause_does_not_count_from_its_answer() {
        let clock = Arc::new(Hands(Mutex::new(seconds(60))));
        let leadership = Leadership::new(clock, seconds(0), seconds(10));
        leadership.renewed(seconds(4));
        assert!(!leadership.is_current());
    }

    #[test]
    fn lost_leadership_does_not_come_back() {
        let clock = Arc::new(Hands(Mutex::new(seconds(0))));
        let leadership = Leadership::new(clock, seconds(0), seconds(10));
        leadership.lose();
        leadership.renewed(seconds(5));
        assert!(!leadership.is_current() && leadership.lost().is_cancelled());
    }
}
