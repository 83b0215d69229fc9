//! The one home of time in this crate: everything else takes it as an argument or from here.

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the home of time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
