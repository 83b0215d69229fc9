//! Durations as Kubernetes writes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Unusable;

/// A duration in whole seconds, written as in GEP-2257 (`10m`, `1h30m`, `720h`). Milliseconds,
/// which the GEP knows too, are refused: nothing here is that fine, and a rounded value would not
/// be the declared one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration(u32);

const EXPECTED: &str = "must be a duration of hours, minutes and whole seconds, such as 10m, 1h30m or 720h";

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// So many hours.
    pub const fn from_hours(hours: u32) -> Self {
        Self(hours * 3600)
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Unusable> {
        let mut rest = text;
        let mut seconds = 0_u32;
        // Three parts of five digits are below 2^32 seconds: no overflow to guard against.
        for _ in 0..3 {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=5).contains(&digits) {
                return Err(Unusable(EXPECTED));
            }
            let (number, tail) = rest.split_at(digits);
            let unit = match tail.bytes().next() {
                Some(b'h') => 3600,
                Some(b'm') => 60,
                Some(b's') => 1,
                _ => return Err(Unusable(EXPECTED)),
            };
            seconds += unit * number.parse::<u32>().map_err(|_| Unusable(EXPECTED))?;
            rest = &tail[1..];
            if rest.is_empty() {
                return Ok(Self(seconds));
            }
        }
        Err(Unusable(EXPECTED))
    }
}

/// Canonical: hours, minutes, seconds, without those that are zero.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if seconds > 0 || self.0 == 0 {
            write!(f, "{seconds}s")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "maxLength": 18,
            "pattern": "^([0-9]{1,5}(h|m|s)){1,3}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_kubernetes_writes_them() {
        for (text, seconds) in [
            ("10m", 600),
            ("1h30m", 5400),
            ("720h", 2_592_000),
            ("0s", 0),
            ("1h1m1s", 3661),
            ("99999h99999h99999h", 1_079_989_200),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "10", "h", "1.5h", "10ms", "1d", "-1s", " 1s", "1s ", "100000s", "1h1h1h1h", "1H"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in 0_u32..99_999 * 3600) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }
}
