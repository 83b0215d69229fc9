//! Names that only one object may hold, and who says that they are its own.

use std::collections::HashMap;

use claviger_crds::names::ObjectName;

/// A name that only one object may hold. The scope of names within a tenant is the tenant: by its
/// slug where documents speak, by `<namespace>/<name>` where custom resources do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Claim {
    /// A tenant's path segment.
    Slug(String),
    /// A tenant's domain.
    Host(String),
    /// A client's ID, in its tenant.
    ClientId(String, String),
    /// A resource server's audience, in its tenant.
    Audience(String, String),
    /// A user's login name, in its tenant.
    Username(String, String),
    /// A user's `sub`, in its tenant.
    Subject(String, String),
}

impl Claim {
    pub(crate) fn client_id(scope: &str, client_id: &str) -> Self {
        Self::ClientId(scope.to_owned(), client_id.to_owned())
    }

    pub(crate) fn audience(scope: &str, audience: &str) -> Self {
        Self::Audience(scope.to_owned(), audience.to_owned())
    }

    pub(crate) fn username(scope: &str, username: &str) -> Self {
        Self::Username(scope.to_owned(), username.to_owned())
    }

    pub(crate) fn subject(scope: &str, subject: &str) -> Self {
        Self::Subject(scope.to_owned(), subject.to_owned())
    }

    /// The tenant within which it is a name.
    pub(crate) fn scope(&self) -> Option<&str> {
        match self {
            Self::Slug(_) | Self::Host(_) => None,
            Self::ClientId(scope, _)
            | Self::Audience(scope, _)
            | Self::Username(scope, _)
            | Self::Subject(scope, _) => Some(scope),
        }
    }

    /// The same name in another scope.
    pub(crate) fn within(&self, scope: &str) -> Self {
        match self {
            Self::Slug(_) | Self::Host(_) => self.clone(),
            Self::ClientId(_, name) => Self::client_id(scope, name),
            Self::Audience(_, name) => Self::audience(scope, name),
            Self::Username(_, name) => Self::username(scope, name),
            Self::Subject(_, name) => Self::subject(scope, name),
        }
    }
}

/// Who makes which claim. Nearly all have one claimant: sorted vectors cost the least.
#[derive(Debug, Default)]
pub(crate) struct Claims(HashMap<Claim, Vec<ObjectName>>);

impl Claims {
    pub(crate) fn insert(&mut self, claim: Claim, claimant: ObjectName) {
        let claimants = self.0.entry(claim).or_default();
        if let Err(at) = claimants.binary_search(&claimant) {
            claimants.insert(at, claimant);
        }
    }

    pub(crate) fn remove(&mut self, claim: &Claim, claimant: &ObjectName) {
        if let Some(claimants) = self.0.get_mut(claim) {
            claimants.retain(|other| other != claimant);
            if claimants.is_empty() {
                self.0.remove(claim);
            }
        }
    }

    /// All that make `claim`, in the order of their names.
    pub(crate) fn of(&self, claim: &Claim) -> &[ObjectName] {
        self.0.get(claim).map_or(&[], Vec::as_slice)
    }
}
