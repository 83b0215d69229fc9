//! Between signature and times.

use std::time::Duration;

use super::times::{TimeError, Times};

/// A token whose signature is good, and whose times nobody has looked at yet. It shows nothing: an
/// expired token cannot be used by forgetting to check.
#[derive(Debug)]
#[must_use = "it gives the token once its times are checked"]
pub struct Signed<T> {
    token: T,
    times: Times,
}

// === impl Signed ===

impl<T> Signed<T> {
    /// Only the verifiers beside this file make one.
    pub(super) fn new(token: T, times: Times) -> Self {
        Self { token, times }
    }

    /// The token, if it lives at `now`, seconds since 1970, by clocks that differ by `leeway` at most.
    ///
    /// # Errors
    /// [`TimeError`]: `exp` must be there and ahead, `nbf` and `iat` must not be ahead.
    pub fn at(self, now: i64, leeway: Duration) -> Result<T, TimeError> {
        self.times.check(now, leeway)?;
        Ok(self.token)
    }

    /// The token, if it lives at `now`, where another process of the same issuer made it, whose clock is
    /// `ahead` at most: that may put its beginning off, and never its end.
    ///
    /// # Errors
    /// [`TimeError`]: `exp` must be there and ahead, `nbf` and `iat` must not be further ahead.
    pub fn of_a_peer(self, now: i64, ahead: Duration) -> Result<T, TimeError> {
        self.times.check_even_if_expired(now, ahead)?;
        self.times.check_end(now, Duration::ZERO)?;
        Ok(self.token)
    }

    /// The token, even if it has expired. **It authorises nothing**: for an `id_token_hint` alone, which
    /// says who was here (OpenID Connect RP-Initiated Logout 1.0 §2).
    ///
    /// # Errors
    /// [`TimeError`]: `exp` must be there, `nbf` and `iat` must not be ahead.
    pub fn even_if_expired(self, now: i64, leeway: Duration) -> Result<T, TimeError> {
        self.times.check_even_if_expired(now, leeway)?;
        Ok(self.token)
    }
}
