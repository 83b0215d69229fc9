//! Custom resources: as declared, with what an API server adds, and with their status.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use claviger_crds::names::ObjectName;
use claviger_crds::published::Digest;
use claviger_crds::signing_key::SigningKey;
use claviger_operator::cluster::{ClusterError, Kind, OwnerMeta, StatusWrite};
use claviger_operator::engine::{Change, Seen};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::identity::uid;
use super::state::{Birth, Births};
use super::{Inner, Told, unwritable};
use crate::manifests::{Sort, title};

/// Every custom resource.
pub(super) struct Objects {
    births: Births,
    /// Whether `births` differs from what the state folder holds.
    unkept: bool,
    all: BTreeMap<(Kind, ObjectName), Value>,
    /// SigningKeys that the operator made; no file declares them.
    pub(super) made: BTreeSet<ObjectName>,
    version: u64,
}

impl Objects {
    pub(super) fn new(births: Births) -> Self {
        Self { births, unkept: false, all: BTreeMap::new(), made: BTreeSet::new(), version: 0 }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Kind, &ObjectName, &Value)> {
        self.all.iter().map(|((kind, name), value)| (*kind, name, value))
    }

    pub(super) fn owner(&self, kind: Kind, name: &ObjectName) -> Option<OwnerMeta> {
        let value = self.all.get(&(kind, name.clone()))?;
        Some(OwnerMeta {
            uid: meta(value, "uid"),
            resource_version: meta(value, "resourceVersion"),
            managed_fields: Vec::new(),
        })
    }

    fn put(&mut self, kind: Kind, name: &ObjectName, mut value: Value, told: &mpsc::UnboundedSender<Told>) {
        self.version += 1;
        value["metadata"]["resourceVersion"] = self.version.to_string().into();
        tell_applied(kind, &value, told);
        self.all.insert((kind, name.clone()), value);
    }
}

impl Inner {
    pub(super) fn declare_resource(&mut self, kind: Kind, name: &ObjectName, value: &Value) -> anyhow::Result<()> {
        let title = title(Sort::Resource(kind), name);
        let spec = Digest::of(&serde_json::to_vec(&value["spec"])?);
        let birth = match self.objects.births.get(&title) {
            Some(birth) if birth.spec == spec => birth.clone(),
            Some(birth) => Birth { created_at: birth.created_at, generation: birth.generation + 1, spec },
            None => Birth { created_at: whole_seconds(self.clock.now().wall), generation: 1, spec },
        };
        if self.objects.births.get(&title) != Some(&birth) {
            self.objects.births.insert(title, birth.clone());
            self.objects.unkept = true;
        }
        let mut value = value.clone();
        let metadata = &mut value["metadata"];
        metadata["uid"] = uid(kind.as_str(), name).into();
        metadata["generation"] = birth.generation.into();
        metadata["creationTimestamp"] = json!(birth.created_at);
        if let Some(status) = self.objects.all.get(&(kind, name.clone())).and_then(|before| before.get("status")) {
            value["status"] = status.clone();
        }
        self.objects.put(kind, name, value, &self.told);
        Ok(())
    }

    /// Where this fails, the next call tries again.
    pub(super) fn keep_births(&mut self) -> io::Result<()> {
        if self.objects.unkept {
            self.state.keep_births(&self.objects.births)?;
            self.objects.unkept = false;
        }
        Ok(())
    }

    /// Takes up a SigningKey that the operator made in an earlier run.
    pub(super) fn adopt(&mut self, key: SigningKey) {
        let name = name_of(&key.metadata);
        let Ok(value) = serde_json::to_value(&key) else { return };
        if self.declare_resource(Kind::SigningKey, &name, &value).is_ok() {
            self.objects.made.insert(name);
        }
    }

    pub(super) fn delete_resource(&mut self, kind: Kind, name: &ObjectName) -> anyhow::Result<()> {
        let Some(gone) = self.objects.all.remove(&(kind, name.clone())) else { return Ok(()) };
        self.objects.births.remove(&title(Sort::Resource(kind), name));
        self.objects.unkept = true;
        if kind == Kind::SigningKey && self.objects.made.remove(name) {
            self.state.forget_signing_key(name)?;
        }
        tell_deleted(kind, name, &self.told);
        self.tell(Told::Status);
        // Garbage collection, as a cluster does it by ownerReferences.
        for owned in self.owned_by(&meta(&gone, "uid")) {
            self.delete_resource(Kind::SigningKey, &owned)?;
        }
        Ok(())
    }

    fn owned_by(&self, uid: &str) -> Vec<ObjectName> {
        let owned = |name: &&ObjectName| {
            let value = self.objects.all.get(&(Kind::SigningKey, (*name).clone()));
            let owners = value.and_then(|value| value["metadata"]["ownerReferences"].as_array());
            owners.into_iter().flatten().any(|owner| owner["uid"] == uid)
        };
        self.objects.made.iter().filter(owned).cloned().collect()
    }

    pub(super) fn create_signing_key(&mut self, key: SigningKey) -> Result<(), ClusterError> {
        let name = name_of(&key.metadata);
        if self.objects.all.contains_key(&(Kind::SigningKey, name.clone())) {
            return Err(ClusterError::AlreadyExists);
        }
        let value = serde_json::to_value(&key).map_err(|error| ClusterError::Invalid(error.to_string()))?;
        self.state.keep_signing_key(&name, &key).map_err(unwritable)?;
        let declared = self.declare_resource(Kind::SigningKey, &name, &value);
        declared.map_err(|error| ClusterError::Unavailable(error.to_string()))?;
        self.objects.made.insert(name);
        // In a conflict the oldest ring wins, also after a crash.
        self.keep_births().map_err(unwritable)
    }

    pub(super) fn delete_signing_key(
        &mut self,
        name: &ObjectName,
        uid: &str,
        version: &str,
    ) -> Result<(), ClusterError> {
        let Some(present) = self.objects.owner(Kind::SigningKey, name) else { return Ok(()) };
        if present.uid != uid || present.resource_version != version {
            return Err(ClusterError::Conflict);
        }
        if !self.objects.made.contains(name) {
            return Err(ClusterError::Denied("the served folder declares it".to_owned()));
        }
        let deleted = self.delete_resource(Kind::SigningKey, name);
        deleted.map_err(|error| ClusterError::Unavailable(error.to_string()))?;
        self.keep_births().map_err(unwritable)
    }

    pub(super) fn write_status(&mut self, write: StatusWrite) -> Result<String, ClusterError> {
        let StatusWrite { kind, name, uid, resource_version, status } = write;
        let present = self.objects.owner(kind, &name).ok_or(ClusterError::NotFound)?;
        if present.uid != uid || present.resource_version != resource_version {
            return Err(ClusterError::Conflict);
        }
        let Some(mut value) = self.objects.all.get(&(kind, name.clone())).cloned() else {
            return Err(ClusterError::NotFound);
        };
        value["status"] = status;
        self.objects.put(kind, &name, value, &self.told);
        self.tell(Told::Status);
        self.objects.owner(kind, &name).map(|written| written.resource_version).ok_or(ClusterError::NotFound)
    }

    pub(super) fn tell_namespace(&self, value: &Value) -> anyhow::Result<()> {
        let mut namespace: Namespace = serde_json::from_value(value.clone())?;
        // Every API server sets it.
        let name = namespace.metadata.name.clone().unwrap_or_default();
        namespace.metadata.labels.get_or_insert_default().insert("kubernetes.io/metadata.name".to_owned(), name);
        self.tell(Told::Change(Change::Namespace(Seen::Applied(Box::new(namespace)))));
        Ok(())
    }

    /// Its tokens are nobody's to issue here; but whoever names it learns whether that is granted.
    pub(super) fn tell_service_account(&self, name: &ObjectName, value: &Value) -> anyhow::Result<()> {
        let mut account: ServiceAccount = serde_json::from_value(value.clone())?;
        account.metadata.namespace = Some(name.namespace.clone());
        account.metadata.uid = Some(uid("ServiceAccount", name));
        self.tell(Told::Change(Change::ServiceAccount(Seen::Applied(Box::new(account)))));
        Ok(())
    }

    pub(super) fn tell_bare_namespace(&self, name: &str) {
        let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        // A namespace of this form is always one.
        let _ = self.tell_namespace(&bare);
    }
}

/// Tells of an object. One of a kind that the engine does not know is held, and no more.
fn tell_applied(kind: Kind, value: &Value, told: &mpsc::UnboundedSender<Told>) {
    let change = match kind {
        Kind::Tenant => of_kind(value).map(|object| Change::Tenant(Seen::Applied(object))),
        Kind::SigningKey => of_kind(value).map(|object| Change::SigningKey(Seen::Applied(object))),
        Kind::OAuthClient => of_kind(value).map(|object| Change::OAuthClient(Seen::Applied(object))),
        Kind::User => of_kind(value).map(|object| Change::User(Seen::Applied(object))),
        Kind::IdentityProvider => None,
    };
    if let Some(change) = change {
        let _ = told.send(Told::Change(change));
    }
}

fn tell_deleted(kind: Kind, name: &ObjectName, told: &mpsc::UnboundedSender<Told>) {
    let name = name.clone();
    let change = match kind {
        Kind::Tenant => Change::Tenant(Seen::Deleted(name)),
        Kind::SigningKey => Change::SigningKey(Seen::Deleted(name)),
        Kind::OAuthClient => Change::OAuthClient(Seen::Deleted(name)),
        Kind::User => Change::User(Seen::Deleted(name)),
        Kind::IdentityProvider => return,
    };
    let _ = told.send(Told::Change(change));
}

/// The object as its type. Admission has read it as that type already.
fn of_kind<T: DeserializeOwned>(value: &Value) -> Option<Box<T>> {
    serde_json::from_value(value.clone()).ok().map(Box::new)
}

fn name_of(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> ObjectName {
    ObjectName::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

fn meta(value: &Value, key: &str) -> String {
    value["metadata"][key].as_str().unwrap_or_default().to_owned()
}

/// Kubernetes keeps times of creation to the second.
fn whole_seconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}
