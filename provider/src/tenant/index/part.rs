//! What one document adds to a tenant, and the names that it claims by that.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{Content, Stored, TenantDocument};
use claviger_jose::Kid;

use super::Unusable;
use crate::tenant::oauth_client::Client;
use crate::tenant::ring::Ring;
use crate::tenant::trust::Trust;
use crate::tenant::user::{User, username_key};

/// What a document adds to its tenant, parsed.
pub(super) enum Part {
    /// With the Tenant's own name, and whom it trusts.
    Tenant(ObjectName, TenantDocument, Arc<Trust>),
    Ring(Ring),
    Client(Client),
    User(User),
}

/// Where a part stands.
#[derive(Clone)]
pub(super) enum Place {
    Tenant { slug: Arc<str>, host: Option<Arc<str>> },
    Ring { slug: Arc<str> },
    Client { slug: Arc<str>, id: Arc<str> },
    User { slug: Arc<str>, username: Arc<str>, subject: Arc<str> },
}

/// A name that one document alone may hold. The operator sees to it; this guards the boundary
/// between tenants should it fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// A tenant's.
    Slug(Arc<str>),
    /// A tenant's own.
    Host(Arc<str>),
    /// In the tenant with this slug.
    ClientId(Arc<str>, Arc<str>),
    /// In the tenant with this slug.
    Username(Arc<str>, Arc<str>),
    /// In the tenant with this slug.
    Subject(Arc<str>, Arc<str>),
}

impl Part {
    /// What `stored` is; of a ring, with the keys that are `revoked` as far as this pod knows.
    pub(super) fn parse(stored: &Stored, revoked: &BTreeSet<Kid>) -> Result<Self, Unusable> {
        let document = &stored.document;
        match &document.content {
            Content::Tenant(tenant) if tenant.slug != document.tenant => {
                Err(Unusable::new("a Tenant's slug is not that of the document"))
            }
            Content::Tenant(tenant) => {
                let trust = Trust::parse(tenant)?;
                Ok(Self::Tenant(document.owner.clone(), tenant.clone(), Arc::new(trust)))
            }
            Content::SigningKey(keys) => Ring::parse(&document.owner, keys, revoked).map(Self::Ring),
            Content::OAuthClient(client) => {
                Client::parse(stored.name.as_str().into(), &document.owner, client).map(Self::Client)
            }
            Content::User(user) => Ok(Self::User(User::new(stored.name.as_str().into(), user))),
        }
    }

    pub(super) fn place(&self, slug: &str) -> Place {
        let slug = slug.into();
        match self {
            Self::Tenant(_, tenant, _) => Place::Tenant { slug, host: tenant.host.as_deref().map(Into::into) },
            Self::Ring(_) => Place::Ring { slug },
            Self::Client(client) => Place::Client { slug, id: Arc::clone(&client.id) },
            Self::User(user) => {
                Place::User { slug, username: username_key(&user.username).into(), subject: Arc::clone(&user.subject) }
            }
        }
    }
}

impl Place {
    pub(super) fn slug(&self) -> Arc<str> {
        let (Self::Tenant { slug, .. } | Self::Ring { slug } | Self::Client { slug, .. } | Self::User { slug, .. }) =
            self;
        Arc::clone(slug)
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        match self {
            Self::Tenant { slug, host } => {
                let host = host.iter().map(|host| Claim::Host(Arc::clone(host)));
                std::iter::once(Claim::Slug(Arc::clone(slug))).chain(host).collect()
            }
            Self::Client { slug, id } => vec![Claim::ClientId(Arc::clone(slug), Arc::clone(id))],
            Self::User { slug, username, subject } => vec![
                Claim::Username(Arc::clone(slug), Arc::clone(username)),
                Claim::Subject(Arc::clone(slug), Arc::clone(subject)),
            ],
            Self::Ring { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slug(slug) => write!(f, "the slug {slug}"),
            Self::Host(host) => write!(f, "the host {host}"),
            Self::ClientId(_, id) => write!(f, "the client ID {id}"),
            Self::Username(_, username) => write!(f, "the user name {username}"),
            Self::Subject(_, subject) => write!(f, "the subject {subject}"),
        }
    }
}
