//! What the index takes in of the Secrets that hold tenants' sealing keys: whose they are, so that
//! none outlives its Tenant unseen, and that they have changed.

use std::collections::BTreeSet;

use claviger_crds::names::{self, ObjectName};
use k8s_openapi::api::core::v1::Secret;

use super::{Index, SealingMeta};
use crate::work::{Kind, Work};

impl Index {
    pub(crate) fn apply_sealing(&mut self, secret: &Secret) -> BTreeSet<Work> {
        let Some((work, same)) = self.take_sealing(secret) else {
            return BTreeSet::new();
        };
        if same { BTreeSet::new() } else { BTreeSet::from([work]) }
    }

    /// A write of ours succeeded: the watch will show it later.
    pub(crate) fn wrote_sealing(&mut self, secret: &Secret) {
        self.take_sealing(secret);
    }

    /// The sealing keys whose Secret had this name are gone.
    pub(crate) fn delete_sealing(&mut self, secret: &str) -> BTreeSet<Work> {
        let Some(owner) = self.sealing_owners.remove(secret) else {
            return BTreeSet::new();
        };
        self.sealings.remove(&owner);
        let work = Work::new(Kind::Tenant, owner);
        self.note(&work);
        BTreeSet::from([work])
    }

    pub(crate) fn sealing(&self, owner: &ObjectName) -> Option<&SealingMeta> {
        self.sealings.get(owner)
    }

    /// Whose it is, and whether that was known as it is.
    fn take_sealing(&mut self, secret: &Secret) -> Option<(Work, bool)> {
        let (owner, meta) = meta(secret)?;
        self.sealing_owners.insert(names::sealing_secret(&owner), owner.clone());
        let same = self.sealings.insert(owner.clone(), meta.clone()).is_some_and(|before| before == meta);
        let work = Work::new(Kind::Tenant, owner);
        self.note(&work);
        Some((work, same))
    }
}

/// Nothing of a Secret that only says that it is a Tenant's: a copy that somebody keeps.
fn meta(secret: &Secret) -> Option<(ObjectName, SealingMeta)> {
    let annotations = secret.metadata.annotations.as_ref()?;
    let (namespace, name) = annotations.get(names::ANNOTATION_OWNER)?.split_once('/')?;
    let owner = ObjectName::new(namespace, name);
    let meta = SealingMeta {
        uid: secret.metadata.uid.clone().unwrap_or_default(),
        resource_version: secret.metadata.resource_version.clone().unwrap_or_default(),
        withdrawn_at: annotations.get(names::ANNOTATION_WITHDRAWN_AT).and_then(|at| at.parse().ok()),
    };
    (secret.metadata.name.as_deref() == Some(&names::sealing_secret(&owner))).then_some((owner, meta))
}
