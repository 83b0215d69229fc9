//! What to do about the Lease: pure, of what was observed and a monotonic time.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::holder;

/// What a candidate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Nobody's, or its holder let it run out: make it ours.
    Take,
    /// Ours: go on.
    Renew,
    /// Another's.
    Wait,
}

/// The record as it was last seen, and when it was first seen like that.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    spec: LeaseSpec,
    at: Duration,
}

/// Remembers when the record last changed, by our monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Observer {
    observed: Option<Observed>,
}

impl Observer {
    /// The record was read at `now`.
    pub(super) fn see(&mut self, spec: Option<&LeaseSpec>, now: Duration) {
        match (spec, &self.observed) {
            (Some(spec), Some(observed)) if observed.spec == *spec => {}
            (Some(spec), _) => self.observed = Some(Observed { spec: spec.clone(), at: now }),
            (None, _) => self.observed = None,
        }
    }

    pub(super) fn observed(&self) -> Option<&Observed> {
        self.observed.as_ref()
    }
}

/// The decision. A Lease that names no duration is taken to last `otherwise`.
pub(super) fn decide(me: &str, observed: Option<&Observed>, now: Duration, otherwise: Duration) -> Move {
    let Some(Observed { spec, at }) = observed else { return Move::Take };
    if holder(spec).is_empty() {
        return Move::Take;
    }
    if holder(spec) == me {
        return Move::Renew;
    }
    let named = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = named.map_or(otherwise, Duration::from_secs);
    if now.saturating_sub(*at) > duration { Move::Take } else { Move::Wait }
}

/// The record that `me` writes over `before`. Its times are for people and for other
/// implementations; we do not read them.
pub(super) fn record(
    me: &str,
    step: Move,
    before: Option<&LeaseSpec>,
    duration: Duration,
    wall: Timestamp,
) -> LeaseSpec {
    let before = before.cloned().unwrap_or_default();
    let taken = step != Move::Renew;
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)),
        acquire_time: if taken { Some(MicroTime(wall)) } else { before.acquire_time.clone() },
        renew_time: Some(MicroTime(wall)),
        lease_transitions: match before.lease_transitions {
            Some(transitions) if taken => Some(transitions.saturating_add(1)),
            None => Some(0),
            same => same,
        },
        ..before
    }
}

/// The record of a Lease that is given back: nobody's, and soon out.
pub(super) fn released(before: Option<&LeaseSpec>, wall: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        acquire_time: Some(MicroTime(wall)),
        renew_time: Some(MicroTime(wall)),
        ..before.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(15);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn held_by(who: &str, renewed: i64) -> LeaseSpec {
        let wall = Timestamp::from_second(renewed).unwrap();
        record(who, Move::Take, None, DURATION, wall)
    }

    fn after(observer: &Observer, now: u64) -> Move {
        decide("me", observer.observed(), seconds(now), DURATION)
    }

    #[test]
    fn a_lease_that_is_not_there_or_nobodys_is_taken() {
        let mut observer = Observer::default();
        assert_eq!(after(&observer, 0), Move::Take);
        observer.see(Some(&released(Some(&held_by("other", 0)), Timestamp::UNIX_EPOCH)), seconds(1));
        assert_eq!(after(&observer, 1), Move::Take);
    }

    #[test]
    fn a_lease_is_another_s_until_it_has_not_changed_for_its_duration() {
        let mut observer = Observer::default();
        observer.see(Some(&held_by("other", 100)), seconds(1_000));
        assert_eq!(after(&observer, 1_015), Move::Wait);
        assert_eq!(after(&observer, 1_016), Move::Take);
        observer.see(Some(&held_by("other", 102)), seconds(1_014));
        assert_eq!(after(&observer, 1_029), Move::Wait);
        assert_eq!(after(&observer, 1_030), Move::Take);
    }

    #[test]
    fn reading_the_same_record_again_does_not_prolong_it() {
        let mut observer = Observer::default();
        for now in 0..=15 {
            observer.see(Some(&held_by("other", 7)), seconds(now));
        }
        assert_eq!(after(&observer, 16), Move::Take);
    }

    #[test]
    fn the_holder_s_wall_clock_does_not_matter() {
        for renewed in [0, 4_000_000_000] {
            let mut observer = Observer::default();
            observer.see(Some(&held_by("other", renewed)), seconds(5));
            assert_eq!(after(&observer, 20), Move::Wait);
            assert_eq!(after(&observer, 21), Move::Take);
        }
    }

    #[test]
    fn what_is_ours_is_renewed_and_keeps_when_it_was_acquired() {
        let mut observer = Observer::default();
        let before = held_by("me", 100);
        observer.see(Some(&before), seconds(0));
        assert_eq!(after(&observer, 1_000), Move::Renew);
        let wall = Timestamp::from_second(102).unwrap();
        let renewed = record("me", Move::Renew, Some(&before), DURATION, wall);
        assert_eq!(renewed.acquire_time, before.acquire_time);
        assert_eq!(renewed.lease_transitions, Some(0));
        assert_eq!(renewed.renew_time, Some(MicroTime(wall)));
    }

    #[test]
    fn a_take_over_counts_as_a_transition() {
        let wall = Timestamp::from_second(200).unwrap();
        let taken = record("me", Move::Take, Some(&held_by("other", 100)), DURATION, wall);
        assert_eq!((taken.lease_transitions, taken.acquire_time), (Some(1), Some(MicroTime(wall))));
    }

    #[test]
    fn a_duration_below_a_second_is_written_as_one() {
        let spec = record("me", Move::Take, None, Duration::from_millis(300), Timestamp::UNIX_EPOCH);
        assert_eq!(spec.lease_duration_seconds, Some(1));
    }
}
