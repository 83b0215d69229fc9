//! Waits, by two clocks.

use std::time::Duration;

use jiff::Timestamp;

use super::{Action, Decision};
use crate::acknowledgements::UNHEARD;
pub(super) use crate::clock::left;
use crate::clock::{self, Moment};

/// Beyond twice the largest `max-age`: for clocks and requests under way.
const CACHE_MARGIN: Duration = Duration::from_secs(10);
const _: () = assert!(UNHEARD.as_secs() <= CACHE_MARGIN.as_secs(), "what nobody heard of a pod is within the margin");
/// Beyond a token's lifetime: what a verifier's clock may be behind.
const SKEW: Duration = Duration::from_secs(60);

/// For how long a verifier may not know a key, after the last JWK Set without it that bore `max_age`,
/// seconds. Twice, since a cache between may have kept it for as long before.
pub(crate) fn cached_for(max_age: u32) -> Duration {
    Duration::from_secs(2 * u64::from(max_age)) + CACHE_MARGIN
}

/// How long until every verifier knows keys that all pods have served since `since`, where
/// `max_age` is the greatest that was advertised without them, seconds.
pub(crate) fn until_cached(since: Moment, max_age: u32, now: Moment) -> Duration {
    left(since.wall, Some(since), cached_for(max_age), now)
}

/// How long a token may be accepted that lives for `lifetime` seconds.
pub(crate) fn accepted_for(lifetime: u32) -> Duration {
    Duration::from_secs(u64::from(lifetime)) + SKEW
}

/// How long until the wall clock shows `at`.
pub(super) fn until(at: Timestamp, now: Moment) -> Duration {
    clock::until(at, now.wall)
}

/// `at` and `wait` later; the end of time where that is beyond it.
pub(crate) fn after(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// `action` once the wait is over.
pub(super) fn once(action: Action, left: Duration) -> Decision {
    if left.is_zero() {
        Decision { actions: vec![action], ..Decision::default() }
    } else {
        Decision { again: Some(left), ..Decision::default() }
    }
}
