//! When a token is renewed, and how soon after a failure it is tried again. Pure: chance is an argument.

use std::time::Duration;

const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often the clocks are looked at. The monotonic one stands still while a laptop sleeps, and a timer
/// with it.
const LOOK: Duration = Duration::from_secs(15);

/// How long after a token was asked for the next one is: two thirds of its `lifetime`, less up to a
/// tenth of it by `chance`, so that the pods of a Deployment, which began together, do not come
/// together for ever.
pub(super) fn renew_after(lifetime: Duration, chance: u8) -> Duration {
    let earlier = lifetime / 10 * u32::from(chance) / u32::from(u8::MAX);
    // A server that says 0 is not asked in a loop.
    (lifetime * 2 / 3).saturating_sub(earlier).max(Duration::from_secs(1))
}

/// How long to sleep now, of a wait of which this much has passed by each clock; none when it is over by
/// either. A wall clock that was set ahead makes it end early, which costs one request.
pub(super) fn nap(wait: Duration, by_monotonic: Duration, by_wall: Duration) -> Option<Duration> {
    left(wait, by_monotonic, by_wall).map(|left| left.min(LOOK))
}

/// What is left of `whole`, of which this much has passed by each clock; none when it is over by either.
pub(super) fn left(whole: Duration, by_monotonic: Duration, by_wall: Duration) -> Option<Duration> {
    whole.checked_sub(by_monotonic.max(by_wall)).filter(|left| !left.is_zero())
}

/// The pause after that many failures in a row, from one on: doubled each time up to half a minute, and
/// between half of it and all of it by `chance`.
pub(super) fn retry_after(failures: u32, chance: u8) -> Duration {
    let whole = Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(LONGEST_PAUSE);
    whole / 2 + whole / 2 * u32::from(chance) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_when_about_two_thirds_of_its_time_are_over() {
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(renew_after(ten_minutes, 0), Duration::from_secs(400));
        assert_eq!(renew_after(ten_minutes, u8::MAX), Duration::from_secs(340));
        assert_eq!(renew_after(Duration::from_secs(30), 0), Duration::from_secs(20));
    }

    #[test]
    fn a_token_that_lives_for_no_time_is_not_asked_for_in_a_loop() {
        for chance in [0, u8::MAX] {
            assert_eq!(renew_after(Duration::ZERO, chance), Duration::from_secs(1));
        }
    }

    #[test]
    fn a_wait_is_over_when_either_clock_says_so() {
        let seconds = Duration::from_secs;
        assert_eq!(nap(seconds(400), seconds(10), seconds(10)), Some(LOOK));
        assert_eq!(nap(seconds(400), seconds(397), seconds(390)), Some(seconds(3)));
        assert_eq!(nap(seconds(400), seconds(400), seconds(400)), None);
        // It was asleep.
        assert_eq!(nap(seconds(400), seconds(10), seconds(3600)), None);
        assert_eq!(nap(seconds(400), seconds(401), Duration::ZERO), None);
    }

    #[test]
    fn a_token_has_ended_when_either_clock_says_so() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(600), seconds(10), seconds(20)), Some(seconds(580)));
        for (monotonic, wall) in [(600, 0), (0, 600), (10, 3600)] {
            assert_eq!(left(seconds(600), seconds(monotonic), seconds(wall)), None);
        }
    }

    #[test]
    fn each_failure_doubles_the_pause_up_to_half_a_minute() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|failures| retry_after(failures, u8::MAX).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(retry_after(7, 0), Duration::from_secs(15));
    }
}
