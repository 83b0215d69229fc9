//! The truth about a tenant's sealing keys: every key, every phase and every time, in one Secret of
//! the operator's namespace. The tenant's document is a projection of it, as that of a ring is.
//!
//! The Secret is created once and afterwards replaced under the resourceVersion of an uncached
//! read, never applied: an old leader that wakes up, or a cold cache, cannot destroy a key. It stands
//! for as long as the Tenant's document or its tombstone does.

mod read;
mod rotation;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{SealingKeyDocument, SealingPhase, SecretText};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(super) use self::read::read;
pub(super) use self::rotation::{Around, Held};
pub(super) use self::write::{Rotated, rotate, stand};
pub(crate) use self::write::{expire, withdraw};
use crate::clock::Moment;

/// The version of the format that this release writes, and the newest that it reads.
const VERSION: u32 = 1;
/// The key of the Secret's data.
const DATA_KEY: &str = "sealing.json";
/// Value of the label that tells these Secrets from what else the namespace holds.
pub(crate) const HOLDS_SEALING: &str = "sealing";
/// Of a key: AES-256 and ChaCha20 alike.
const KEY_BYTES: usize = 32;

/// All sealing keys of one issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sealing {
    /// [`VERSION`].
    version: u32,
    /// Slug of the tenant. Another slug is another issuer, and opens nothing of this one's.
    tenant: String,
    /// Every key that still opens something, newest first. Providers need all of each, so that the
    /// form in which they are published is the form of the truth.
    keys: Vec<SealingKeyDocument>,
    /// The longest that anything lives that was sealed, seconds: it only grows.
    #[serde(default)]
    longest: u32,
    /// Until when each key that no longer seals opens, by its ID; known once no pod seals with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    until: BTreeMap<String, Timestamp>,
}

/// The ends of a tenant's keys by their IDs, each with the moment at which this process first saw it: a clock
/// that is set forward after that ends no key early.
pub(crate) type Ends = BTreeMap<String, (Timestamp, Moment)>;

/// Where the keys of a document come from.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// They are stored, in this Secret.
    Stored(Box<(Sealing, ObjectMeta)>),
    /// There is no Secret: it is made, with the keys that are published (somebody deleted it, and what
    /// is published is the only copy: with it everybody stays logged in), else with new ones.
    Missing { published: Vec<SealingKeyDocument> },
    /// They were withdrawn, and are wanted again: the Secret is replaced, and says so no longer.
    Withdrawn(Box<(Sealing, ObjectMeta)>),
    /// They are those of another issuer, which a Tenant of this name was before: new ones replace
    /// them.
    OfAnother { metadata: Box<ObjectMeta> },
}

impl Keys {
    /// Those that are stored and in use.
    pub(super) fn stored(&self) -> Option<&[SealingKeyDocument]> {
        match self {
            Self::Stored(stored) => Some(&stored.0.keys),
            Self::Missing { .. } | Self::Withdrawn(_) | Self::OfAnother { .. } => None,
        }
    }
}

/// The Secret holds no keys that this release can use. Nothing is written over it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealingError {
    /// The data is missing.
    #[error("it has no {DATA_KEY}")]
    Missing,
    /// The JSON is of another shape; its content is not shown.
    #[error("it is unreadable at line {line}, column {column}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A newer release wrote it.
    #[error("it has version {0}, newer than this release reads")]
    Newer(u32),
    /// It is none that the operator writes.
    #[error("its keys are not one that is Active and others under names of their own, of 32 bytes each")]
    Unusable,
}

// === impl Sealing ===

impl Sealing {
    fn new(tenant: &str, keys: Vec<SealingKeyDocument>) -> Self {
        Self { version: VERSION, tenant: tenant.to_owned(), keys, longest: 0, until: BTreeMap::new() }
    }

    /// The Secret that holds these keys; with the metadata of the one that it replaces, if any.
    fn to_secret(&self, namespace: &str, owner: &ObjectName, before: Option<&ObjectMeta>) -> Secret {
        let mut metadata = before.cloned().unwrap_or_else(|| ObjectMeta {
            name: Some(names::sealing_secret(owner)),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        });
        let labels = metadata.labels.get_or_insert_default();
        for (key, value) in [
            (names::LABEL_MANAGED_BY, names::MANAGER),
            (names::LABEL_HOLDS, HOLDS_SEALING),
            (names::LABEL_TENANT, self.tenant.as_str()),
        ] {
            labels.insert(key.to_owned(), value.to_owned());
        }
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(names::ANNOTATION_OWNER.to_owned(), owner.to_string());
        annotations.remove(names::ANNOTATION_WITHDRAWN_AT);
        // A struct with string keys alone always serialises.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Secret {
            metadata,
            data: Some([(DATA_KEY.to_owned(), ByteString(bytes))].into()),
            type_: Some("claviger.dev/sealing".to_owned()),
            ..Secret::default()
        }
    }

    /// Reads the Secret: the version before the shape, since a newer shape is no fault.
    fn from_secret(secret: Secret) -> Result<(Self, ObjectMeta), SealingError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let shape = |error: serde_json::Error| SealingError::Shape { line: error.line(), column: error.column() };
        let Secret { metadata, data, .. } = secret;
        let bytes = data.and_then(|mut data| data.remove(DATA_KEY)).ok_or(SealingError::Missing)?;
        let bytes = Zeroizing::new(bytes.0);
        let Version { version } = serde_json::from_slice(&bytes).map_err(shape)?;
        if version > VERSION {
            return Err(SealingError::Newer(version));
        }
        let sealing: Self = serde_json::from_slice(&bytes).map_err(shape)?;
        if usable(&sealing.keys) { Ok((sealing, metadata)) } else { Err(SealingError::Unusable) }
    }
}

/// Whether providers can work with `keys`: what they would refuse is not published.
fn usable(keys: &[SealingKeyDocument]) -> bool {
    let whole = |key: &SealingKeyDocument| {
        STANDARD.decode(key.key.expose()).map(Zeroizing::new).is_ok_and(|bytes| bytes.len() == KEY_BYTES)
    };
    let ids: BTreeSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let active = keys.iter().filter(|key| key.phase == SealingPhase::Active).count();
    active == 1 && ids.len() == keys.len() && keys.iter().all(whole)
}

/// The first keys of an issuer: one that seals, and one that stands by. The very first seals at once:
/// nothing was sealed before it that a pod could fail to open.
fn first(now: Timestamp) -> Vec<SealingKeyDocument> {
    vec![standby(now), SealingKeyDocument { phase: SealingPhase::Active, active_at: Some(now), ..standby(now) }]
}

/// A key that stands by.
fn standby(now: Timestamp) -> SealingKeyDocument {
    SealingKeyDocument {
        id: id(),
        phase: SealingPhase::Published,
        key: new_key(),
        published_at: now,
        active_at: None,
        retiring_at: None,
    }
}

fn id() -> String {
    claviger_jose::random::bytes::<6>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn new_key() -> SecretText {
    let bytes = Zeroizing::new(claviger_jose::random::bytes::<KEY_BYTES>());
    SecretText::new(STANDARD.encode(bytes.as_slice()))
}

#[cfg(test)]
mod tests;
