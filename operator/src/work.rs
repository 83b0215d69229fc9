//! What is reconciled: one custom resource by kind and name, and what comes after it.

use std::fmt;
use std::time::Duration;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::DocumentKind;

/// The kinds of custom resources. Also a metric label: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One issuer.
    Tenant,
    /// One ring of signing keys.
    SigningKey,
    /// One relying party.
    OAuthClient,
    /// One local account.
    User,
    /// One upstream.
    IdentityProvider,
}

impl Kind {
    /// The kind as Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::SigningKey => "SigningKey",
            Self::OAuthClient => "OAuthClient",
            Self::User => "User",
            Self::IdentityProvider => "IdentityProvider",
        }
    }
}

impl From<DocumentKind> for Kind {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Tenant => Self::Tenant,
            DocumentKind::SigningKey => Self::SigningKey,
            DocumentKind::OAuthClient => Self::OAuthClient,
            DocumentKind::User => Self::User,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One custom resource that may need work. It need not exist: a deleted SigningKey's ring still
/// has to leave in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: ObjectName,
}

impl Work {
    /// The work on `name` of `kind`.
    pub fn new(kind: Kind, name: ObjectName) -> Self {
        Self { kind, name }
    }

    /// Name of the published Secret of this resource.
    pub fn document(&self) -> String {
        names::published_secret(self.kind.as_str(), &self.name)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// When a finished reconcile wants to be run again though nothing changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// In this long; `None` only when something changes.
    pub after: Option<Duration>,
}

impl Next {
    /// Only when something changes.
    pub const IDLE: Self = Self { after: None };

    /// In `after` at the latest.
    pub fn after(after: Duration) -> Self {
        Self { after: Some(after) }
    }

    /// The sooner of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { after: self.after.into_iter().chain(other.after).min() }
    }
}
