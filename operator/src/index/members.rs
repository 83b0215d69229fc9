//! Who belongs to which tenant, which namespace, and who asks for which audience.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::{Authentication, OAuthClient, ValidOAuthClient};
use claviger_crds::published::{ActorToken, SubjectToken};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;

use super::address::host;
use super::object::{Declared, Object};
use crate::work::{Kind, Work};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Members {
    tenants: HashMap<ObjectName, Of>,
    namespaces: HashMap<String, BTreeSet<ObjectName>>,
    requesters: HashMap<(ObjectName, String), BTreeSet<ObjectName>>,
    /// By ServiceAccount: the clients that name it.
    naming: HashMap<ObjectName, BTreeSet<ObjectName>>,
    /// By host: the clients that are an API with an address there.
    addressed: HashMap<String, BTreeSet<ObjectName>>,
}

#[derive(Debug, Default)]
struct Of {
    clients: BTreeSet<ObjectName>,
    rings: BTreeSet<ObjectName>,
    users: BTreeSet<ObjectName>,
    /// The clients that take tokens of ServiceAccounts.
    by_service_account: BTreeSet<ObjectName>,
}

/// A kind whose objects belong somewhere.
pub(crate) trait Member: Declared {
    /// Enters or leaves the maps of its kind.
    fn enter(_: &Object<Self>, _: &mut Members, _present: bool) {}
}

impl Member for Tenant {}

impl Member for OAuthClient {
    fn enter(object: &Object<Self>, members: &mut Members, present: bool) {
        let Some(valid) = object.valid() else { return };
        let name = &object.meta.name;
        let of = members.tenants.entry(valid.tenant.clone()).or_default();
        put(&mut of.clients, name, present);
        if takes_service_accounts(valid) {
            put(&mut of.by_service_account, name, present);
        }
        for account in named_accounts(valid) {
            put_under(&mut members.naming, account.clone(), name, present);
        }
        put_under(&mut members.namespaces, name.namespace.clone(), name, present);
        if let Some(host) = valid.resource_server.as_ref().and_then(|api| host(api.audience.as_str())) {
            put_under(&mut members.addressed, host, name, present);
        }
        for audience in &valid.audiences {
            let key = (valid.tenant.clone(), audience.to_string());
            put_under(&mut members.requesters, key, name, present);
        }
        members.tidy(&valid.tenant);
    }
}

impl Member for SigningKey {
    fn enter(object: &Object<Self>, members: &mut Members, present: bool) {
        let Some(tenant) = object.tenant() else {
            return;
        };
        put(&mut members.tenants.entry(tenant.clone()).or_default().rings, &object.meta.name, present);
        members.tidy(&tenant);
    }
}

impl Member for User {
    fn enter(object: &Object<Self>, members: &mut Members, present: bool) {
        let Some(tenant) = object.tenant() else {
            return;
        };
        put(&mut members.tenants.entry(tenant.clone()).or_default().users, &object.meta.name, present);
        members.tidy(&tenant);
    }
}

/// `item` enters the set, or (not `present`) leaves it.
pub(super) fn put<T: Clone + Ord>(set: &mut BTreeSet<T>, item: &T, present: bool) {
    if present {
        set.insert(item.clone());
    } else {
        set.remove(item);
    }
}

fn put_under<K: Eq + Hash>(sets: &mut HashMap<K, BTreeSet<ObjectName>>, key: K, name: &ObjectName, present: bool) {
    let mut entry = match sets.entry(key) {
        Entry::Occupied(entry) => entry,
        Entry::Vacant(entry) if present => entry.insert_entry(BTreeSet::new()),
        Entry::Vacant(_) => return,
    };
    put(entry.get_mut(), name, present);
    if entry.get().is_empty() {
        entry.remove();
    }
}

/// The ServiceAccounts that may be the client.
pub(crate) fn named_accounts(client: &ValidOAuthClient) -> &[ObjectName] {
    match &client.authentication {
        Authentication::ServiceAccounts(accounts) => accounts,
        _ => &[],
    }
}

/// Whether the client may come with the token of a ServiceAccount: as itself, or to exchange it, or with one that
/// says who acts.
pub(crate) fn takes_service_accounts(client: &ValidOAuthClient) -> bool {
    let mut rules = client.token_exchange.iter();
    !named_accounts(client).is_empty()
        || rules.any(|rule| rule_takes_service_accounts(&rule.subject_tokens, rule.actor_token, &rule.actor_tokens))
}

/// Whether by a rule of an exchange somebody may come with the token of a ServiceAccount.
pub(super) fn rule_takes_service_accounts(
    subjects: &[SubjectToken],
    actor: ActorToken,
    actors: &[SubjectToken],
) -> bool {
    let account = SubjectToken::ServiceAccount;
    subjects.contains(&account) || (actor != ActorToken::Forbidden && actors.contains(&account))
}

/// Whether the client may exchange the token of a ServiceAccount. An actor may have one unless it is said otherwise,
/// so that most clients that exchange anything do not mean to. No rule fails for want of such an actor: the client may
/// be one itself, by its own access token.
pub(crate) fn exchanges_accounts(client: &ValidOAuthClient) -> bool {
    client.token_exchange.iter().any(|rule| rule.subject_tokens.contains(&SubjectToken::ServiceAccount))
}

impl Members {
    pub(crate) fn insert<K: Member>(&mut self, object: &Object<K>) {
        K::enter(object, self, true);
    }

    pub(crate) fn remove<K: Member>(&mut self, object: &Object<K>) {
        K::enter(object, self, false);
    }

    /// Everything that belongs to the tenant.
    pub(crate) fn of(&self, tenant: &ObjectName) -> Vec<Work> {
        let work = |kind| move |name: &ObjectName| Work::new(kind, name.clone());
        self.rings(tenant)
            .map(work(Kind::SigningKey))
            .chain(self.clients(tenant).map(work(Kind::OAuthClient)))
            .chain(self.tenants.get(tenant).into_iter().flat_map(|of| &of.users).map(work(Kind::User)))
            .collect()
    }

    /// The tenant's clients.
    pub(crate) fn clients(&self, tenant: &ObjectName) -> impl ExactSizeIterator<Item = &ObjectName> {
        static NONE: BTreeSet<ObjectName> = BTreeSet::new();
        self.tenants.get(tenant).map_or(&NONE, |of| &of.clients).iter()
    }

    /// The tenant's users.
    pub(crate) fn users(&self, tenant: &ObjectName) -> Vec<ObjectName> {
        self.tenants.get(tenant).into_iter().flat_map(|of| &of.users).cloned().collect()
    }

    /// The tenant's SigningKeys.
    pub(crate) fn rings(&self, tenant: &ObjectName) -> impl Iterator<Item = &ObjectName> {
        self.tenants.get(tenant).into_iter().flat_map(|of| &of.rings)
    }

    /// The clients that are an API with an address at `host`.
    pub(super) fn addressed(&self, host: &str) -> impl Iterator<Item = Work> {
        let names = self.addressed.get(host).into_iter().flatten();
        names.map(|name| Work::new(Kind::OAuthClient, name.clone()))
    }

    /// The clients that name a ServiceAccount.
    pub(crate) fn naming(&self, account: &ObjectName) -> BTreeSet<Work> {
        let names = self.naming.get(account).into_iter().flatten();
        names.map(|name| Work::new(Kind::OAuthClient, name.clone())).collect()
    }

    /// The clients, of any tenant, that take tokens of ServiceAccounts.
    pub(super) fn all_by_service_account(&self) -> impl Iterator<Item = &ObjectName> {
        self.tenants.values().flat_map(|of| &of.by_service_account)
    }

    /// The clients that ask for an audience.
    pub(crate) fn requesters(&self, tenant: &ObjectName, audience: &str) -> Vec<Work> {
        let names = self.requesters.get(&(tenant.clone(), audience.to_owned()));
        names.into_iter().flatten().map(|name| Work::new(Kind::OAuthClient, name.clone())).collect()
    }

    /// The clients of a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> BTreeSet<Work> {
        let names = self.namespaces.get(namespace).into_iter().flatten();
        names.map(|name| Work::new(Kind::OAuthClient, name.clone())).collect()
    }

    fn tidy(&mut self, tenant: &ObjectName) {
        let empty = |of: &Of| of.clients.is_empty() && of.rings.is_empty() && of.users.is_empty();
        if self.tenants.get(tenant).is_some_and(empty) {
            self.tenants.remove(tenant);
        }
    }
}
