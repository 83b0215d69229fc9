//! The published documents as they stand: what the index keeps of each, and who holds which name.

mod entry;
mod issuers;
mod read;

use std::collections::{BTreeSet, HashMap};

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Digest, DocumentKind, ServiceAccountIssuerDocument};
use k8s_openapi::api::core::v1::Secret;

use super::claims::{Claim, Claims};
use super::demands::{Sum, Sums};

pub(crate) use self::entry::{Detail, Entry};
use self::issuers::Issuers;

/// On a client's document: the names of the credentials Secrets made for it, separated by commas,
/// so that the sweep finds them when the client is long gone.
pub(crate) const ANNOTATION_CREDENTIALS: &str = "claviger.dev/credentials";

/// Every published document.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    entries: HashMap<String, Entry>,
    /// Documents that vanished without having been withdrawn, as they stood last. Providers go on
    /// serving them, so their names stay recorded until they are written again, or withdrawn.
    lost: HashMap<String, Entry>,
    /// What is being written: its event may come before the write returns.
    writing: HashMap<String, Digest>,
    /// The resourceVersion that was read of each last. Only writes of ours are ahead of it.
    shown: HashMap<String, u64>,
    recorded: Claims,
    /// What the clients that are served demand, by slug.
    demands: Sums<String>,
    by_kind: HashMap<DocumentKind, BTreeSet<String>>,
    by_tenant: HashMap<String, BTreeSet<ObjectName>>,
    issuers: Issuers,
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

    /// All that stand of one kind.
    pub(crate) fn of_kind(&self, kind: DocumentKind) -> impl Iterator<Item = &Entry> {
        self.by_kind.get(&kind).into_iter().flatten().filter_map(|name| self.get(name))
    }

    /// The document `name` as it stood when it vanished.
    pub(crate) fn lost(&self, name: &str) -> Option<&Entry> {
        self.lost.get(name)
    }

    /// What the served documents say of the issuer of ServiceAccounts; where they differ, the newest.
    pub(crate) fn service_account_issuer(&self) -> Option<&ServiceAccountIssuerDocument> {
        self.issuers.newest()
    }

    /// Whose name `claim` is, by what was published.
    pub(crate) fn holders(&self, claim: &Claim) -> &[ObjectName] {
        self.recorded.of(claim)
    }

    /// The names that gain or lose a holder where the document `name` becomes `after`.
    pub(crate) fn difference(&self, name: &str, after: Option<&Entry>) -> BTreeSet<Claim> {
        let claims = |entry: Option<&Entry>| entry.map(Entry::claims).into_iter().flatten().collect::<BTreeSet<_>>();
        claims(self.known(name)).symmetric_difference(&claims(after)).cloned().collect()
    }

    /// The document `name` as it stands, or as it vanished.
    pub(crate) fn known(&self, name: &str) -> Option<&Entry> {
        self.get(name).or_else(|| self.lost(name))
    }

    /// What the clients of the tenant `slug` demand that are served.
    pub(super) fn demands(&self, slug: &str) -> Option<&Sum> {
        self.demands.of(slug)
    }

    /// Owners of the rings with a document of the tenant `slug`.
    pub(crate) fn rings(&self, slug: &str) -> impl Iterator<Item = &Entry> {
        let owners = self.by_tenant.get(slug).into_iter().flatten();
        owners.filter_map(|owner| self.of(DocumentKind::SigningKey, owner))
    }

    /// Whether providers serve the document `name`: it stands and is not withdrawn, or it vanished.
    pub(crate) fn serves(&self, name: &str) -> bool {
        self.get(name).map_or(self.lost.contains_key(name), Entry::serving)
    }

    /// How many documents of `kind` providers serve.
    pub(crate) fn served(&self, kind: DocumentKind) -> usize {
        let standing = self.by_kind.get(&kind).into_iter().flatten().filter(|name| self.serves(name)).count();
        standing + self.lost.values().filter(|lost| lost.kind == kind).count()
    }

    /// This process is about to write `digest` as the document `name`.
    pub(crate) fn writing(&mut self, name: &str, digest: Digest) {
        self.writing.insert(name.to_owned(), digest);
    }

    /// Reads a Secret, seen by the watch or returned by a write of ours, to be taken in. `None` where
    /// it is overtaken, or says nothing.
    pub(crate) fn read(&mut self, secret: &Secret, written: bool) -> Option<Entry> {
        let name = secret.metadata.name.as_deref()?;
        if self.overtook(name, secret, written) {
            return None;
        }
        self.show(name, secret, written);
        let earlier = self.known(name);
        let mut entry = read::read(secret, earlier)?;
        if let Detail::Tenant { service_account_issuer: Some(read), .. } = &mut entry.detail {
            self.issuers.share(read);
        }
        let earlier = earlier.and_then(|earlier| earlier.written);
        entry.written = match (written, self.writing.get(name)) {
            (true, _) => {
                self.writing.remove(name);
                Some(entry.digest)
            }
            (false, Some(writing)) if *writing == entry.digest => Some(entry.digest),
            (false, _) => earlier,
        };
        Some(entry)
    }

    /// Takes in what was read. Returns the names that gained or lost a holder, and the document's kind and owner.
    pub(crate) fn take(&mut self, entry: Entry) -> Applied {
        let left = self.known(&entry.name).map(|known| known.tenant.clone()).filter(|left| *left != entry.tenant);
        let was_served = self.serves(&entry.name);
        let claims = self.difference(&entry.name, Some(&entry));
        let before = self.remove(&entry.name);
        if let Some(lost) = self.lost.remove(&entry.name) {
            self.unrecord(&lost);
        }
        let served = was_served != entry.serving();
        let of = |entry: &Entry| (entry.algorithm(), entry.coming_algorithms());
        let algorithms = before.as_ref().map(of).unwrap_or_default() != of(&entry);
        let (owner, tenant) = (entry.owner.clone(), entry.tenant.clone());
        let applied = Applied { kind: entry.kind, owner, tenant, left, claims, served, algorithms };
        self.insert(entry);
        applied
    }

    /// Whether what is known of the document is ahead of `secret`: the watch shows a write of ours
    /// that a later one has overtaken, or has shown already what came after the write that returns
    /// only now. What is no newer than what was read before is taken: a restored cluster begins
    /// again from there.
    fn overtook(&mut self, name: &str, secret: &Secret, written: bool) -> bool {
        let Some(entry) = self.entries.get_mut(name) else {
            return false;
        };
        let versions = (version(Some(&entry.resource_version)), version(secret.metadata.resource_version.as_ref()));
        let (Some(stands), Some(comes)) = versions else {
            return false;
        };
        let shown = self.shown.get(name).is_none_or(|shown| comes <= *shown);
        let overtook = secret.metadata.uid.as_ref() == Some(&entry.uid) && comes < stands && (written || !shown);
        if overtook && written {
            entry.written = self.writing.remove(name);
        }
        overtook
    }

    fn show(&mut self, name: &str, secret: &Secret, written: bool) {
        let Some(comes) = version(secret.metadata.resource_version.as_ref()) else {
            self.shown.remove(name);
            return;
        };
        if !written {
            self.shown.insert(name.to_owned(), comes);
        } else if !self.entries.contains_key(name) {
            // All that is read from here on has this write in it.
            self.shown.insert(name.to_owned(), comes.saturating_sub(1));
        }
    }

    /// The Secret `name` is gone. One that was not withdrawn is lost, and kept in mind.
    pub(crate) fn delete(&mut self, name: &str) -> Option<Applied> {
        let entry = self.remove(name)?;
        self.shown.remove(name);
        let applied = Applied {
            kind: entry.kind,
            owner: entry.owner.clone(),
            tenant: entry.tenant.clone(),
            left: None,
            claims: entry.claims().into_iter().collect(),
            served: entry.serving(),
            // One that vanished goes on being served, and is written again at once.
            algorithms: false,
        };
        self.writing.remove(name);
        if entry.serving() {
            self.record(&entry);
            self.lost.insert(name.to_owned(), entry);
        }
        Some(applied)
    }

    /// Nobody can write the lost document `name` again, nor its tombstone: its names are free. Returns
    /// these and its tenant.
    pub(crate) fn forget_lost(&mut self, name: &str) -> Option<(String, Vec<Claim>)> {
        let lost = self.lost.remove(name)?;
        self.unrecord(&lost);
        let claims = lost.claims();
        Some((lost.tenant, claims))
    }

    fn record(&mut self, entry: &Entry) {
        self.issuers.enter(entry);
        for claim in entry.claims() {
            self.recorded.insert(claim, entry.owner.clone());
        }
        if let Some(demands) = entry.demands() {
            self.demands.put(&entry.tenant, &entry.owner, demands, true);
        }
    }

    fn unrecord(&mut self, entry: &Entry) {
        self.issuers.leave(entry);
        for claim in entry.claims() {
            self.recorded.remove(&claim, &entry.owner);
        }
        if let Some(demands) = entry.demands() {
            self.demands.put(&entry.tenant, &entry.owner, demands, false);
        }
    }

    fn insert(&mut self, entry: Entry) {
        self.record(&entry);
        self.by_kind.entry(entry.kind).or_default().insert(entry.name.clone());
        if entry.kind == DocumentKind::SigningKey {
            self.by_tenant.entry(entry.tenant.clone()).or_default().insert(entry.owner.clone());
        }
        self.entries.insert(entry.name.clone(), entry);
    }

    fn remove(&mut self, name: &str) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        self.unrecord(&entry);
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

/// Versions of one object compare as numbers.
fn version(resource_version: Option<&String>) -> Option<u64> {
    resource_version?.parse().ok()
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
    /// Slug of another tenant that it was of before.
    pub(crate) left: Option<String>,
    /// Names that gained or lost a holder.
    pub(crate) claims: BTreeSet<Claim>,
    /// Whether it began or ceased to be served.
    pub(crate) served: bool,
    /// Whether tokens can have other algorithms than before.
    pub(crate) algorithms: bool,
}
