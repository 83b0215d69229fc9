//! Secrets: those that the folder declares, and those that the operator wrote.

use std::collections::BTreeMap;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::Digest;
use claviger_operator::cluster::ClusterError;
use claviger_operator::engine::{Change, Seen};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::mpsc;

use super::identity::uid;
use super::{Inner, OPERATOR_NAMESPACE, PUBLISHED_NAMESPACE, Told, unwritable};

/// Every Secret.
pub(super) struct Secrets {
    /// From the folder that is served. A name that stands there is never written.
    declared: BTreeMap<ObjectName, Secret>,
    /// Written by the operator, kept in the state folder.
    kept: BTreeMap<ObjectName, Secret>,
    version: u64,
}

impl Secrets {
    pub(super) fn new(kept: Vec<Secret>) -> Self {
        let mut secrets = Self { declared: BTreeMap::new(), kept: BTreeMap::new(), version: 0 };
        for mut secret in kept {
            let name = name_of(&secret);
            secret.metadata.uid = Some(uid("Secret", &name));
            secret.metadata.resource_version = Some(secrets.next_version());
            secrets.kept.insert(name, secret);
        }
        secrets
    }

    /// Tells of everything that was kept.
    pub(super) fn tell(&self, told: &mpsc::UnboundedSender<Told>) {
        for secret in self.kept.values() {
            self.tell_one(secret, told);
        }
    }

    pub(super) fn get(&self, name: &ObjectName) -> Option<Secret> {
        self.declared.get(name).or_else(|| self.kept.get(name)).cloned()
    }

    pub(super) fn is_kept(&self, name: &ObjectName) -> bool {
        self.kept.contains_key(name) && !self.declared.contains_key(name)
    }

    pub(super) fn declare(&mut self, name: &ObjectName, secret: Secret) {
        let mut secret = super::state::merged(secret);
        secret.metadata.uid = Some(uid("Secret", name));
        // Of the content, so that after a restart the same Secret is not a changed one: a password
        // is hashed again only when it changes.
        let content = serde_json::to_vec(&secret).unwrap_or_default();
        secret.metadata.resource_version = Some(Digest::of(&content).to_string());
        self.declared.insert(name.clone(), secret);
    }

    pub(super) fn undeclare(&mut self, name: &ObjectName) {
        self.declared.remove(name);
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn tell_one(&self, secret: &Secret, told: &mpsc::UnboundedSender<Told>) {
        let namespace = secret.metadata.namespace.as_deref().unwrap_or_default();
        let seen = Seen::Applied(Box::new(secret.clone()));
        if namespace == PUBLISHED_NAMESPACE {
            let _ = told.send(Told::Published(Box::new(secret.clone())));
            let _ = told.send(Told::Change(Change::Published(seen)));
        } else if namespace == OPERATOR_NAMESPACE
            && let Some(change) = held(secret)
        {
            let _ = told.send(Told::Change(change(seen)));
        }
    }

    fn tell_gone(&self, name: &ObjectName, secret: &Secret, told: &mpsc::UnboundedSender<Told>) {
        if name.namespace == PUBLISHED_NAMESPACE {
            let _ = told.send(Told::Unpublished(name.name.clone()));
            let _ = told.send(Told::Change(Change::Published(Seen::Deleted(name.clone()))));
        } else if name.namespace == OPERATOR_NAMESPACE
            && let Some(change) = held(secret)
        {
            let _ = told.send(Told::Change(change(Seen::Deleted(name.clone()))));
        }
    }
}

impl Inner {
    pub(super) fn create_secret(&mut self, mut secret: Secret) -> Result<Secret, ClusterError> {
        let name = name_of(&secret);
        if self.secrets.get(&name).is_some() {
            return Err(ClusterError::AlreadyExists);
        }
        secret.metadata.uid = Some(uid("Secret", &name));
        secret.metadata.creation_timestamp = Some(Time(self.clock.now().wall));
        self.store_secret(&name, secret)
    }

    pub(super) fn replace_secret(&mut self, mut secret: Secret) -> Result<Secret, ClusterError> {
        let name = name_of(&secret);
        if self.secrets.declared.contains_key(&name) {
            return Err(ClusterError::Denied("the served folder declares it".to_owned()));
        }
        let present = self.secrets.kept.get(&name).ok_or(ClusterError::NotFound)?;
        if secret.metadata.resource_version != present.metadata.resource_version {
            return Err(ClusterError::Conflict);
        }
        secret.metadata.uid = present.metadata.uid.clone();
        secret.metadata.creation_timestamp = present.metadata.creation_timestamp.clone();
        self.store_secret(&name, secret)
    }

    pub(super) fn delete_secret(&mut self, name: &ObjectName, uid: &str, version: &str) -> Result<(), ClusterError> {
        let Some(present) = self.secrets.get(name) else { return Ok(()) };
        let same = |part: &Option<String>, wanted: &str| part.as_deref() == Some(wanted);
        if !same(&present.metadata.uid, uid) || !same(&present.metadata.resource_version, version) {
            return Err(ClusterError::Conflict);
        }
        if self.secrets.declared.contains_key(name) {
            return Err(ClusterError::Denied("the served folder declares it".to_owned()));
        }
        self.state.forget_secret(name).map_err(unwritable)?;
        self.secrets.kept.remove(name);
        self.secrets.tell_gone(name, &present, &self.told);
        Ok(())
    }

    /// To disk first: what was told must survive.
    fn store_secret(&mut self, name: &ObjectName, mut secret: Secret) -> Result<Secret, ClusterError> {
        secret = super::state::merged(secret);
        self.state.keep_secret(name, &secret).map_err(unwritable)?;
        secret.metadata.resource_version = Some(self.secrets.next_version());
        self.secrets.tell_one(&secret, &self.told);
        self.secrets.kept.insert(name.clone(), secret.clone());
        Ok(secret)
    }
}

fn name_of(secret: &Secret) -> ObjectName {
    let metadata = &secret.metadata;
    ObjectName::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

/// What the engine calls a change of a Secret that holds this.
fn held(secret: &Secret) -> Option<fn(Seen<Secret>) -> Change> {
    match secret.metadata.labels.as_ref()?.get(names::LABEL_HOLDS)?.as_str() {
        "ring" => Some(Change::Ring),
        "sealing" => Some(Change::Sealing),
        _ => None,
    }
}
