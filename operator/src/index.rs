//! Everything that the watches have shown, in memory: pure state with `apply` and `delete`, each of
//! which says whose work it makes. Lookups go by maps; no event looks at everything.
//!
//! The engine alone changes it. What is read here may be old; whatever destroys something reads
//! again without a cache first.

mod address;
mod admission;
mod apis;
pub(crate) mod claims;
mod demands;
pub(crate) mod documents;
mod holders;
mod hosts;
pub(crate) mod members;
pub(crate) mod object;
mod sealing;
mod secrets;
mod service_accounts;
mod subjects;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use jiff::Timestamp;

use self::apis::Apis;
use self::claims::{Claim, Claims};
use self::demands::Demanded;
use self::documents::Documents;
use self::members::{Member, Members};
use self::object::{Compared, Declared, Difference, Object, Objects};
use self::service_accounts::{KnownIssuer, ServiceAccounts};
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
    /// Whose ring a Secret of this name is.
    ring_owners: HashMap<String, ObjectName>,
    sealings: HashMap<ObjectName, SealingMeta>,
    /// Whose sealing keys a Secret of this name holds.
    sealing_owners: HashMap<String, ObjectName>,
    namespaces: HashMap<String, Arc<BTreeMap<String, String>>>,
    service_accounts: ServiceAccounts,
    service_account_issuer: Option<KnownIssuer>,
    claims: Claims,
    apis: Apis,
    demanded: Demanded,
    ownerless: BTreeSet<Work>,
    /// The host where the issuers are reached, but for those with one of their own.
    external_host: Option<String>,
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

/// What of the Secret with a Tenant's sealing keys is known without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealingMeta {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    /// Set where nothing else is left of the Tenant: since then.
    pub(crate) withdrawn_at: Option<Timestamp>,
}

impl Index {
    /// An index of nothing, of an installation whose issuers are below `external_url`, which the command line has
    /// checked.
    pub(crate) fn of(external_url: &str) -> Self {
        Self { external_host: address::host(external_url), ..Self::default() }
    }
}

// === impl Index: custom resources ===

impl Index {
    pub(crate) fn apply_tenant(&mut self, tenant: &Tenant) -> BTreeSet<Work> {
        let compared = self.tenants.compare(tenant);
        self.tenant_changed(compared)
    }

    pub(crate) fn delete_tenant(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let compared = self.tenants.compare_without(name);
        self.tenant_changed(compared)
    }

    /// Takes it in, too: who had a host before is asked with the Tenant as it was.
    fn tenant_changed(&mut self, compared: Option<Compared<Tenant>>) -> BTreeSet<Work> {
        let Some(compared) = compared else {
            return BTreeSet::new();
        };
        // No API has an address of the provider's, whosever client it is.
        let hosts = self.hosts_of_tenant(&compared.0);
        let ((difference, mut works), others) = self.rehosting(&hosts, |index| {
            let difference = index.tenants.take(compared);
            let works = index.changed(&difference);
            (difference, works)
        });
        works.extend(others);
        if difference.matters {
            for object in difference.before.iter().chain(&difference.after) {
                self.slug_changed(&object.meta.name, &difference);
                works.extend(self.members.of(&object.meta.name));
            }
        }
        self.settle(works)
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
        let Some(difference) = difference else {
            return BTreeSet::new();
        };
        let mut works = self.changed(&difference);
        if !difference.matters {
            return self.settle(works);
        }
        let Difference { before, after, .. } = difference;
        let objects: Vec<&Arc<Object<OAuthClient>>> = before.iter().chain(&after).collect();
        let tenants: BTreeSet<ObjectName> = objects.iter().filter_map(|object| object.tenant()).collect();
        for claim in objects.iter().flat_map(|object| object.claims()) {
            works.extend(tenants.iter().flat_map(|tenant| self.requesters(tenant, &claim)));
        }
        // Who takes a place of its tenant's quota no longer leaves it to another.
        let taken = |client: Option<Arc<Object<OAuthClient>>>| {
            client.and_then(|client| Some(client.valid().filter(|valid| self.admitted(valid))?.tenant.clone()))
        };
        let (before, after) = (taken(before), taken(after));
        if before != after
            && let Some(tenant) = before
        {
            works.extend(self.waiting_for_quota(&tenant));
        }
        self.settle(works)
    }

    /// Who looks again when a place of the tenant's quota may be free.
    fn waiting_for_quota(&self, tenant: &ObjectName) -> impl Iterator<Item = Work> {
        let clients = self.quota(tenant).map(|_| self.members.clients(tenant));
        clients.into_iter().flatten().map(|client| Work::new(Kind::OAuthClient, client.clone()))
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
        let Some(difference) = difference else {
            return BTreeSet::new();
        };
        let mut works = self.changed(&difference);
        if difference.matters {
            let objects = difference.before.iter().chain(&difference.after);
            works.extend(objects.filter_map(|object| object.tenant()).map(|tenant| Work::new(Kind::Tenant, tenant)));
        }
        works
    }

    pub(crate) fn apply_user(&mut self, user: &User) -> BTreeSet<Work> {
        let difference = self.users.apply(user);
        self.user_changed(difference)
    }

    pub(crate) fn delete_user(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        let difference = self.users.delete(name);
        self.user_changed(difference)
    }

    /// What every kind has in common: its claims, its membership, itself and its rivals.
    fn changed<K: Declared + Member>(&mut self, difference: &Difference<K>) -> BTreeSet<Work> {
        let Difference { before, after, matters } = difference;
        let mut works = BTreeSet::new();
        let either = after.as_ref().or(before.as_ref());
        let Some(work) = either.map(|object| object.work()) else {
            return works;
        };
        let status = |object: &Option<Arc<Object<K>>>| object.as_ref().map(|object| Arc::clone(&object.status));
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

    /// Those that want a name that `object` wants.
    pub(crate) fn rivals_of<K: Declared>(&self, object: &Object<K>) -> BTreeSet<Work> {
        let mut rivals: BTreeSet<Work> = object.claims().iter().flat_map(|claim| self.rivals(claim)).collect();
        rivals.remove(&object.work());
        rivals
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

#[cfg(test)]
mod tests;
