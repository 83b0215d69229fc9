//! The embedded cluster: what an API server would hold, held here.
//!
//! It implements the operator's [`Cluster`] over objects in memory and the state folder, and tells
//! the session ([`Told`]) what a watch would tell the operator. It decides nothing: it stores,
//! counts versions and refuses what an API server would refuse for a version's sake.

mod objects;
mod secrets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_crds::names::ObjectName;
use claviger_crds::signing_key::SigningKey;
use claviger_operator::clock::Clock;
use claviger_operator::cluster::{Cluster, ClusterError, Event, Kind, OwnerMeta, StatusWrite};
use claviger_operator::engine::Change;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;
use tokio::sync::mpsc;

use self::objects::Objects;
use self::secrets::Secrets;
use super::state::State;
use crate::manifests::Sort;

/// What happened, in the order in which it did.
#[derive(Debug)]
pub(crate) enum Told {
    /// For the operator's engine.
    Change(Change),
    /// A published Secret was written: for the provider.
    Published(Box<Secret>),
    /// A published Secret was deleted: for the provider.
    Unpublished(String),
    /// A Secret that objects may name has changed: for the operator's engine. In a cluster it looks
    /// on a timer, for it may not watch Secrets there; here it can be told at once.
    LookAgain,
    /// A status was written: for the report.
    Status,
    /// For people.
    Event(Event),
}

/// The namespaces of the operator.
#[derive(Clone, Debug)]
pub(crate) struct Namespaces {
    /// Ring Secrets are here.
    pub(crate) operator: String,
    /// Published Secrets are here.
    pub(crate) published: String,
}

impl Default for Namespaces {
    fn default() -> Self {
        Self { operator: "claviger-system".to_owned(), published: "claviger-published".to_owned() }
    }
}

/// The embedded cluster.
pub(crate) struct Embedded {
    inner: Mutex<Inner>,
}

struct Inner {
    objects: Objects,
    secrets: Secrets,
    state: State,
    clock: Arc<dyn Clock>,
    told: mpsc::UnboundedSender<Told>,
}

impl Embedded {
    /// Takes up what the state folder keeps, and tells it.
    ///
    /// # Errors
    /// When the state cannot be read: to begin anew would lose keys.
    pub(crate) fn open(
        state: State,
        namespaces: Namespaces,
        clock: Arc<dyn Clock>,
        told: mpsc::UnboundedSender<Told>,
    ) -> anyhow::Result<Self> {
        let mut inner = Inner {
            objects: Objects::new(state.births()?),
            secrets: Secrets::new(namespaces, state.secrets()?),
            state,
            clock,
            told,
        };
        inner.secrets.tell(&inner.told);
        for key in inner.state.signing_keys()? {
            inner.adopt(key);
        }
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// The folder declares this object, new, changed or as before.
    ///
    /// # Errors
    /// When the state folder cannot be written, or the object is not of its kind.
    pub(crate) fn declare(&self, sort: Sort, name: &ObjectName, value: &Value) -> anyhow::Result<()> {
        let mut inner = self.lock();
        match sort {
            Sort::Resource(kind) => {
                inner.objects.made.remove(name);
                inner.declare_resource(kind, name, value)?;
            }
            Sort::Secret => {
                let secret: Secret = serde_json::from_value(value.clone())?;
                inner.secrets.declare(name, secret);
                inner.tell(Told::LookAgain);
            }
            Sort::Namespace => inner.tell_namespace(value)?,
            Sort::ServiceAccount => {}
        }
        Ok(())
    }

    /// The folder no longer declares this object.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn undeclare(&self, sort: Sort, name: &ObjectName) -> anyhow::Result<()> {
        let mut inner = self.lock();
        match sort {
            Sort::Resource(kind) => inner.delete_resource(kind, name)?,
            Sort::Secret => {
                inner.secrets.undeclare(name);
                inner.tell(Told::LookAgain);
            }
            // An object may go on living there: as a cluster's, a namespace without its labels.
            Sort::Namespace => inner.tell_bare_namespace(&name.name),
            Sort::ServiceAccount => {}
        }
        Ok(())
    }

    /// A Namespace that nobody declares, but that an object stands in.
    pub(crate) fn imply_namespace(&self, name: &str) {
        self.lock().tell_bare_namespace(name);
    }

    /// Every custom resource, with its status.
    pub(crate) fn resources(&self) -> Vec<(Kind, ObjectName, Value)> {
        self.lock().objects.all()
    }

    /// Where a person finds a Secret that was generated, if it is there.
    pub(crate) fn generated(&self, name: &ObjectName) -> Option<std::path::PathBuf> {
        let inner = self.lock();
        inner.secrets.is_kept(name).then(|| inner.state.secret_path(name))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&self, told: Told) {
        // Nobody listens any more only while the process ends.
        let _ = self.told.send(told);
    }
}

/// The state folder did not take a write.
fn unwritable(error: std::io::Error) -> ClusterError {
    ClusterError::Unavailable(format!("the state folder cannot be written: {error}"))
}

/// Nothing here waits: every answer is ready when it is asked for.
impl Cluster for Embedded {
    fn secret(&self, name: &ObjectName) -> BoxFuture<'_, Result<Option<Secret>, ClusterError>> {
        let found = self.lock().secrets.get(name);
        async move { Ok(found) }.boxed()
    }

    fn create_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>> {
        let made = self.lock().create_secret(secret);
        async move { made }.boxed()
    }

    fn replace_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>> {
        let replaced = self.lock().replace_secret(secret);
        async move { replaced }.boxed()
    }

    fn delete_secret(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let deleted = self.lock().delete_secret(name, uid, resource_version);
        async move { deleted }.boxed()
    }

    fn owner(&self, kind: Kind, name: &ObjectName) -> BoxFuture<'_, Result<Option<OwnerMeta>, ClusterError>> {
        let found = self.lock().objects.owner(kind, name);
        async move { Ok(found) }.boxed()
    }

    fn create_signing_key(&self, key: SigningKey) -> BoxFuture<'_, Result<(), ClusterError>> {
        let made = self.lock().create_signing_key(key);
        async move { made }.boxed()
    }

    fn delete_signing_key(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let deleted = self.lock().delete_signing_key(name, uid, resource_version);
        async move { deleted }.boxed()
    }

    fn write_status(&self, status: StatusWrite) -> BoxFuture<'_, Result<(), ClusterError>> {
        let written = self.lock().write_status(status);
        async move { written }.boxed()
    }

    fn event(&self, event: Event) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.lock().tell(Told::Event(event));
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests;
