//! What the index keeps of one published document.

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    Digest, DocumentKind, PasswordSource, RevokedSecret, SecretHash, SecretText, ServiceAccountIssuerDocument,
};
use claviger_jose::{Algorithm, Kid};
use jiff::Timestamp;

use crate::index::claims::Claim;
use crate::index::demands::Demands;

/// One published Secret, without the parts that only a provider needs.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Name of the Secret.
    pub(crate) name: String,
    /// What it was projected from.
    pub(crate) kind: DocumentKind,
    /// The custom resource.
    pub(crate) owner: ObjectName,
    /// UID of the custom resource, as it was when this was written.
    pub(crate) owner_uid: String,
    /// `metadata.uid` of the Secret.
    pub(crate) uid: String,
    /// `metadata.resourceVersion` of the Secret.
    pub(crate) resource_version: String,
    /// As its annotation says.
    pub(crate) revision: u64,
    /// Of the bytes that are really there.
    pub(crate) digest: Digest,
    /// Slug of its tenant.
    pub(crate) tenant: String,
    /// Set in a tombstone.
    pub(crate) withdrawn_at: Option<Timestamp>,
    /// Names of credentials Secrets, from their annotation.
    pub(crate) credentials: BTreeSet<String>,
    /// Whether all of the Secret is as the operator writes it.
    pub(crate) intact: bool,
    /// The digest that this process wrote last; another one here is a foreign edit.
    pub(crate) written: Option<Digest>,
    /// What differs by kind. After a foreign edit made it unreadable: the last that was read.
    pub(crate) detail: Detail,
}

/// What the index keeps of a document, by kind.
#[derive(Clone, Debug)]
pub(crate) enum Detail {
    /// Of a Tenant.
    Tenant {
        /// The issuer's domain of its own.
        host: Option<String>,
        /// The ring that signs access tokens.
        default_signing_key: Option<ObjectName>,
        /// Who issues the tokens of the cluster's ServiceAccounts. Many tenants have the same.
        service_account_issuer: Option<Arc<ServiceAccountIssuerDocument>>,
    },
    /// Of an OAuthClient.
    Client {
        /// `client_id`
        client_id: String,
        /// The audience that it is.
        audience: Option<String>,
        /// Hashes of its secrets.
        hashes: Vec<SecretHash>,
        /// Those that must never be accepted again.
        revoked: Vec<RevokedSecret>,
        /// What it demands of its Tenant while it is served.
        demands: Demands,
    },
    /// Of a ring.
    Ring {
        /// Whether it leaves.
        leaving: bool,
        /// Whether verifiers may not know its keys yet.
        joining: bool,
        /// When it was made.
        created_at: Timestamp,
        /// The greatest `max-age` that it ever asked for, seconds.
        max_cache_lifetime: u32,
        /// The revision in which the Active key entered.
        active_revision: u64,
        /// Of the Active key, if there is one.
        algorithm: Option<Algorithm>,
        /// Of the keys that stand by.
        standby: BTreeSet<Algorithm>,
        /// Every key that is not gone.
        kids: BTreeSet<Kid>,
        /// Keys that never come back, gone or not.
        revoked: BTreeSet<Kid>,
    },
    /// Of a User.
    User {
        /// What a person types.
        username: String,
        /// `sub`
        subject: String,
        /// Hash of its password, and where that came from.
        password: Option<(SecretText, PasswordSource)>,
    },
    /// Never read by this process.
    Unreadable,
}

impl Entry {
    /// Whether somebody else changed it since this process wrote it, or spoilt it.
    pub(crate) fn tampered(&self) -> bool {
        !self.intact || self.written.is_some_and(|written| written != self.digest)
    }

    /// The algorithm that tokens can have by it: none, unless it is a ring that is served, signs and stays.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        match &self.detail {
            Detail::Ring { leaving: false, joining: false, algorithm, .. } if self.serving() => *algorithm,
            _ => None,
        }
    }

    /// Algorithms that tokens may come to have by it: of keys that stand by, or that verifiers may not know yet.
    pub(crate) fn coming_algorithms(&self) -> BTreeSet<Algorithm> {
        match &self.detail {
            Detail::Ring { leaving: false, joining, algorithm, standby, .. } if self.serving() => {
                standby.iter().copied().chain(algorithm.filter(|_| *joining)).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// What it says of the issuer of the cluster's ServiceAccounts, if it is served: a tombstone may be long out of date.
    pub(crate) fn service_account_issuer(&self) -> Option<&Arc<ServiceAccountIssuerDocument>> {
        match &self.detail {
            Detail::Tenant { service_account_issuer, .. } if self.serving() => service_account_issuer.as_ref(),
            _ => None,
        }
    }

    /// What the client demands that is served by it.
    pub(super) fn demands(&self) -> Option<&Demands> {
        match &self.detail {
            Detail::Client { demands, .. } if self.serving() => Some(demands),
            _ => None,
        }
    }

    /// Whether this process ever read what it says.
    pub(crate) fn is_readable(&self) -> bool {
        !matches!(self.detail, Detail::Unreadable)
    }

    /// Whether it is of an OAuthClient.
    pub(crate) fn is_client(&self) -> bool {
        self.kind == DocumentKind::OAuthClient
    }

    /// Whether providers serve it.
    pub(crate) fn serving(&self) -> bool {
        self.withdrawn_at.is_none()
    }

    /// The names that this document records as its owner's.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let tenant = self.tenant.as_str();
        match &self.detail {
            Detail::Tenant { host, .. } => {
                let host = host.iter().map(|host| Claim::Host(host.clone()));
                host.chain([Claim::Slug(tenant.to_owned())]).collect()
            }
            Detail::Client { client_id, audience, .. } => {
                let audience = audience.iter().map(|audience| Claim::audience(tenant, audience));
                audience.chain([Claim::client_id(tenant, client_id)]).collect()
            }
            Detail::User { username, subject, .. } => {
                vec![Claim::username(tenant, username), Claim::subject(tenant, subject)]
            }
            // Its label is enough to say whose slug this is.
            Detail::Unreadable if self.kind == DocumentKind::Tenant => vec![Claim::Slug(tenant.to_owned())],
            Detail::Ring { .. } | Detail::Unreadable => Vec::new(),
        }
    }
}
