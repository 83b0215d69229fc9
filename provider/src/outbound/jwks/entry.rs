//! What is remembered of one URI, and what follows from it: pure, but for the locks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::JwksError;

/// How long a set is used without asking, if its server does not say.
const FRESH: Duration = Duration::from_mins(5);
/// No server makes us ask more often, ...
const SHORTEST: Duration = Duration::from_mins(1);
/// ... and none less often: a key that was withdrawn is gone after that.
const LONGEST: Duration = Duration::from_hours(1);
/// How long after that a set is still used while its server fails.
const STALE: Duration = Duration::from_hours(1);
/// How long a failed server is left alone.
const FAILED: Duration = Duration::from_secs(10);
/// Keys that are not in a fresh set are looked for so often.
const SOUGHT: Duration = Duration::from_mins(1);

/// What somebody wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// The set.
    Set,
    /// A newer one, for a key that was not in the one they got after `begun`.
    Newer { begun: Instant },
}

/// What is to be done for them.
pub(super) enum Next<T> {
    /// Use these.
    Use(Arc<T>),
    /// There are none, and asking again is too early.
    Fail(JwksError),
    /// Ask.
    Fetch,
}

/// What is known of one URI.
pub(super) struct Entry<T> {
    uri: String,
    state: Mutex<State<T>>,
    /// Held by the one who fetches. Apart from the state, so that nobody waits who finds a fresh set.
    flight: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    held: Option<Held<T>>,
    failed: Option<(JwksError, Instant)>,
    sought: Option<Instant>,
}

struct Held<T> {
    set: Arc<T>,
    received: Instant,
    fresh: Duration,
}

/// The entries, so many at most.
pub(super) struct Entries<T> {
    capacity: usize,
    entries: Mutex<HashMap<String, Used<T>>>,
}

struct Used<T> {
    entry: Arc<Entry<T>>,
    last: Instant,
}

// === impl Next ===

impl<T> Next<T> {
    /// The result, unless it has to be fetched.
    pub(super) fn result(self) -> Option<Result<Arc<T>, JwksError>> {
        match self {
            Self::Use(set) => Some(Ok(set)),
            Self::Fail(error) => Some(Err(error)),
            Self::Fetch => None,
        }
    }
}

// === impl Entry ===

impl<T> Entry<T> {
    fn new(uri: &str) -> Self {
        let state = State { held: None, failed: None, sought: None };
        Self { uri: uri.to_owned(), state: Mutex::new(state), flight: Arc::default() }
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn flight(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.flight
    }

    /// What is to be done for somebody who wants `want`.
    pub(super) fn next(&self, want: Want, now: Instant) -> Next<T> {
        let state = lock(&self.state);
        let failure = state.failure(now);
        match (&state.held, want) {
            (Some(held), Want::Set) if held.is_fresh(now) => held.used(),
            (Some(held), Want::Set) if failure.is_some() && held.is_bearable(now) => held.used(),
            // It came after they began to ask: it cannot be newer.
            (Some(held), Want::Newer { begun }) if held.received >= begun => held.used(),
            _ if let Some(error) = failure => Next::Fail(error),
            (Some(held), Want::Newer { .. }) if state.was_sought(now) => held.used(),
            _ => Next::Fetch,
        }
    }

    /// A fetch begins because somebody wants `want`.
    pub(super) fn begin(&self, want: Want, now: Instant) {
        if let Want::Newer { .. } = want {
            lock(&self.state).sought = Some(now);
        }
    }

    /// A fetch ended: a set and its `max-age`, or a failure, which leaves the set that is held.
    pub(super) fn end(&self, fetched: Result<(T, Option<Duration>), JwksError>, now: Instant) {
        let mut state = lock(&self.state);
        match fetched {
            Ok((set, max_age)) => {
                let fresh = max_age.unwrap_or(FRESH).clamp(SHORTEST, LONGEST);
                state.held = Some(Held { set: Arc::new(set), received: now, fresh });
                state.failed = None;
            }
            Err(error) => state.failed = Some((error, now)),
        }
    }
}

impl<T> State<T> {
    /// The failure that keeps us from asking again.
    fn failure(&self, now: Instant) -> Option<JwksError> {
        let (error, at) = self.failed.as_ref()?;
        (now < *at + FAILED).then(|| error.clone())
    }

    fn was_sought(&self, now: Instant) -> bool {
        self.sought.is_some_and(|sought| now < sought + SOUGHT)
    }
}

impl<T> Held<T> {
    fn is_fresh(&self, now: Instant) -> bool {
        now < self.received + self.fresh
    }

    /// Better than nothing, while the server fails.
    fn is_bearable(&self, now: Instant) -> bool {
        now < self.received + self.fresh + STALE
    }

    fn used(&self) -> Next<T> {
        Next::Use(Arc::clone(&self.set))
    }
}

// === impl Entries ===

impl<T> Entries<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    /// The entry of `uri`, a new one if there is none. Who comes on top takes the place of the one that
    /// was used longest ago: to look through all of them costs less than the fetch that follows.
    pub(super) fn entry(&self, uri: &str, now: Instant) -> Arc<Entry<T>> {
        let mut entries = lock(&self.entries);
        if let Some(used) = entries.get_mut(uri) {
            used.last = now;
            return Arc::clone(&used.entry);
        }
        if entries.len() >= self.capacity {
            let oldest = entries.iter().min_by_key(|(_, used)| used.last).map(|(uri, _)| uri.clone());
            oldest.map(|oldest| entries.remove(&oldest));
        }
        let entry = Arc::new(Entry::new(uri));
        entries.insert(uri.to_owned(), Used { entry: Arc::clone(&entry), last: now });
        entry
    }
}

/// Nothing panics under these locks, and what they hold is whole between any two lines.
fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
