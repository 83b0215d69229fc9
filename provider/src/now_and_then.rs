//! What would fill a log is said now and then, with the number of those that were not said between.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many lines in so long, however often there is something to say.
#[derive(Debug)]
pub(crate) struct NowAndThen {
    most: u32,
    every: Duration,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    /// When the first of `lines` was said.
    since: Option<Instant>,
    lines: u32,
    unsaid: u64,
}

impl NowAndThen {
    /// At most `most` lines in `every`.
    pub(crate) fn new(most: u32, every: Duration) -> Self {
        Self { most, every, said: Mutex::default() }
    }

    /// Whether one may be said, and how many were not said before it.
    pub(crate) fn turn(&self, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.since.is_none_or(|since| now.saturating_duration_since(since) >= self.every) {
            (said.since, said.lines) = (Some(now), 0);
        }
        if said.lines == self.most {
            said.unsaid += 1;
            return None;
        }
        said.lines += 1;
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_that_counts_the_others() {
        let every = Duration::from_secs(10);
        let (lines, start) = (NowAndThen::new(1, every), Instant::now());
        assert_eq!(lines.turn(start), Some(0));
        assert_eq!(lines.turn(start + every / 2), None);
        assert_eq!(lines.turn(start + every / 2), None);
        assert_eq!(lines.turn(start + every), Some(2));
    }

    #[test]
    fn a_few_are_all_said() {
        let every = Duration::from_secs(60);
        let (lines, start) = (NowAndThen::new(3, every), Instant::now());
        assert_eq!(
            [0, 1, 59, 59, 59].map(|second| lines.turn(start + Duration::from_secs(second))),
            [Some(0), Some(0), Some(0), None, None]
        );
        assert_eq!(
            [60, 61, 62, 63].map(|second| lines.turn(start + Duration::from_secs(second))),
            [Some(2), Some(0), Some(0), None]
        );
    }
}
