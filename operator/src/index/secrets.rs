//! What the index takes in beside custom resources: namespaces, published documents, rings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::ValidOAuthClient;
use claviger_crds::published::DocumentKind;
use k8s_openapi::api::core::v1::{Namespace, Secret};

use super::claims::Claim;
use super::documents::{Applied, Entry};
use super::{Index, RingMeta};
use crate::signing_key::ring::ANNOTATION_LEAVING_SINCE;
use crate::work::{Kind, Work};

impl Index {
    pub(crate) fn apply_namespace(&mut self, namespace: &Namespace) -> BTreeSet<Work> {
        let Some(name) = namespace.metadata.name.clone() else {
            return BTreeSet::new();
        };
        let labels = Arc::new(namespace.metadata.labels.clone().unwrap_or_default());
        match self.namespaces.get(&name) {
            Some(before) if *before == labels => BTreeSet::new(),
            _ => self.label(&name, Some(labels)),
        }
    }

    pub(crate) fn delete_namespace(&mut self, name: &str) -> BTreeSet<Work> {
        self.label(name, None)
    }

    /// A namespace has other labels: that is its own clients' business, and that of those who
    /// compete with one that its Tenant now has, or has no longer.
    fn label(&mut self, namespace: &str, labels: Option<Arc<BTreeMap<String, String>>>) -> BTreeSet<Work> {
        let mut works = self.members.in_namespace(namespace);
        let (_, others) = self.readmitting(&works, |index| match labels {
            Some(labels) => index.namespaces.insert(namespace.to_owned(), labels),
            None => index.namespaces.remove(namespace),
        });
        works.extend(others);
        self.settle(works)
    }

    /// The clients that ask for the audience, if that is what `claim` is.
    pub(super) fn requesters(&self, tenant: &ObjectName, claim: &Claim) -> Vec<Work> {
        match claim {
            Claim::Audience(_, audience) => self.members.requesters(tenant, audience),
            _ => Vec::new(),
        }
    }

    /// The labels of a namespace; none if it is not known.
    pub(crate) fn labels(&self, namespace: &str) -> Arc<BTreeMap<String, String>> {
        self.namespaces.get(namespace).cloned().unwrap_or_default()
    }

    pub(crate) fn apply_published(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let read = self.documents.read(secret, false);
        read.map(|entry| self.take(entry)).unwrap_or_default()
    }

    /// A write of ours succeeded: the watch will show it later.
    pub(crate) fn wrote_published(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let Some(entry) = self.documents.read(secret, true) else {
            return BTreeSet::new();
        };
        let own = Work::new(Kind::from(entry.kind), entry.owner.clone());
        let mut works = self.take(entry);
        // Whoever wrote it goes on by itself.
        works.remove(&own);
        works
    }

    fn take(&mut self, entry: Entry) -> BTreeSet<Work> {
        let names = match entry.kind {
            DocumentKind::Tenant => self.documents.difference(&entry.name, Some(&entry)),
            _ => BTreeSet::new(),
        };
        let hosts = self.hosts_of_names(&names);
        let (applied, mut works) = self.rehosting(&hosts, |index| index.documents.take(entry));
        works.extend(self.document_changed(Some(applied)));
        self.settle(works)
    }

    pub(crate) fn delete_published(&mut self, name: &str) -> BTreeSet<Work> {
        // The names of one that providers serve stay recorded.
        let served = self.documents.serves(name);
        let freed = if served { BTreeSet::new() } else { self.documents.difference(name, None) };
        let hosts = self.hosts_of_names(&freed);
        let (applied, mut works) = self.rehosting(&hosts, |index| index.documents.delete(name));
        works.extend(self.document_changed(applied));
        self.settle(works)
    }

    /// Frees the names of a document that vanished, whose owner is gone and which nobody can withdraw.
    pub(crate) fn forget_lost(&mut self, owner: &Work) -> BTreeSet<Work> {
        let document = owner.document();
        let hosts = self.hosts_of_names(&self.documents.difference(&document, None));
        let (freed, mut works) = self.rehosting(&hosts, |index| index.documents.forget_lost(&document));
        self.note(owner);
        works.extend(self.keep_hosts(&BTreeSet::from([owner.clone()])));
        let Some((tenant, claims)) = freed else { return self.settle(works) };
        works.extend(self.claimants(&claims));
        works.extend(self.demands_changed(self.served_as(&tenant)));
        self.settle(works)
    }

    /// Those that want one of `claims`, which documents make or made, and those that ask for such an audience.
    fn claimants<'a>(&self, claims: impl IntoIterator<Item = &'a Claim>) -> BTreeSet<Work> {
        let mut works = BTreeSet::new();
        for claim in claims {
            works.extend(self.rivals(claim));
            let slug = claim.scope().map(|slug| Claim::Slug(slug.to_owned()));
            for issuer in slug.iter().flat_map(|slug| self.claims.of(slug)) {
                works.extend(self.rivals(&claim.within(&issuer.to_string())));
                works.extend(self.requesters(issuer, claim));
            }
        }
        works
    }

    fn document_changed(&mut self, applied: Option<Applied>) -> BTreeSet<Work> {
        let Some(Applied { kind, owner, tenant, left, claims, served, algorithms }) = applied else {
            return BTreeSet::new();
        };
        let own = Work::new(Kind::from(kind), owner.clone());
        self.note(&own);
        let issuers = self.claims.of(&Claim::Slug(tenant.clone())).to_vec();
        let mut works = self.claimants(&claims);
        works.insert(own);
        match kind {
            DocumentKind::Tenant if served || !claims.is_empty() => {
                works.extend(issuers.iter().flat_map(|issuer| self.members.of(issuer)));
                // What belongs to a Tenant that is gone waits for its withdrawal.
                works.extend(self.members.of(&owner));
            }
            DocumentKind::SigningKey => {
                works.extend(issuers.iter().map(|issuer| Work::new(Kind::Tenant, issuer.clone())));
                if algorithms {
                    let clients = issuers.iter().flat_map(|issuer| self.members.clients(issuer));
                    let clients = clients.filter_map(|client| self.clients.get(client));
                    let ask = |client: &ValidOAuthClient| client.id_token_signed_response_alg.is_some();
                    works.extend(clients.filter(|client| client.valid().is_some_and(ask)).map(|client| client.work()));
                }
                let rings = self.documents.rings(&tenant);
                works.extend(rings.map(|ring| Work::new(Kind::SigningKey, ring.owner.clone())));
            }
            DocumentKind::OAuthClient if served && !self.documents.of(kind, &owner).is_some_and(Entry::serving) => {
                works.extend(issuers.iter().flat_map(|issuer| self.waiting_for_quota(issuer)));
            }
            _ => {}
        }
        if kind == DocumentKind::OAuthClient {
            for slug in left.iter().chain([&tenant]) {
                works.extend(self.demands_changed(self.served_as(slug)));
            }
        }
        works
    }

    pub(crate) fn apply_ring(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let Some((owner, meta)) = ring_meta(secret) else {
            return BTreeSet::new();
        };
        self.ring_owners.insert(names::ring_secret(&owner), owner.clone());
        let same = self.rings.insert(owner.clone(), meta.clone()).is_some_and(|before| before == meta);
        let work = Work::new(Kind::SigningKey, owner);
        self.note(&work);
        if same { BTreeSet::new() } else { BTreeSet::from([work]) }
    }

    /// A write of ours succeeded: the watch will show it later.
    pub(crate) fn wrote_ring(&mut self, secret: &Secret) {
        if let Some((owner, meta)) = ring_meta(secret) {
            self.ring_owners.insert(names::ring_secret(&owner), owner.clone());
            self.rings.insert(owner.clone(), meta);
            self.note(&Work::new(Kind::SigningKey, owner));
        }
    }

    /// The ring whose Secret had this name is gone.
    pub(crate) fn delete_ring(&mut self, secret: &str) -> BTreeSet<Work> {
        let Some(owner) = self.ring_owners.remove(secret) else {
            return BTreeSet::new();
        };
        self.rings.remove(&owner);
        let work = Work::new(Kind::SigningKey, owner);
        self.note(&work);
        BTreeSet::from([work])
    }

    pub(crate) fn ring(&self, owner: &ObjectName) -> Option<&RingMeta> {
        self.rings.get(owner)
    }

    /// Whose rings there are.
    pub(crate) fn ring_owners(&self) -> impl Iterator<Item = &ObjectName> {
        self.rings.keys()
    }

    /// Whether no Tenant wants the slug.
    pub(crate) fn tenant_gone(&self, slug: &str) -> bool {
        self.claims.of(&Claim::Slug(slug.to_owned())).is_empty()
    }

    /// What stands without an owner: documents, rings and sealing keys, tombstones among them. Also
    /// documents that vanished, for providers serve them.
    pub(crate) fn ownerless(&self) -> &BTreeSet<Work> {
        &self.ownerless
    }

    /// Notes whether something of `work` stands without an owner.
    pub(super) fn note(&mut self, work: &Work) {
        let document = work.document();
        let stands = self.documents.get(&document).is_some()
            || self.documents.lost(&document).is_some()
            || (work.kind == Kind::SigningKey && self.rings.contains_key(&work.name))
            || (work.kind == Kind::Tenant && self.sealing(&work.name).is_some());
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
        withdrawn_at: annotations.get(names::ANNOTATION_WITHDRAWN_AT).and_then(|at| at.parse().ok()),
        leaving: annotations.contains_key(ANNOTATION_LEAVING_SINCE),
    };
    Some((ObjectName::new(namespace, name), meta))
}
