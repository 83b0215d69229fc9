//! The clock of `claviger dev`: the machine's, or with `--clock-speed` a faster one.
//!
//! Everything in the process tells the time by it, the provider too: where keys age in fast motion, so
//! do the tokens that they sign, and no key leaves the JWK Set before its tokens have expired. What it
//! is ahead of the machine's clock is kept in the state folder, for a clock that went back at a
//! restart would leave keys that were made in the future.

use std::sync::Arc;
use std::time::Duration;

use claviger_operator::clock::{Clock, Moment, SystemClock};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::embedded::{Ahead, Embedded, State};

/// How often it is kept how far ahead the clock is.
const EVERY: Duration = Duration::from_secs(1);
/// So much more is kept than has passed, for a process that is killed keeps nothing.
const RESERVE: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct DevClock {
    /// The machine's clock, by which other programs judge certificates.
    pub(super) machine: SystemClock,
    /// What it was ahead when it began.
    ahead: Duration,
    speed: u32,
}

impl DevClock {
    /// Begins where the clock of the state folder ended.
    ///
    /// # Errors
    /// When what was kept of it cannot be read.
    pub(super) fn open(state: &State, speed: u32) -> anyhow::Result<Self> {
        let ahead = Duration::from_secs(state.ahead()?.seconds);
        let clock = Self { machine: SystemClock::new(), ahead, speed };
        if clock.is_fast() {
            state.keep_ahead(clock.ahead_after(RESERVE))?;
        }
        Ok(clock)
    }

    /// What a person must know of it, if anything.
    pub(super) fn told(&self) -> Option<String> {
        let now = seconds(Clock::now(self).wall);
        match (self.is_fast(), self.ahead.is_zero()) {
            (true, _) => Some(format!(
                "the clock runs {} times as fast and shows {now}: keys, tokens and logins all live by it, and this \
                 state folder stays ahead of everybody's time\n",
                self.speed
            )),
            (false, false) => Some(format!(
                "the clock shows {now}: it was fast before, with this state folder. Nobody else believes such tokens yet: \
                 for everybody's time take another --state\n"
            )),
            (false, true) => None,
        }
    }

    /// The time, where it is not everybody's.
    pub(super) fn shown(&self) -> Option<Timestamp> {
        self.is_fast().then(|| seconds(Clock::now(self).wall))
    }

    /// Keeps how far ahead it is, until `shutdown`.
    pub(super) async fn keep(self, cluster: Arc<Embedded>, shutdown: CancellationToken) {
        let mut reserve = RESERVE;
        while self.is_fast() && !reserve.is_zero() {
            // After the last the process may have as long to end as it likes.
            if shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                reserve = Duration::ZERO;
            }
            let ahead = self.ahead_after(reserve.max(EVERY));
            if let Err(error) = cluster.keep_ahead(ahead) {
                tracing::warn!("the state folder does not keep the clock: {error}");
            }
        }
    }

    fn is_fast(&self) -> bool {
        self.speed > 1
    }

    /// How far ahead it is in `time` of the machine's.
    fn ahead_after(&self, time: Duration) -> Ahead {
        let passed = self.machine.now().monotonic.saturating_add(time);
        Ahead { seconds: self.ahead_of(passed).as_secs().saturating_add(1) }
    }

    fn ahead_of(&self, passed: Duration) -> Duration {
        self.ahead.saturating_add(passed.saturating_mul(self.speed.saturating_sub(1)))
    }
}

impl Clock for DevClock {
    fn now(&self) -> Moment {
        let now = self.machine.now();
        let wall = now.wall.checked_add(self.ahead_of(now.monotonic)).unwrap_or(Timestamp::MAX);
        Moment { wall, ..now }
    }

    fn pace(&self) -> u32 {
        self.speed
    }
}

impl claviger_provider::clock::Clock for DevClock {
    fn now(&self) -> Timestamp {
        Clock::now(self).wall
    }
}

fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
