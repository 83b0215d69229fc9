//! The seam to the world: every read past the caches and every write of the operator goes through
//! [`Cluster`]. Implemented over the Kubernetes API, by the embedded mode over a folder, and by the
//! tests in memory. What implements it decides nothing: it neither retries nor repairs.
//!
//! The modules below are the side of the real API server and of real pods.

pub(crate) mod acknowledge;
pub(crate) mod authority;
mod backoff;
pub(crate) mod discover;
mod events;
pub(crate) mod kubernetes;
pub(crate) mod lease;
pub(crate) mod rate;
pub(crate) mod server_time;
pub(crate) mod service_account_keys;
pub(crate) mod watch;

use claviger_crds::names::ObjectName;
use claviger_crds::signing_key::SigningKey;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;

pub use crate::work::Kind;

/// Reads without a cache, and writes.
pub trait Cluster: Send + Sync + 'static {
    /// The Secret as it stands now, or `None`.
    fn secret(&self, name: &ObjectName) -> BoxFuture<'_, Result<Option<Secret>, ClusterError>>;

    /// Creates `secret` and returns it as stored. [`ClusterError::AlreadyExists`] if there is one.
    fn create_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>>;

    /// Replaces the Secret whose `metadata.resourceVersion` this is, and returns it as stored.
    /// [`ClusterError::Conflict`] if it has changed since; [`ClusterError::NotFound`] if it is gone.
    fn replace_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>>;

    /// Deletes the Secret if it still has this UID and resourceVersion. One that is gone already
    /// is no error; another UID or version is [`ClusterError::Conflict`].
    fn delete_secret(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Whether the custom resource exists now, as the store itself says (a quorum read).
    fn owner(&self, kind: Kind, name: &ObjectName) -> BoxFuture<'_, Result<Option<OwnerMeta>, ClusterError>>;

    /// Creates a default ring's SigningKey. [`ClusterError::AlreadyExists`] if the name is taken.
    fn create_signing_key(&self, key: SigningKey) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Deletes a default ring's SigningKey if it still has this UID and resourceVersion; else as
    /// [`Cluster::delete_secret`].
    fn delete_signing_key(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Replaces the `status` subresource if the object still has this resourceVersion, and returns
    /// the one that it has then.
    fn write_status(&self, status: StatusWrite) -> BoxFuture<'_, Result<String, ClusterError>>;

    /// Tells people about something that happened.
    fn event(&self, event: Event) -> BoxFuture<'_, Result<(), ClusterError>>;
}

/// What the sweep must know of a document's owner.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnerMeta {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.resourceVersion`
    pub resource_version: String,
    /// `metadata.managedFields`: who wrote what; empty where there is no API server.
    pub managed_fields: Vec<ManagedFieldsEntry>,
}

impl OwnerMeta {
    /// Who last wrote the entry whose `key` is `value` in the list at `path`, such as `f:spec`, `f:revoked`.
    pub(crate) fn writer(&self, path: &[&str], key: &str, value: &str) -> Option<String> {
        let entry = format!("k:{{\"{key}\":\"{value}\"}}");
        let wrote = |manager: &&ManagedFieldsEntry| {
            let fields = manager.fields_v1.as_ref().map(|fields| &fields.0);
            let list = fields.and_then(|fields| path.iter().try_fold(fields, |fields, name| fields.get(name)));
            list.is_some_and(|list| list.get(&entry).is_some_and(|entry| !entry.is_null()))
        };
        let managers = self.managed_fields.iter().filter(wrote);
        managers.max_by_key(|manager| manager.time.as_ref().map(|time| time.0))?.manager.clone()
    }
}

/// One write of a status.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusWrite {
    /// Kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: ObjectName,
    /// Its UID.
    pub uid: String,
    /// The resourceVersion that the decision rests on.
    pub resource_version: String,
    /// All of `status`.
    pub status: serde_json::Value,
}

/// Something that a person would want to know. Never holds secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// Its name.
    pub name: ObjectName,
    /// Its UID.
    pub uid: String,
    /// `Warning` rather than `Normal`.
    pub warning: bool,
    /// UpperCamelCase, from a closed set.
    pub reason: &'static str,
    /// One sentence.
    pub note: String,
    /// Which part of the object it is about, such as `status.keys{KID}`. Events about different parts
    /// are told apart, where others of one reason become one that counts.
    pub part: Option<String>,
}

/// Why the API refused, by what the caller can do about it. Holds no content of any object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// A create met an object of that name: read and adopt.
    #[error("it exists already")]
    AlreadyExists,
    /// The object has changed since it was read: plan again.
    #[error("it has changed since it was read")]
    Conflict,
    /// The object, or its namespace, is gone.
    #[error("it does not exist")]
    NotFound,
    /// The operator may not do that.
    #[error("not allowed: {0}")]
    Denied(String),
    /// The API refuses the object as such.
    #[error("refused: {0}")]
    Invalid(String),
    /// Nobody answered, or not in time; the write may have happened.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl ClusterError {
    /// A metric label, from a closed set.
    pub fn category(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Denied(_) => "denied",
            Self::Invalid(_) => "invalid",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
