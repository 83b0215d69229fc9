//! The published documents as they stand: what the index keeps of each, and who holds which name.

mod read;

use std::collections::{BTreeSet, HashMap};

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Digest, DocumentKind, SecretHash};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;

use super::claims::{Claim, Claims};

/// On a client's document: the names of the credentials Secrets made for it, separated by commas,
/// so that the sweep finds them when the client is long gone.
pub(crate) const ANNOTATION_CREDENTIALS: &str = "claviger.dev/credentials";

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
    },
    /// Of an OAuthClient.
    Client {
        /// `client_id`
        client_id: String,
        /// The audience that it is.
        audience: Option<String>,
        /// Hashes of its secrets.
        hashes: Vec<SecretHash>,
    },
    /// Of a ring.
    Ring {
        /// Whether one of its keys is Active.
        active: bool,
        /// Whether it leaves.
        leaving: bool,
        /// When it was made.
        created_at: Timestamp,
        /// `max-age` that it asks for, seconds.
        cache_lifetime: u32,
    },
    /// Of a User.
    User {
        /// What a person types.
        username: String,
        /// `sub`
        subject: String,
    },
    /// Never read by this process.
    Unreadable,
}

impl Entry {
    /// Whether somebody else changed it since this process wrote it, or spoilt it.
    pub(crate) fn tampered(&self) -> bool {
        !self.intact || self.written.is_some_and(|written| written != self.digest)
    }

    /// Whether providers serve it.
    pub(crate) fn serving(&self) -> bool {
        self.withdrawn_at.is_none()
    }

    /// The names that this document records as its owner's.
    fn claims(&self) -> Vec<Claim> {
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
            Detail::User { username, subject } => {
                vec![Claim::username(tenant, username), Claim::subject(tenant, subject)]
            }
            Detail::Ring { .. } | Detail::Unreadable => Vec::new(),
        }
    }
}

/// Every published document.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    entries: HashMap<String, Entry>,
    /// Documents that vanished without having been withdrawn, as they stood last.
    lost: HashMap<String, Entry>,
    /// What is being written: its event may come before the write returns.
    writing: HashMap<String, Digest>,
    recorded: Claims,
    by_kind: HashMap<DocumentKind, BTreeSet<String>>,
    by_tenant: HashMap<String, BTreeSet<ObjectName>>,
}

impl Documents {
    /// The document `name`, as it stands.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The document of `owner`.
    pub(crate) fn of(&self, kind: DocumentKind, owner: &ObjectName) -> Option<&Entry> {
        self.get(&names::published_secret(kind.as_str(), owner))
    }

    /// The document `name` as it stood when it vanished.
    pub(crate) fn lost(&self, name: &str) -> Option<&Entry> {
        self.lost.get(name)
    }

    /// Whose name `claim` is, by what was published.
    pub(crate) fn holders(&self, claim: &Claim) -> &[ObjectName] {
        self.recorded.of(claim)
    }

    /// Owners of the rings with a document of the tenant `slug`.
    pub(crate) fn rings(&self, slug: &str) -> impl Iterator<Item = &Entry> {
        let owners = self.by_tenant.get(slug).into_iter().flatten();
        owners.filter_map(|owner| self.of(DocumentKind::SigningKey, owner))
    }

    /// All documents of `kind`.
    pub(crate) fn of_kind(&self, kind: DocumentKind) -> impl Iterator<Item = &Entry> {
        self.by_kind.get(&kind).into_iter().flatten().filter_map(|name| self.entries.get(name))
    }

    /// This process is about to write `digest` as the document `name`.
    pub(crate) fn writing(&mut self, name: &str, digest: Digest) {
        self.writing.insert(name.to_owned(), digest);
    }

    /// Takes in a Secret, seen by the watch or returned by a write of ours. Returns what stood
    /// there before, the names that gained or lost a holder, and the document's kind and owner.
    pub(crate) fn apply(&mut self, secret: &Secret, written: bool) -> Option<Applied> {
        let name = secret.metadata.name.as_deref()?;
        let before = self.remove(name);
        let earlier = before.as_ref().or_else(|| self.lost.get(name));
        let mut entry = read::read(secret, earlier)?;
        entry.written = match (written, self.writing.get(name)) {
            (true, _) => {
                self.writing.remove(name);
                Some(entry.digest)
            }
            (false, Some(writing)) if *writing == entry.digest => Some(entry.digest),
            (false, _) => earlier.and_then(|earlier| earlier.written),
        };
        self.lost.remove(name);
        let mut claims: BTreeSet<Claim> = entry.claims().into_iter().collect();
        if let Some(before) = &before {
            claims =
                before.claims().into_iter().collect::<BTreeSet<_>>().symmetric_difference(&claims).cloned().collect();
        }
        let served = before.as_ref().is_some_and(Entry::serving) != entry.serving();
        let applied =
            Applied { kind: entry.kind, owner: entry.owner.clone(), tenant: entry.tenant.clone(), claims, served };
        self.insert(entry);
        Some(applied)
    }

    /// The Secret `name` is gone. One that was not withdrawn is lost, and kept in mind.
    pub(crate) fn delete(&mut self, name: &str) -> Option<Applied> {
        let entry = self.remove(name)?;
        let applied = Applied {
            kind: entry.kind,
            owner: entry.owner.clone(),
            tenant: entry.tenant.clone(),
            claims: entry.claims().into_iter().collect(),
            served: entry.serving(),
        };
        self.writing.remove(name);
        if entry.serving() {
            self.lost.insert(name.to_owned(), entry);
        }
        Some(applied)
    }

    fn insert(&mut self, entry: Entry) {
        for claim in entry.claims() {
            self.recorded.insert(claim, entry.owner.clone());
        }
        self.by_kind.entry(entry.kind).or_default().insert(entry.name.clone());
        if entry.kind == DocumentKind::SigningKey {
            self.by_tenant.entry(entry.tenant.clone()).or_default().insert(entry.owner.clone());
        }
        self.entries.insert(entry.name.clone(), entry);
    }

    fn remove(&mut self, name: &str) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        for claim in entry.claims() {
            self.recorded.remove(&claim, &entry.owner);
        }
        if let Some(names) = self.by_kind.get_mut(&entry.kind) {
            names.remove(name);
        }
        if let Some(owners) = self.by_tenant.get_mut(&entry.tenant) {
            owners.remove(&entry.owner);
            if owners.is_empty() {
                self.by_tenant.remove(&entry.tenant);
            }
        }
        Some(entry)
    }
}

/// What a change of a document touched.
#[derive(Debug)]
pub(crate) struct Applied {
    /// Kind of the document.
    pub(crate) kind: DocumentKind,
    /// Its owner.
    pub(crate) owner: ObjectName,
    /// Slug of its tenant.
    pub(crate) tenant: String,
    /// Names that gained or lost a holder.
    pub(crate) claims: BTreeSet<Claim>,
    /// Whether it began or ceased to be served.
    pub(crate) served: bool,
}
