//! `aud` of somebody else's token (RFC 7519 §4.1.3): a text, or several.

use serde::Deserialize;

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audiences {
    /// Exactly one.
    One(String),
    /// Several, or none.
    Many(Vec<String>),
}

impl Audiences {
    /// Whether `audience` is one of them.
    pub(crate) fn has(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }

    /// Whether each of them is such, and there is one: what is also for another could be replayed there.
    pub(crate) fn all(&self, such: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => such(one),
            Self::Many(many) => !many.is_empty() && many.iter().all(|one| such(one)),
        }
    }
}
