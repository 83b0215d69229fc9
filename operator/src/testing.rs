//! A cluster in memory for the engine's tests: resourceVersions, UIDs, generations and
//! preconditions as the API server has them, every write noted, and a hand on the plug.

mod api;
pub(crate) mod fixtures;
mod harness;
mod outcome;
mod refuse;
mod service_accounts;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::acknowledgement::{Frame, Served};
use claviger_crds::published::{Digest, Stored};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

pub(crate) use self::harness::{Harness, hello, parse, secret, shows};
pub(crate) use self::outcome::outcome;
use crate::clock::{Clock, Moment};
use crate::cluster::{ClusterError, Event, StatusWrite};
use crate::engine::{Change, Engine, Seen};

pub(crate) const OPERATOR: &str = "claviger-system";
pub(crate) const PUBLISHED: &str = "claviger-published";

/// A clock that only the test moves. The wall and the monotonic time are set apart on purpose.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<Mutex<Moment>>, Arc<AtomicU32>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        let wall = "2026-03-01T12:00:00Z".parse().unwrap();
        Self(Arc::new(Mutex::new(Moment { wall, monotonic: Duration::from_secs(1_000) })), Arc::new(AtomicU32::new(1)))
    }

    /// From now on the wall clock runs so many times as fast.
    pub(crate) fn hasten(&self, pace: u32) {
        self.1.store(pace, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        now.monotonic += by;
        now.wall += by * self.pace();
    }

    /// Somebody sets the wall clock.
    pub(crate) fn jump(&self, by: Duration) {
        self.0.lock().unwrap().wall += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }

    fn pace(&self) -> u32 {
        self.1.load(Ordering::Relaxed)
    }
}

/// Everything that the API server holds.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    version: u64,
    pub(crate) tenants: BTreeMap<ObjectName, Tenant>,
    pub(crate) clients: BTreeMap<ObjectName, OAuthClient>,
    pub(crate) signing_keys: BTreeMap<ObjectName, SigningKey>,
    pub(crate) users: BTreeMap<ObjectName, User>,
    pub(crate) namespaces: BTreeMap<String, Namespace>,
    pub(crate) service_accounts: BTreeMap<ObjectName, ServiceAccount>,
    pub(crate) secrets: BTreeMap<ObjectName, Secret>,
    pub(crate) events: Vec<Event>,
    /// Every write that was asked for, as `<verb> <what>`.
    pub(crate) writes: Vec<String>,
    /// How many more writes succeed before the plug is pulled.
    pub(crate) writes_left: Option<usize>,
    /// The write that succeeds and whose answer is lost, counted from here.
    pub(crate) answer_lost_at: Option<usize>,
    /// The Secret that is not replaced for now, and what it was to be.
    pub(crate) held_back: Option<(ObjectName, Option<Secret>)>,
    /// A namespace whose objects a quota or a webhook refuses, and with what words.
    pub(crate) refused_in: Option<(String, ClusterError)>,
    /// What the watches have not yet delivered.
    changes: Vec<Change>,
}

/// The API server.
#[derive(Clone)]
pub(crate) struct World {
    objects: Arc<Mutex<Objects>>,
    clock: ManualClock,
    quick_pod: Arc<Mutex<Option<QuickPod>>>,
}

/// An engine, and the pod that tells it of serving a document before the answer to its write is there.
type QuickPod = (Arc<Engine>, String);

/// A custom resource that the world can hold.
pub(crate) trait Resource: Clone + serde::de::DeserializeOwned + serde::Serialize {
    fn all(objects: &mut Objects) -> &mut BTreeMap<ObjectName, Self>;
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
    fn change(seen: Seen<Self>) -> Change;
}

macro_rules! resource {
    ($kind:ident, $all:ident) => {
        impl Resource for $kind {
            fn all(objects: &mut Objects) -> &mut BTreeMap<ObjectName, Self> {
                &mut objects.$all
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn change(seen: Seen<Self>) -> Change {
                Change::$kind(seen)
            }
        }
    };
}

resource!(Tenant, tenants);
resource!(OAuthClient, clients);
resource!(SigningKey, signing_keys);
resource!(User, users);

impl World {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self { objects: Arc::default(), clock, quick_pod: Arc::default() }
    }

    /// From now on this pod is quicker than the answers to the engine's writes.
    pub(crate) fn hurry(&self, engine: &Arc<Engine>, pod: &str) {
        *self.quick_pod.lock().unwrap() = Some((Arc::clone(engine), pod.to_owned()));
    }

    /// Called between a write and its answer.
    fn seen_at_once(&self, secret: &Secret) {
        let quick = self.quick_pod.lock().unwrap().clone();
        let stored = (secret.metadata.namespace.as_deref() == Some(PUBLISHED)).then(|| Stored::from_secret(secret));
        if let (Some((engine, pod)), Some(Ok(stored))) = (quick, stored) {
            engine.acknowledge(&pod, serving(served(&stored.name, stored.revision, stored.digest)));
        }
    }

    pub(crate) fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap()
    }

    /// What `kubectl apply` does: the spec and metadata come from `object`, identity and status
    /// from what is there.
    pub(crate) fn apply<K: Resource>(&self, mut object: K) {
        let mut objects = self.objects();
        let now = self.clock.now().wall;
        let metadata = object.metadata_mut();
        let name = name_of(metadata);
        let before = K::all(&mut objects).get(&name).cloned();
        let version = objects.next_version();
        let metadata = object.metadata_mut();
        metadata.resource_version = Some(version.to_string());
        match before {
            Some(mut before) => {
                let old = before.metadata_mut().clone();
                metadata.uid = old.uid;
                metadata.creation_timestamp = old.creation_timestamp;
                metadata.generation = old.generation;
                object = with_status_of(&object, &before);
                if spec_of(&object) != spec_of(&before) {
                    let metadata = object.metadata_mut();
                    metadata.generation = metadata.generation.map(|generation| generation + 1);
                }
            }
            None => {
                metadata.uid = Some(format!("uid-{version}"));
                metadata.creation_timestamp = Some(Time(now));
                metadata.generation = Some(1);
            }
        }
        K::all(&mut objects).insert(name, object.clone());
        objects.changes.push(K::change(Seen::Applied(Box::new(object))));
    }

    pub(crate) fn delete<K: Resource>(&self, name: &ObjectName) {
        let mut objects = self.objects();
        assert!(K::all(&mut objects).remove(name).is_some(), "{name} is not there");
        objects.changes.push(K::change(Seen::Deleted(name.clone())));
    }

    pub(crate) fn apply_namespace(&self, name: &str, labels: &[(&str, &str)]) {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let mut objects = self.objects();
        objects.namespaces.insert(name.to_owned(), namespace.clone());
        objects.changes.push(Change::Namespace(Seen::Applied(Box::new(namespace))));
    }

    /// What somebody else does to a Secret.
    pub(crate) fn put_secret(&self, secret: Secret) {
        let mut objects = self.objects();
        let name = name_of(&secret.metadata);
        objects.store(name, secret);
    }

    pub(crate) fn remove_secret(&self, name: &ObjectName) {
        self.objects().remove(name);
    }

    pub(crate) fn secret(&self, name: &ObjectName) -> Option<Secret> {
        self.objects().secrets.get(name).cloned()
    }

    /// What the watches deliver next.
    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.objects().changes)
    }

    /// What watches deliver that begin anew.
    pub(crate) fn list(&self) -> Vec<Change> {
        let mut objects = self.objects();
        objects.changes.clear();
        let mut changes: Vec<Change> = Vec::new();
        let secrets: Vec<Secret> = objects.secrets.values().cloned().collect();
        changes.extend(secrets.into_iter().filter_map(|secret| watched(Seen::Applied(Box::new(secret)))));
        // Children before their tenants: the order between kinds is nobody's promise.
        changes.extend(applied(&objects.users));
        changes.extend(applied(&objects.clients));
        changes.extend(applied(&objects.signing_keys));
        changes.extend(applied(&objects.tenants));
        let namespaces = objects.namespaces.values();
        changes.extend(namespaces.map(|namespace| Change::Namespace(Seen::Applied(Box::new(namespace.clone())))));
        let accounts = objects.service_accounts.values();
        changes.extend(accounts.map(|account| Change::ServiceAccount(Seen::Applied(Box::new(account.clone())))));
        changes.push(Change::Synced);
        changes
    }
}

fn applied<K: Resource>(objects: &BTreeMap<ObjectName, K>) -> impl Iterator<Item = Change> {
    objects.values().map(|object| K::change(Seen::Applied(Box::new(object.clone()))))
}

fn watched(seen: Seen<Secret>) -> Option<Change> {
    let namespace = match &seen {
        Seen::Applied(secret) => secret.metadata.namespace.clone(),
        Seen::Deleted(name) => Some(name.namespace.clone()),
    };
    match namespace.as_deref() {
        Some(PUBLISHED) => Some(Change::Published(seen)),
        Some(OPERATOR) => held(seen),
        _ => None,
    }
}

/// What the label of the watches selects; the name of the Secret says the same, and is known of a deleted
/// one.
fn held(seen: Seen<Secret>) -> Option<Change> {
    let name = match &seen {
        Seen::Applied(secret) => secret.metadata.name.clone().unwrap(),
        Seen::Deleted(name) => name.name.clone(),
    };
    match name.split_once('-') {
        Some(("ring", _)) => Some(Change::Ring(seen)),
        Some(("sealing", _)) => Some(Change::Sealing(seen)),
        _ => None,
    }
}

fn name_of(metadata: &ObjectMeta) -> ObjectName {
    ObjectName::new(metadata.namespace.clone().unwrap(), metadata.name.clone().unwrap())
}

fn part<K: serde::Serialize>(object: &K, part: &str) -> serde_json::Value {
    serde_json::to_value(object).unwrap().get(part).cloned().unwrap_or_default()
}

fn spec_of<K: Resource>(object: &K) -> serde_json::Value {
    part(object, "spec")
}

fn with_status_of<K: Resource>(object: &K, other: &K) -> K {
    with_status(object, part(other, "status"))
}

fn with_status<K: Resource>(object: &K, status: serde_json::Value) -> K {
    let mut value = serde_json::to_value(object).unwrap();
    value["status"] = status;
    serde_json::from_value(value).unwrap()
}

impl Objects {
    /// Whether the watches have delivered everything.
    pub(crate) fn nothing_new(&self) -> bool {
        self.changes.is_empty()
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    fn store(&mut self, name: ObjectName, mut secret: Secret) -> Secret {
        let version = self.next_version();
        let uid = self.secrets.get(&name).and_then(|before| before.metadata.uid.clone());
        secret.metadata.uid = Some(uid.unwrap_or_else(|| format!("uid-{version}")));
        secret.metadata.resource_version = Some(version.to_string());
        self.secrets.insert(name, secret.clone());
        self.changes.extend(watched(Seen::Applied(Box::new(secret.clone()))));
        secret
    }

    fn remove(&mut self, name: &ObjectName) {
        assert!(self.secrets.remove(name).is_some(), "{name} is not there");
        self.changes.extend(watched(Seen::Deleted(name.clone())));
    }

    /// Notes a write; fails it if the plug is pulled.
    fn write(&mut self, what: String) -> Result<(), ClusterError> {
        match &mut self.writes_left {
            Some(0) => return Err(ClusterError::Unavailable("the plug is pulled".to_owned())),
            Some(left) => *left -= 1,
            None => {}
        }
        self.writes.push(what);
        Ok(())
    }

    /// The answer to a write that succeeded, unless that is to be lost.
    fn answer<T>(&mut self, result: Result<T, ClusterError>) -> Result<T, ClusterError> {
        match &mut self.answer_lost_at {
            Some(0) => {
                self.answer_lost_at = None;
                result.and(Err(ClusterError::Unavailable("the answer is lost".to_owned())))
            }
            Some(left) => {
                *left -= 1;
                result
            }
            None => result,
        }
    }

    fn reachable(&self) -> Result<(), ClusterError> {
        match self.writes_left {
            Some(0) => Err(ClusterError::Unavailable("the plug is pulled".to_owned())),
            _ => Ok(()),
        }
    }

    fn checked(&self, name: &ObjectName, metadata: &ObjectMeta) -> Result<(), ClusterError> {
        let stored = self.secrets.get(name).ok_or(ClusterError::NotFound)?;
        let same = metadata.resource_version == stored.metadata.resource_version
            && metadata.uid.as_ref().is_none_or(|uid| Some(uid) == stored.metadata.uid.as_ref());
        if same { Ok(()) } else { Err(ClusterError::Conflict) }
    }

    fn status<K: Resource>(&mut self, write: &StatusWrite) -> Result<String, ClusterError> {
        self.write(format!("status {} {}", write.kind, write.name))?;
        refuse::status(write)?;
        let version = self.next_version();
        let object = K::all(self).get_mut(&write.name).ok_or(ClusterError::NotFound)?;
        let metadata = object.metadata_mut();
        let same = metadata.resource_version.as_ref() == Some(&write.resource_version)
            && metadata.uid.as_ref() == Some(&write.uid);
        if !same {
            return Err(ClusterError::Conflict);
        }
        *object = with_status(object, write.status.clone());
        object.metadata_mut().resource_version = Some(version.to_string());
        let change = K::change(Seen::Applied(Box::new(object.clone())));
        self.changes.push(change);
        Ok(version.to_string())
    }
}

/// A document as a pod says that it serves it, in whose place it served others before.
pub(crate) fn served(name: &str, revision: u64, digest: Digest) -> Served {
    let (revoked, revoked_secrets) = (Default::default(), Vec::new());
    Served { name: name.to_owned(), revision, digest, first: 0, revoked, revoked_secrets }
}

/// What a pod says of it.
pub(crate) fn serving(served: Served) -> Frame {
    Frame::Serving { documents: vec![served] }
}
