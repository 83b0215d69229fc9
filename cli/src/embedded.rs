//! The embedded cluster: what an API server would hold, held here. `dev` serves from it, `lint`
//! rehearses on one that keeps nothing.
//!
//! It implements the operator's [`Cluster`] over objects in memory and the state folder, and tells
//! whoever runs it ([`Told`]) what a watch would tell the operator. It decides nothing: it stores,
//! counts versions and refuses what an API server would refuse for a version's sake.

mod identity;
mod objects;
mod secrets;
mod standing;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use claviger_crds::names::ObjectName;
use claviger_crds::signing_key::SigningKey;
use claviger_operator::clock::Clock;
use claviger_operator::cluster::{Cluster, ClusterError, Event, Kind, OwnerMeta, StatusWrite};
use claviger_operator::engine::{Change, Engine, Options, Seen};
use claviger_operator::metrics::Metrics;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;
use tokio::sync::mpsc;

use self::objects::Objects;
use self::secrets::Secrets;
pub(crate) use self::standing::{Standing, condition, is_judged, standing};
pub(crate) use self::state::{Ahead, State};
use crate::manifests::Sort;

/// The operator's own namespace: ring Secrets are here.
const OPERATOR_NAMESPACE: &str = "claviger-system";
/// Published Secrets are here.
const PUBLISHED_NAMESPACE: &str = "claviger-published";
/// How many reconciles run at once.
const WORKERS: usize = 4;

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
    pub(crate) fn open(state: State, clock: Arc<dyn Clock>, told: mpsc::UnboundedSender<Told>) -> anyhow::Result<Self> {
        let mut inner = Inner {
            objects: Objects::new(state.births()?),
            secrets: Secrets::new(state.secrets()?),
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

    /// The operator's engine over this cluster, which was told nothing yet.
    pub(crate) fn engine(self: &Arc<Self>, external_url: String) -> Arc<Engine> {
        let options = Options {
            external_url,
            operator_namespace: OPERATOR_NAMESPACE.to_owned(),
            published_namespace: PUBLISHED_NAMESPACE.to_owned(),
            workers: WORKERS,
        };
        let clock = self.lock().clock.clone();
        Engine::new(self.clone(), options, clock, Metrics::unregistered())
    }

    /// The folder declares this object, new, changed or as before. Its birth is kept by
    /// [`Embedded::keep_births`].
    ///
    /// # Errors
    /// When the state folder cannot be written, or the object is not of its kind.
    pub(crate) fn declare(&self, sort: Sort, name: &ObjectName, value: &Value) -> anyhow::Result<()> {
        let mut inner = self.lock();
        match sort {
            Sort::Resource(kind) => {
                inner.declare_resource(kind, name, value)?;
                // The folder takes over a ring that the operator made: it is no longer ours to keep.
                if kind == Kind::SigningKey && inner.objects.made.remove(name) {
                    inner.state.forget_signing_key(name)?;
                }
            }
            Sort::Secret => {
                let secret: Secret = serde_json::from_value(value.clone())?;
                inner.secrets.declare(name, secret);
                inner.tell(Told::LookAgain);
            }
            Sort::Namespace => inner.tell_namespace(value)?,
            Sort::ServiceAccount => inner.tell_service_account(name, value)?,
        }
        Ok(())
    }

    /// Keeps when objects were first seen. Once for everything that was declared and undeclared
    /// since, for one file holds them all: to write it for each would cost the square of their number.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn keep_births(&self) -> anyhow::Result<()> {
        self.lock().keep_births().context("the state folder cannot be written")
    }

    /// Keeps how far ahead the clock is.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn keep_ahead(&self, ahead: Ahead) -> std::io::Result<()> {
        self.lock().state.keep_ahead(ahead)
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
            Sort::ServiceAccount => inner.tell(Told::Change(Change::ServiceAccount(Seen::Deleted(name.clone())))),
        }
        Ok(())
    }

    /// A Namespace that nobody declares, but that an object stands in.
    pub(crate) fn imply_namespace(&self, name: &str) {
        self.lock().tell_bare_namespace(name);
    }

    /// Every custom resource, with its status.
    pub(crate) fn resources(&self) -> Vec<(Kind, ObjectName, Value)> {
        let inner = self.lock();
        inner.objects.iter().map(|(kind, name, value)| (kind, name.clone(), value.clone())).collect()
    }

    /// Whether `holds` of every custom resource that the engine judges.
    pub(crate) fn all(&self, holds: impl Fn(&Value) -> bool) -> bool {
        self.lock().objects.iter().all(|(kind, _, object)| kind == Kind::IdentityProvider || holds(object))
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

    fn write_status(&self, status: StatusWrite) -> BoxFuture<'_, Result<String, ClusterError>> {
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
