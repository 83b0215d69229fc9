//! How short and how long each kind of duration may be: one table for the schema and for `parse`.

use kube::core::Rule;

use super::Duration;

/// The least and the most that a duration may be, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    least: Duration,
    most: Duration,
}

const HOUR: u32 = 3600;

/// Access tokens: a leaked one works as long as it lives.
pub(crate) const ACCESS_TOKEN: Bounds = Bounds::new(1, 24 * HOUR);
/// ID tokens.
pub(crate) const ID_TOKEN: Bounds = Bounds::new(1, 24 * HOUR);
/// Authorization codes: ten minutes at most (RFC 6749 §4.1.2).
pub(crate) const AUTHORIZATION_CODE: Bounds = Bounds::new(1, 600);
/// Refresh tokens, from the grant or unused: five years at most.
pub(crate) const REFRESH_TOKEN: Bounds = Bounds::new(1, 43_800 * HOUR);
/// How long a refresh token that was used yields its successor again; 0 is off. Nobody needs a minute.
pub(crate) const REFRESH_TOKEN_GRACE: Bounds = Bounds::new(0, 60);
/// Sessions: a year at most.
pub(crate) const SESSION: Bounds = Bounds::new(1, 8_760 * HOUR);
/// Between rotations of a ring: five years at most.
pub(crate) const KEY_INTERVAL: Bounds = Bounds::new(1, 43_800 * HOUR);
/// A standby's time in the JWK Set before it may sign.
pub(crate) const PUBLISH_AHEAD: Bounds = Bounds::new(1, 8_760 * HOUR);
/// `max-age` of the JWK Set.
pub(crate) const CACHE_LIFETIME: Bounds = Bounds::new(1, 24 * HOUR);
/// Between rotations of a client's secret: five years at most.
pub(crate) const CLIENT_SECRET_INTERVAL: Bounds = Bounds::new(60, 43_800 * HOUR);
/// How long the secret before still works.
pub(crate) const CLIENT_SECRET_OVERLAP: Bounds = Bounds::new(1, 8_760 * HOUR);

impl Bounds {
    const fn new(least: u32, most: u32) -> Self {
        Self { least: Duration::from_secs(least), most: Duration::from_secs(most) }
    }

    /// What is said of a duration outside.
    pub fn message(self) -> String {
        format!("must be between {} and {}", self.least, self.most)
    }

    /// Whether `duration` lies inside.
    pub fn holds(self, duration: Duration) -> bool {
        self.least <= duration && duration <= self.most
    }

    /// The same as a rule of the schema.
    pub(crate) fn rule(self) -> Rule {
        let Self { least, most } = self;
        Rule::new(format!("duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"))
            .message(self.message().as_str())
    }
}
