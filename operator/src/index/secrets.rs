//! What the index takes in beside custom resources: namespaces, published documents, rings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::DocumentKind;
use k8s_openapi::api::core::v1::{Namespace, Secret};

use super::claims::Claim;
use super::documents::Applied;
use super::{Index, RingMeta};
use crate::signing_key::ring::{ANNOTATION_LEAVING_SINCE, ANNOTATION_WITHDRAWN_AT};
use crate::work::{Kind, Work};

impl Index {
    pub(crate) fn apply_namespace(&mut self, namespace: &Namespace) -> BTreeSet<Work> {
        let Some(name) = namespace.metadata.name.clone() else {
            return BTreeSet::new();
        };
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
        let Some(Applied { kind, owner, tenant, claims, served }) = applied else {
            return BTreeSet::new();
        };
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
        let Some((owner, meta)) = ring_meta(secret) else {
            return BTreeSet::new();
        };
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
        let Some(owner) = owner else {
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

    /// Whether no Tenant wants the slug.
    pub(crate) fn tenant_gone(&self, slug: &str) -> bool {
        self.claims.of(&Claim::Slug(slug.to_owned())).is_empty()
    }

    /// What stands without an owner: documents and rings, tombstones among them.
    pub(crate) fn ownerless(&self) -> &BTreeSet<Work> {
        &self.ownerless
    }

    /// Notes whether something of `work` stands without an owner.
    pub(super) fn note(&mut self, work: &Work) {
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
