//! Which APIs keep the host of their address from the Tenants of others, and for which tenant. It is known of each
//! beforehand, so that not all at a host are looked at whenever something happens there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::DocumentKind;

use super::Index;
use super::address::host;
use super::claims::Claim;
use super::documents::{Detail, Entry};
use crate::work::{Kind, Work};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Apis {
    by_client: HashMap<ObjectName, Kept>,
    /// By host, then by slug. Nothing in it is empty.
    at: HashMap<String, BTreeMap<String, BTreeSet<ObjectName>>>,
}

/// A host that an API keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    host: String,
    /// Of the tenant whose API it is, and whose own issuer may have the host all the same.
    slug: String,
}

// === impl Kept ===

impl Kept {
    fn of(audience: &str, slug: &str) -> Option<Self> {
        Some(Self { host: host(audience)?, slug: slug.to_owned() })
    }

    fn published(entry: &Entry) -> Option<Self> {
        match &entry.detail {
            Detail::Client { audience, .. } => Self::of(audience.as_deref()?, &entry.tenant),
            _ => None,
        }
    }
}

// === impl Apis ===

impl Apis {
    /// The APIs that keep `host` from the tenant `slug`.
    fn of_others(&self, host: &str, slug: &str) -> impl Iterator<Item = &ObjectName> {
        let at = self.at.get(host).into_iter().flatten();
        at.filter(move |(other, _)| *other != slug).flat_map(|(_, apis)| apis)
    }

    /// The client keeps this now. Returns the hosts of which another API is the first of its tenant now, which is the
    /// one that a Tenant names that does not get the host.
    fn put(&mut self, client: &ObjectName, kept: Option<Kept>) -> BTreeSet<String> {
        let mut turned = BTreeSet::new();
        if let Some(Kept { host, slug }) = self.by_client.remove(client)
            && let Some(slugs) = self.at.get_mut(&host)
        {
            if let Some(apis) = slugs.get_mut(&slug) {
                if apis.first() == Some(client) {
                    turned.insert(host.clone());
                }
                apis.remove(client);
                if apis.is_empty() {
                    slugs.remove(&slug);
                }
            }
            if slugs.is_empty() {
                self.at.remove(&host);
            }
        }
        if let Some(kept) = kept {
            let apis = self.at.entry(kept.host.clone()).or_default().entry(kept.slug.clone()).or_default();
            if apis.first().is_none_or(|first| client < first) {
                turned.insert(kept.host.clone());
            }
            apis.insert(client.clone());
            self.by_client.insert(client.clone(), kept);
        }
        turned
    }
}

// === impl Index ===

impl Index {
    /// An API that keeps `host` from the tenant with this slug. With its own clients a Tenant may do as it likes.
    pub(crate) fn api_at(&self, host: &str, slug: &str) -> Option<&ObjectName> {
        self.apis.of_others(host, slug).next()
    }

    /// Whether nothing of an API keeps `host` from the Tenant with this slug. One that `said_accepted`, so that it had
    /// the host, gives way to documents alone.
    pub(super) fn is_clear(&self, host: &str, slug: &str, said_accepted: bool) -> bool {
        !self.apis.of_others(host, slug).any(|api| !said_accepted || self.is_recorded(api))
    }

    fn is_recorded(&self, client: &ObjectName) -> bool {
        let document = names::published_secret(DocumentKind::OAuthClient.as_str(), client);
        self.documents.known(&document).is_some_and(Entry::is_readable)
    }

    /// The status of `work` was written: whose work that makes.
    pub(crate) fn said(&mut self, work: &Work) -> BTreeSet<Work> {
        let works = self.keep_hosts(&BTreeSet::from([work.clone()]));
        self.settle(works)
    }

    /// Takes in which hosts the clients among `works` keep now. Returns whose work that makes.
    pub(super) fn keep_hosts(&mut self, works: &BTreeSet<Work>) -> BTreeSet<Work> {
        let clients = works.iter().filter(|work| work.kind == Kind::OAuthClient).map(|work| &work.name);
        let now = clients.map(|client| (client, self.keeps(client)));
        let now: Vec<_> = now.filter(|(client, kept)| self.apis.by_client.get(client) != kept.as_ref()).collect();
        let before = now.iter().filter_map(|(client, _)| self.apis.by_client.get(client));
        let hosts = before.chain(now.iter().filter_map(|(_, kept)| kept.as_ref())).map(|kept| kept.host.clone());
        let (turned, mut works) = self.rehosting(&hosts.collect(), |index| {
            now.into_iter().flat_map(|(client, kept)| index.apis.put(client, kept)).collect::<BTreeSet<_>>()
        });
        // A Tenant that does not get a host says whose it is.
        for host in turned {
            works.extend(self.rivals(&Claim::Host(host)));
        }
        works
    }

    /// The host that the client keeps.
    /// 1. Where no document is readable: of the API that it declares, if it says that it is served.
    /// 2. Where it is served, or its object is gone, for that may return: of the API in the document.
    /// 3. Where it is withdrawn and its object stands: of both, if nothing but a host keeps it from being served. Else
    ///    an OAuthClient that no Tenant has would keep its host for ever.
    fn keeps(&self, client: &ObjectName) -> Option<Kept> {
        let document = names::published_secret(DocumentKind::OAuthClient.as_str(), client);
        let Some(readable) = self.documents.known(&document).filter(|entry| entry.is_readable()) else {
            let was_served = self.clients.get(client).is_some_and(|client| client.said_served());
            return was_served.then(|| self.declared(client)).flatten();
        };
        let published = Kept::published(readable)?;
        if self.documents.serves(&document) || !self.clients.contains(client) {
            return Some(published);
        }
        self.declared(client).filter(|declared| declared.host == published.host)
    }

    /// The host of the API that the client declares, if its Tenant would have it there.
    pub(super) fn declared(&self, client: &ObjectName) -> Option<Kept> {
        let valid = self.clients.get(client)?.valid()?;
        let tenant = self.tenants.get(&valid.tenant)?.valid()?;
        let fits = self.refuse_anywhere(valid, &valid.tenant, tenant).is_none();
        Kept::of(valid.resource_server.as_ref().filter(|_| fits)?.audience.as_str(), tenant.slug.as_str())
    }
}
