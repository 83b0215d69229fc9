//! What the index takes in of the cluster's ServiceAccounts: who is there, whom each lets name it, and
//! who issues their tokens.

use std::collections::{BTreeSet, HashMap};

use claviger_crds::names::{self, ANNOTATION_ALLOW_CLIENTS, ObjectName};
use claviger_crds::oauth_client::ValidOAuthClient;
use claviger_crds::published::{DocumentKind, FormerIssuer, ServiceAccountIssuerDocument};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ServiceAccount;

use super::Index;
use super::documents::Entry;
use super::members::{exchanges_accounts, named_accounts};
use crate::service_account_issuer::ServiceAccountIssuer;
use crate::work::{Kind, Work};

/// Bytes of the annotation; a longer one allows nobody.
const LONGEST_ANNOTATION: usize = 4 * 1024;

/// A ServiceAccount's token that counts here lives no longer.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Everyone that is there. A cluster has many that no client ever names, so little is kept of each.
#[derive(Debug, Default)]
pub(super) struct ServiceAccounts(HashMap<ObjectName, Account>);

/// A ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its UID: one that was deleted since is another.
    pub(crate) uid: String,
    /// Clients of other namespaces that may name it.
    allows: Box<[Allowed]>,
}

/// An item of the annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Client(ObjectName),
    ClientsOf(String),
}

/// The issuer of the cluster's ServiceAccounts, and since when it is this one with these keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KnownIssuer {
    issuer: ServiceAccountIssuer,
    since: Timestamp,
    /// What it was called before, if this process knew it then.
    before: Option<String>,
}

// === impl Account ===

impl Account {
    fn read(account: &ServiceAccount) -> Option<Self> {
        let annotations = account.metadata.annotations.as_ref();
        let allows = annotations.and_then(|all| all.get(ANNOTATION_ALLOW_CLIENTS)).map_or("", String::as_str);
        // Whoever may write ServiceAccounts anywhere could fill the operator's memory with them.
        let allows = if allows.len() > LONGEST_ANNOTATION { "" } else { allows };
        Some(Self { uid: account.metadata.uid.clone()?, allows: allowed(allows).collect() })
    }

    /// Whether the ServiceAccount, which stands in `namespace`, lets the client name it. Who may write
    /// ServiceAccounts of a namespace decides who they are; who may write OAuthClients of another one
    /// needs consent.
    pub(crate) fn allows(&self, namespace: &str, client: &ObjectName) -> bool {
        let fits = |allowed: &Allowed| match allowed {
            Allowed::Client(name) => name == client,
            Allowed::ClientsOf(namespace) => *namespace == client.namespace,
        };
        namespace == client.namespace || self.allows.iter().any(fits)
    }
}

/// `<namespace>/<name>` and `<namespace>/*`, separated by commas and white space. What is anything else
/// allows nobody.
fn allowed(annotation: &str) -> impl Iterator<Item = Allowed> {
    let items = annotation.split(|c: char| c == ',' || c.is_whitespace());
    items.filter_map(|item| {
        let (namespace, name) = item.split_once('/')?;
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['*', '/']);
        match name {
            "*" if is_plain(namespace) => Some(Allowed::ClientsOf(namespace.to_owned())),
            _ if is_plain(namespace) && is_plain(name) => Some(Allowed::Client(ObjectName::new(namespace, name))),
            _ => None,
        }
    })
}

/// What the cluster called itself before it was `issuer`, where tokens of that name may still be in pods. Several API
/// servers that are told of a new name one after the other say now the one, now the other.
fn previous(
    stored: &ServiceAccountIssuerDocument,
    issuer: &ServiceAccountIssuer,
    since: Timestamp,
) -> Option<FormerIssuer> {
    if stored.issuer != issuer.issuer {
        let until = since.saturating_add(LONGEST_LIFE).unwrap_or(since);
        return Some(FormerIssuer { issuer: stored.issuer.clone(), until });
    }
    stored.previous.clone().filter(|previous| since < previous.until)
}

// === impl Index ===

impl Index {
    pub(crate) fn apply_service_account(&mut self, account: &ServiceAccount) -> BTreeSet<Work> {
        let metadata = &account.metadata;
        let (Some(namespace), Some(name), Some(after)) = (&metadata.namespace, &metadata.name, Account::read(account))
        else {
            return BTreeSet::new();
        };
        let name = ObjectName::new(namespace, name);
        let before = self.service_accounts.0.insert(name.clone(), after.clone());
        if before == Some(after) { BTreeSet::new() } else { self.members.naming(&name) }
    }

    pub(crate) fn delete_service_account(&mut self, name: &ObjectName) -> BTreeSet<Work> {
        match self.service_accounts.0.remove(name) {
            Some(_) => self.members.naming(name),
            None => BTreeSet::new(),
        }
    }

    /// The ServiceAccount as it was seen last.
    pub(crate) fn service_account(&self, name: &ObjectName) -> Option<&Account> {
        self.service_accounts.0.get(name)
    }

    /// The API server said who issues the tokens of its ServiceAccounts. Where that is news, it is so
    /// since `now`, unless a document says the same since longer.
    pub(crate) fn apply_service_account_issuer(
        &mut self,
        issuer: ServiceAccountIssuer,
        now: Timestamp,
    ) -> BTreeSet<Work> {
        if self.service_account_issuer.as_ref().is_some_and(|known| known.issuer == issuer) {
            return BTreeSet::new();
        }
        // No API is called as the API server is.
        let before = self.cluster_issuer(None).map(str::to_owned);
        let called = |client: &ValidOAuthClient| {
            let audience = client.resource_server.as_ref().map(|api| api.audience.as_str());
            audience.is_some_and(|audience| audience == issuer.issuer || Some(audience) == before.as_deref())
        };
        let called = self.clients.values().filter(|client| client.valid().is_some_and(called));
        let mut works: BTreeSet<Work> = called.map(|client| client.work()).collect();
        let (changed, others) = self.readmitting(&works, |index| index.replace_service_account_issuer(issuer, now));
        works.extend(changed.into_iter().chain(others));
        works
    }

    fn replace_service_account_issuer(&mut self, issuer: ServiceAccountIssuer, now: Timestamp) -> BTreeSet<Work> {
        // Documents have whole seconds, and what is kept must compare with what is written.
        let since = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let before = self.cluster_issuer(None).map(str::to_owned);
        let other = before.clone().filter(|before| *before != issuer.issuer);
        let former = other.or_else(|| self.service_account_issuer.as_ref().and_then(|known| known.before.clone()));
        let known = KnownIssuer { issuer, since, before: former };
        let first = self.service_account_issuer.replace(known).is_none();
        self.recall_service_account_issuer();
        let mut works = BTreeSet::new();
        for tenant in self.tenants.values() {
            let name = &tenant.meta.name;
            // Its own document may have said another one than the others' did.
            let stored = self.stored_issuer(name).map(|stored| stored.issuer.as_str());
            let issuers = before.as_deref().into_iter().chain(stored).chain(self.cluster_issuer(None));
            if tenant.valid().is_some_and(|valid| issuers.into_iter().any(|issuer| valid.declares(issuer))) {
                works.insert(tenant.work());
                // Their rules may name the entry that is trusted no longer, or again.
                works.extend(self.members.clients(name).map(|client| Work::new(Kind::OAuthClient, client.clone())));
            } else if self.needs_service_accounts(name) {
                works.insert(tenant.work());
            }
        }
        // Clients say so where nobody can come with such a token for want of an issuer.
        let waits = |client: &ValidOAuthClient| exchanges_accounts(client) || !named_accounts(client).is_empty();
        let taking = self.members.all_by_service_account().filter_map(|client| self.clients.get(client));
        let waiting = taking.filter(|client| client.valid().is_some_and(waits)).map(|client| client.work());
        works.extend(first.then_some(waiting).into_iter().flatten());
        works
    }

    /// A process before this one may have met these very keys: the documents say since when.
    pub(crate) fn recall_service_account_issuer(&mut self) {
        let Some(known) = &mut self.service_account_issuer else { return };
        let stored = self.documents.of_kind(DocumentKind::Tenant).filter_map(Entry::service_account_issuer);
        let same = stored.filter(|stored| known.issuer.is(stored)).map(|stored| stored.since);
        known.since = same.chain([known.since]).min().unwrap_or(known.since);
    }

    /// What a document says of the cluster's issuer that says `stored` now. That stays while the API
    /// server has not answered this process, and where it would say the same; until then a document that
    /// says nothing yet follows the others.
    pub(crate) fn service_account_issuer(
        &self,
        stored: Option<&ServiceAccountIssuerDocument>,
    ) -> Option<ServiceAccountIssuerDocument> {
        match (&self.service_account_issuer, stored) {
            (None, stored) => stored.or_else(|| self.documents.service_account_issuer()).cloned(),
            (Some(known), Some(stored)) if known.issuer.is(stored) => Some(stored.clone()),
            (Some(KnownIssuer { issuer, since, before: _ }), stored) => Some(ServiceAccountIssuerDocument {
                issuer: issuer.issuer.clone(),
                jwks: issuer.jwks.clone(),
                since: *since,
                previous: stored.and_then(|stored| previous(stored, issuer, *since)),
            }),
        }
    }

    /// What the document of the Tenant says of the cluster's issuer, or said when it vanished.
    pub(crate) fn stored_issuer(&self, tenant: &ObjectName) -> Option<&ServiceAccountIssuerDocument> {
        let document = names::published_secret(DocumentKind::Tenant.as_str(), tenant);
        let entry = self.documents.known(&document);
        entry.and_then(Entry::service_account_issuer).map(AsRef::as_ref)
    }

    /// What the document of the Tenant, which is served, says of the cluster's issuer.
    pub(crate) fn published_service_account_issuer(
        &self,
        tenant: &ObjectName,
    ) -> Option<&ServiceAccountIssuerDocument> {
        let document = self.documents.of(DocumentKind::Tenant, tenant).filter(|entry| entry.serving());
        document.and_then(Entry::service_account_issuer).map(AsRef::as_ref)
    }

    /// `iss` of the cluster's ServiceAccount tokens, if the API server has said it, or where it has not, a
    /// document does: this one, which says `stored`, or else another.
    pub(crate) fn cluster_issuer<'a>(&'a self, stored: Option<&'a ServiceAccountIssuerDocument>) -> Option<&'a str> {
        let published = || stored.or_else(|| self.documents.service_account_issuer());
        let known = self.service_account_issuer.as_ref().map(|known| known.issuer.issuer.as_str());
        known.or_else(|| published().map(|issuer| issuer.issuer.as_str()))
    }

    /// Whether the cluster calls itself `issuer`, or has: kube-apiserver goes on being meant by a name that it had.
    pub(super) fn is_cluster_issuer(&self, issuer: &str) -> bool {
        let stored = self.documents.of_kind(DocumentKind::Tenant).filter_map(Entry::service_account_issuer);
        let mut former = stored.filter_map(|stored| stored.previous.as_ref()).map(|previous| previous.issuer.as_str());
        let before = self.service_account_issuer.as_ref().and_then(|known| known.before.as_deref());
        self.cluster_issuer(None) == Some(issuer) || before == Some(issuer) || former.any(|former| former == issuer)
    }

    /// Since when the cluster's keys are those that they are.
    pub(crate) fn service_account_keys_since(&self) -> Option<Timestamp> {
        self.service_account_issuer.as_ref().map(|known| known.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(annotation: &str, client: (&str, &str)) -> bool {
        let account = Account { uid: "u".to_owned(), allows: allowed(annotation).collect() };
        account.allows("batch", &ObjectName::new(client.0, client.1))
    }

    #[test]
    fn the_annotation_is_a_list_of_clients_and_of_namespaces() {
        let list = "shop/web, shop/worker\n crm/*";
        assert!(allows(list, ("shop", "web")));
        assert!(allows(list, ("shop", "worker")));
        assert!(allows(list, ("crm", "anything")));
        assert!(!allows(list, ("shop", "other")));
        assert!(!allows(list, ("web", "shop")));
    }

    #[test]
    fn what_is_no_such_item_allows_nobody() {
        for nonsense in
            ["*", "*/*", "*/web", "shop", "shop/", "/web", "shop/w*", "shop/web/x", "shop/*/x", "sho*/*", ""]
        {
            assert!(!allows(nonsense, ("shop", "web")), "{nonsense:?}");
        }
        assert!(allows("nonsense,,*/*,shop/web", ("shop", "web")), "the others count");
    }

    #[test]
    fn a_client_of_the_same_namespace_needs_no_consent() {
        assert!(allows("", ("batch", "anything")));
        assert!(allows("shop/web", ("batch", "anything")));
    }
}
