//! Everything that the watches have shown, in memory: pure state with `apply` and `delete`, each of
//! which says whose work it makes. Lookups go by maps; no event looks at everything.
//!
//! The engine alone changes it. What is read here may be old; whatever destroys something reads
//! again without a cache first.

pub(crate) mod claims;
pub(crate) mod documents;
pub(crate) mod members;
pub(crate) mod object;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::DocumentKind;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::references::{self, Claimant};
use claviger_crds::user::User;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};

use self::claims::{Claim, Claims};
use self::documents::{Applied, Documents, Entry};
use self::members::{Member, Members};
use self::object::{Declared, Difference, Objects};
use crate::signing_key::ring::{ANNOTATION_LEAVING_SINCE, ANNOTATION_WITHDRAWN_AT};
use crate::work::{Kind, Work};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) tenants: Objects<Tenant>,
    pub(crate) clients: Objects<OAuthClient>,
    pub(crate) signing_keys: Objects<SigningKey>,
    pub(crate) users: Objects<User>,
    pub(crate) documents: Documents,
    pub(crate) members: Members,
    rings: HashMap<ObjectName, RingMeta>,
    namespaces: HashMap<String, Arc<BTreeMap<String, String>>>,
    claims: Claims,
    ownerless: BTreeSet<Work>,
}

/// What of a ring's Secret is known without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RingMeta {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    /// Slug of its tenant.
    pub(crate) tenant: String,
    /// Set in a tombstone.
    pub(crate) withdrawn_at: Option<Timestamp>,
    /// It leaves in order.
    pub(crate) leaving: bool,
}

// === impl Index: custom resources ===

impl Index {
    pub(crate) fn apply_tenant(&mut self, tenant: &Tenant) -> BTreeSet<Work> {
        let difference = self.tenants.apply(tenant);
        self.tenant_changed(difference)
    }

    pub(crate) fn delete_tenant(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let difference = self.tenants.delete(name);
        self.tenant_changed(difference)
    }

    fn tenant_changed(&mut self, difference: Option<Difference<Tenant>>) -> BTreeSet<Work> {
        let Some(difference) = difference else { return BTreeSet::new() };
        let mut works = self.changed(&difference);
        if difference.matters {
            for object in difference.before.iter().chain(&difference.after) {
                works.extend(self.members.of(&object.meta.name));
            }
        }
        works
    }

    pub(crate) fn apply_client(&mut self, client: &OAuthClient) -> BTreeSet<Work> {
        let difference = self.clients.apply(client);
        self.client_changed(difference)
    }

    pub(crate) fn delete_client(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let difference = self.clients.delete(name);
        self.client_changed(difference)
    }

    fn client_changed(&mut self, difference: Option<Difference<OAuthClient>>) -> BTreeSet<Work> {
        let Some(difference) = difference else { return BTreeSet::new() };
        let objects = difference.before.iter().chain(&difference.after).cloned().collect::<Vec<_>>();
        let tenants: BTreeSet<ObjectName> = objects.iter().filter_map(|object| object.tenant()).collect();
        let lifetimes: Vec<u32> = tenants.iter().map(|tenant| self.members.token_lifetime(tenant)).collect();
        let mut works = self.changed(&difference);
        if !difference.matters {
            return works;
        }
        for claim in objects.iter().flat_map(|object| object.claims()) {
            if let Claim::Audience(_, audience) = &claim {
                works.extend(tenants.iter().flat_map(|tenant| self.members.requesters(tenant, audience)));
            }
        }
        // A ring's greatest token lifetime follows the clients'.
        for (tenant, before) in tenants.iter().zip(lifetimes) {
            if self.members.token_lifetime(tenant) > before {
                works.extend(self.members.rings(tenant).map(|ring| Work::new(Kind::SigningKey, ring.clone())));
            }
        }
        if difference.after.is_none()
            && let Some(tenant) = difference.before.and_then(|before| before.tenant())
            && self.quota(&tenant).is_some()
        {
            works.extend(self.members.clients(&tenant).map(|client| Work::new(Kind::OAuthClient, client.clone())));
        }
        works
    }

    pub(crate) fn apply_signing_key(&mut self, key: &SigningKey) -> BTreeSet<Work> {
        let difference = self.signing_keys.apply(key);
        self.signing_key_changed(difference)
    }

    pub(crate) fn delete_signing_key(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let difference = self.signing_keys.delete(name);
        self.signing_key_changed(difference)
    }

    fn signing_key_changed(&mut self, difference: Option<Difference<SigningKey>>) -> BTreeSet<Work> {
        let Some(difference) = difference else { return BTreeSet::new() };
        let mut works = self.changed(&difference);
        if difference.matters {
            let objects = difference.before.iter().chain(&difference.after);
            works.extend(objects.filter_map(|object| object.tenant()).map(|tenant| Work::new(Kind::Tenant, tenant)));
        }
        works
    }

    pub(crate) fn apply_user(&mut self, user: &User) -> BTreeSet<Work> {
        let difference = self.users.apply(user);
        difference.map(|difference| self.changed(&difference)).unwrap_or_default()
    }

    pub(crate) fn delete_user(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let difference = self.users.delete(name);
        difference.map(|difference| self.changed(&difference)).unwrap_or_default()
    }

    /// What every kind has in common: its claims, its membership, itself and its rivals.
    fn changed<K: Declared + Member>(&mut self, difference: &Difference<K>) -> BTreeSet<Work> {
        let Difference { before, after, matters } = difference;
        let mut works = BTreeSet::new();
        let either = after.as_ref().or(before.as_ref());
        let Some(work) = either.map(|object| object.work()) else { return works };
        let status = |object: &Option<Arc<object::Object<K>>>| object.as_ref().map(|object| Arc::clone(&object.status));
        if *matters || status(before) != status(after) {
            works.insert(work.clone());
        }
        if *matters {
            if let Some(before) = before {
                for claim in before.claims() {
                    self.claims.remove(&claim, &work.name);
                    works.extend(self.rivals(&claim));
                }
                self.members.remove(&**before);
            }
            if let Some(after) = after {
                for claim in after.claims() {
                    works.extend(self.rivals(&claim));
                    self.claims.insert(claim, work.name.clone());
                }
                self.members.insert(&**after);
            }
        }
        self.note(&work);
        works
    }

    /// Those that want `claim` too.
    fn rivals(&self, claim: &Claim) -> impl Iterator<Item = Work> {
        let kind = match claim {
            Claim::Slug(_) | Claim::Host(_) => Kind::Tenant,
            Claim::ClientId(..) | Claim::Audience(..) => Kind::OAuthClient,
            Claim::Username(..) | Claim::Subject(..) => Kind::User,
        };
        self.claims.of(claim).iter().map(move |name| Work::new(kind, name.clone()))
    }

    /// How many clients the tenant may have.
    pub(crate) fn quota(&self, tenant: &ObjectName) -> Option<u32> {
        self.tenants.get(tenant).and_then(|tenant| tenant.valid()?.ceilings.clients)
    }

    /// Every object: for a resync.
    pub(crate) fn everything(&self) -> BTreeSet<Work> {
        let tenants = self.tenants.values().map(|object| object.work());
        let rings = self.signing_keys.values().map(|object| object.work());
        let clients = self.clients.values().map(|object| object.work());
        let users = self.users.values().map(|object| object.work());
        let leaving = self.ownerless.iter().filter(|work| work.kind == Kind::SigningKey).cloned();
        tenants.chain(rings).chain(clients).chain(users).chain(leaving).collect()
    }

    pub(crate) fn exists(&self, work: &Work) -> bool {
        match work.kind {
            Kind::Tenant => self.tenants.contains(&work.name),
            Kind::OAuthClient => self.clients.contains(&work.name),
            Kind::SigningKey => self.signing_keys.contains(&work.name),
            Kind::User => self.users.contains(&work.name),
            Kind::IdentityProvider => false,
        }
    }
}

// === impl Index: namespaces, documents, rings ===

impl Index {
    pub(crate) fn apply_namespace(&mut self, namespace: &Namespace) -> BTreeSet<Work> {
        let Some(name) = namespace.metadata.name.clone() else { return BTreeSet::new() };
        let labels = Arc::new(namespace.metadata.labels.clone().unwrap_or_default());
        match self.namespaces.insert(name.clone(), Arc::clone(&labels)) {
            Some(before) if before == labels => BTreeSet::new(),
            _ => self.members.in_namespace(&name),
        }
    }

    pub(crate) fn delete_namespace(&mut self, name: &str) -> BTreeSet<Work> {
        self.namespaces.remove(name);
        self.members.in_namespace(name)
    }

    /// The labels of a namespace; none if it is not known.
    pub(crate) fn labels(&self, namespace: &str) -> Arc<BTreeMap<String, String>> {
        self.namespaces.get(namespace).cloned().unwrap_or_default()
    }

    pub(crate) fn apply_published(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let applied = self.documents.apply(secret, false);
        self.document_changed(applied)
    }

    /// A write of ours succeeded: the watch will show it later.
    pub(crate) fn wrote_published(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let applied = self.documents.apply(secret, true);
        let own = applied.as_ref().map(|applied| Work::new(Kind::from(applied.kind), applied.owner.clone()));
        let mut works = self.document_changed(applied);
        // Whoever wrote it goes on by itself.
        if let Some(own) = own {
            works.remove(&own);
        }
        works
    }

    pub(crate) fn delete_published(&mut self, name: &str) -> BTreeSet<Work> {
        let applied = self.documents.delete(name);
        self.document_changed(applied)
    }

    fn document_changed(&mut self, applied: Option<Applied>) -> BTreeSet<Work> {
        let Some(Applied { kind, owner, tenant, claims, served }) = applied else { return BTreeSet::new() };
        let own = Work::new(Kind::from(kind), owner.clone());
        self.note(&own);
        let issuers = self.claims.of(&Claim::Slug(tenant.clone())).to_vec();
        let mut works = BTreeSet::from([own]);
        for claim in &claims {
            works.extend(self.rivals(claim));
            for issuer in &issuers {
                works.extend(self.rivals(&claim.within(&issuer.to_string())));
                if let Claim::Audience(_, audience) = claim {
                    works.extend(self.members.requesters(issuer, audience));
                }
            }
        }
        match kind {
            DocumentKind::Tenant if served || !claims.is_empty() => {
                works.extend(issuers.iter().flat_map(|issuer| self.members.of(issuer)));
                // What belongs to a Tenant that is gone waits for its withdrawal.
                works.extend(self.members.of(&owner));
            }
            DocumentKind::SigningKey => {
                works.extend(issuers.into_iter().map(|issuer| Work::new(Kind::Tenant, issuer)));
                let rings = self.documents.rings(&tenant);
                works.extend(rings.map(|ring| Work::new(Kind::SigningKey, ring.owner.clone())));
            }
            _ => {}
        }
        works
    }

    pub(crate) fn apply_ring(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let Some((owner, meta)) = ring_meta(secret) else { return BTreeSet::new() };
        let same = self.rings.insert(owner.clone(), meta.clone()).is_some_and(|before| before == meta);
        let work = Work::new(Kind::SigningKey, owner);
        self.note(&work);
        if same { BTreeSet::new() } else { BTreeSet::from([work]) }
    }

    /// A write of ours succeeded: the watch will show it later.
    pub(crate) fn wrote_ring(&mut self, secret: &Secret) {
        if let Some((owner, meta)) = ring_meta(secret) {
            self.rings.insert(owner.clone(), meta);
            self.note(&Work::new(Kind::SigningKey, owner));
        }
    }

    /// The ring whose Secret had this name is gone.
    pub(crate) fn delete_ring(&mut self, secret: &str) -> BTreeSet<Work> {
        let owner = self.rings.keys().find(|owner| names::ring_secret(owner) == secret).cloned();
        let Some(owner) = owner else { return BTreeSet::new() };
        self.rings.remove(&owner);
        let work = Work::new(Kind::SigningKey, owner);
        self.note(&work);
        BTreeSet::from([work])
    }

    pub(crate) fn ring(&self, owner: &ObjectName) -> Option<&RingMeta> {
        self.rings.get(owner)
    }

    /// Whether no Tenant wants the slug.
    pub(crate) fn tenant_gone(&self, slug: &str) -> bool {
        self.claims.of(&Claim::Slug(slug.to_owned())).is_empty()
    }

    /// What stands without an owner: documents and rings, tombstones among them.
    pub(crate) fn ownerless(&self) -> &BTreeSet<Work> {
        &self.ownerless
    }

    fn note(&mut self, work: &Work) {
        let stands = self.documents.get(&work.document()).is_some()
            || (work.kind == Kind::SigningKey && self.rings.contains_key(&work.name));
        if stands && !self.exists(work) {
            self.ownerless.insert(work.clone());
        } else {
            self.ownerless.remove(work);
        }
    }
}

fn ring_meta(secret: &Secret) -> Option<(ObjectName, RingMeta)> {
    let annotations = secret.metadata.annotations.as_ref()?;
    let (namespace, name) = annotations.get(names::ANNOTATION_OWNER)?.split_once('/')?;
    let meta = RingMeta {
        uid: secret.metadata.uid.clone().unwrap_or_default(),
        resource_version: secret.metadata.resource_version.clone().unwrap_or_default(),
        tenant: secret.metadata.labels.as_ref()?.get(names::LABEL_TENANT).cloned().unwrap_or_default(),
        withdrawn_at: annotations.get(ANNOTATION_WITHDRAWN_AT).and_then(|at| at.parse().ok()),
        leaving: annotations.contains_key(ANNOTATION_LEAVING_SINCE),
    };
    Some((ObjectName::new(namespace, name), meta))
}

// === impl Index: who holds which name ===

impl Index {
    /// Whose `claim` is: a claim in the scope of a tenant's object name, whose slug is `slug`. One
    /// rule for all: the holder that a document or its tombstone records; else the oldest; else the
    /// first by namespace and name.
    pub(crate) fn holder(&self, claim: &Claim, slug: &str) -> Option<ObjectName> {
        let claimants: Vec<Claimant<'_>> = self.claims.of(claim).iter().map(|name| self.claimant(claim, name)).collect();
        references::holder(&claimants, self.documents.holders(&claim.within(slug)).first()).cloned()
    }

    fn claimant<'a>(&self, claim: &Claim, name: &'a ObjectName) -> Claimant<'a> {
        Claimant { name, created_at: self.created_at(claim, name) }
    }

    fn created_at(&self, claim: &Claim, name: &ObjectName) -> Option<Timestamp> {
        match claim {
            Claim::Slug(_) | Claim::Host(_) => self.tenants.get(name)?.meta.created_at,
            Claim::ClientId(..) | Claim::Audience(..) => self.clients.get(name)?.meta.created_at,
            Claim::Username(..) | Claim::Subject(..) => self.users.get(name)?.meta.created_at,
        }
    }

    /// Whether the client is among the first `quota` of its tenant, by the rule of
    /// [`references::within_quota`].
    pub(crate) fn within_quota(&self, tenant: &ObjectName, client: &ObjectName, quota: u32) -> bool {
        let quota = usize::try_from(quota).unwrap_or(usize::MAX);
        let clients = self.members.clients(tenant);
        if clients.len() <= quota {
            return true;
        }
        let claimants: Vec<Claimant<'_>> = clients
            .map(|name| Claimant { name, created_at: self.clients.get(name).and_then(|client| client.meta.created_at) })
            .collect();
        let served = |name: &ObjectName| self.documents.of(DocumentKind::OAuthClient, name).is_some_and(Entry::serving);
        references::within_quota(&claimants, served, quota).contains(&client)
    }
}

#[cfg(test)]
mod tests;
