//! The claims that are times (RFC 7519 §4.1.4–6), and their check: pure, for the time is an argument.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json_object::Members;

/// `exp`, `nbf` and `iat`, seconds since 1970. Read as claims are checked for unique members.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// A token is not of this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TimeError {
    /// It has no `exp`, and would live for ever.
    #[error("the token has no exp")]
    NoExpiry,
    /// `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is yet to come.
    #[error("the token is not valid yet")]
    NotYet,
}

// === impl Times ===

impl Times {
    /// Whether the token lives at `now`, seconds since 1970.
    pub(super) fn check(self, now: i64, leeway: Duration) -> Result<(), TimeError> {
        self.check_even_if_expired(now, leeway)?;
        self.check_end(now, leeway)
    }

    /// Whether `exp` is ahead.
    pub(super) fn check_end(self, now: i64, leeway: Duration) -> Result<(), TimeError> {
        match self.exp {
            // "Before", not "until": at `exp` itself it is over (RFC 7519 §4.1.4).
            Some(exp) if now < exp.saturating_add(seconds(leeway)) => Ok(()),
            _ => Err(TimeError::Expired),
        }
    }

    /// Whether the token lives, or has lived, at `now`.
    pub(super) fn check_even_if_expired(self, now: i64, leeway: Duration) -> Result<(), TimeError> {
        let Self { exp, nbf, iat } = self;
        if exp.is_none() {
            return Err(TimeError::NoExpiry);
        }
        let latest = now.saturating_add(seconds(leeway));
        if [nbf, iat].into_iter().flatten().any(|start| start > latest) {
            return Err(TimeError::NotYet);
        }
        Ok(())
    }
}

impl Members for Times {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<(), A::Error> {
        let time = match name {
            "exp" => &mut self.exp,
            "nbf" => &mut self.nbf,
            "iat" => &mut self.iat,
            _ => return object.next_value::<IgnoredAny>().map(|_| ()),
        };
        *time = Some(object.next_value::<NumericDate>()?.0);
        Ok(())
    }
}

fn seconds(leeway: Duration) -> i64 {
    i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX)
}

// === NumericDate ===

/// A JSON number of seconds since 1970 (RFC 7519 §2). Foreign issuers write fractions; they are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(pub i64);

struct NumericDateVisitor;

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumericDateVisitor).map(Self)
    }
}

impl Visitor<'_> for NumericDateVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970")
    }

    fn visit_i64<E>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::custom("a time out of range"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<i64, E> {
        /// Up to here a float counts in ones.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.abs() <= EXACT { Ok(value.floor() as i64) } else { Err(E::custom("a time out of range")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json_object;
    use super::*;

    const NOW: i64 = 1_000_000;
    const LEEWAY: Duration = Duration::from_secs(10);

    fn times(claims: &str) -> Times {
        json_object::read(claims).unwrap()
    }

    #[test]
    fn a_token_lives_from_iat_and_nbf_until_just_before_exp_with_leeway_on_both_sides() {
        for (claims, expected) in [
            (r#"{"exp": 1000001}"#, Ok(())),
            (r#"{"exp": 1000001.5, "iat": 999999.9}"#, Ok(())),
            (r#"{"exp": 999991}"#, Ok(())),
            (r#"{"exp": 999990}"#, Err(TimeError::Expired)),
            (r#"{"exp": 999990.9}"#, Err(TimeError::Expired)),
            (r#"{"exp": -1}"#, Err(TimeError::Expired)),
            (r#"{"exp": 2000000, "nbf": 1000010, "iat": 1000010}"#, Ok(())),
            (r#"{"exp": 2000000, "nbf": 1000011}"#, Err(TimeError::NotYet)),
            (r#"{"exp": 2000000, "iat": 1000011}"#, Err(TimeError::NotYet)),
            (r#"{"iat": 999999}"#, Err(TimeError::NoExpiry)),
        ] {
            assert_eq!(times(claims).check(NOW, LEEWAY), expected, "{claims}");
        }
        assert_eq!(times(r#"{"exp": 1000000}"#).check(NOW, Duration::ZERO), Err(TimeError::Expired));
    }

    #[test]
    fn expired_is_fine_only_where_it_is_asked_for_and_nothing_else_is() {
        assert_eq!(times(r#"{"exp": 1}"#).check_even_if_expired(NOW, LEEWAY), Ok(()));
        assert_eq!(times(r#"{"exp": 1, "iat": 2000000}"#).check_even_if_expired(NOW, LEEWAY), Err(TimeError::NotYet));
        assert_eq!(times("{}").check_even_if_expired(NOW, LEEWAY), Err(TimeError::NoExpiry));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let last = format!(r#"{{"exp": {}, "nbf": {}}}"#, i64::MAX, i64::MIN);
        assert_eq!(times(&last).check(NOW, Duration::MAX), Ok(()));
        assert_eq!(times(&last).check(i64::MAX, Duration::ZERO), Err(TimeError::Expired));
    }

    #[test]
    fn a_time_that_is_no_number_is_unreadable() {
        for bad in [r#""1000001""#, "null", "true", "[1]", "18446744073709551615", "1e300", "-1e300"] {
            assert!(json_object::read::<Times>(&format!(r#"{{"exp": {bad}}}"#)).is_none(), "{bad}");
        }
    }
}
