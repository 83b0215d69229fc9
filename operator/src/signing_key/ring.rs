//! The truth about one ring: every key with its private half, every phase and every time, in one
//! Secret of the operator's namespace. The published document is a projection of it.
//!
//! The Secret is created once and afterwards replaced under the resourceVersion of an uncached
//! read, never applied: an old leader that wakes up, or a cold cache, cannot destroy a key.

use std::collections::BTreeSet;
use std::fmt;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Content, Document, KeyDocument, KeyPhase, KeysDocument, SecretText};
use claviger_crds::signing_key::Rotation;
use claviger_jose::{Algorithm, Kid, PublicJwk};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::change::MOST_REVOKED;

/// The version of the format that this release writes, and the newest that it reads.
const VERSION: u32 = 1;
/// The key of the Secret's data.
const DATA_KEY: &str = "ring.json";
/// Value of the label that tells rings from what else the namespace holds.
pub(crate) const HOLDS_RING: &str = "ring";
/// Since when the ring leaves, beside its content: the sweep looks at metadata alone.
pub(crate) const ANNOTATION_LEAVING_SINCE: &str = "claviger.dev/leaving-since";

/// A ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ring {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// Of the published document: grows with every change.
    pub(crate) revision: u64,
    /// Slug of the tenant.
    pub(crate) tenant: String,
    /// Name of the Tenant, in the SigningKey's namespace.
    pub(crate) tenant_name: String,
    /// `metadata.uid` of the SigningKey by which it was changed last.
    #[serde(default)]
    pub(crate) owner_uid: String,
    /// `metadata.generation` of that SigningKey: whoever knows an older one only, a leader that slept or a
    /// cold cache, must not change the ring by it.
    #[serde(default)]
    pub(crate) owner_generation: i64,
    /// Of the keys that are made from now on.
    pub(crate) algorithm: Algorithm,
    /// When the ring was made, or came back beside rings that sign: the oldest signs.
    pub(crate) created_at: Timestamp,
    /// Its keys may be unknown to verifiers of the other rings' tokens: it signs only while no other can.
    #[serde(default)]
    pub(crate) joining: bool,
    /// The value of `claviger.dev/rotate-at` that was acted upon last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotated_at: Option<Timestamp>,
    /// Since when its SigningKey is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leaving_since: Option<Timestamp>,
    /// Since when pods are told to sign with another ring instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handed_over_at: Option<Timestamp>,
    /// Since when it is a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) withdrawn_at: Option<Timestamp>,
    /// `max-age` of the JWK Set, seconds.
    pub(crate) cache_lifetime: u32,
    /// The greatest `max-age` ever advertised, seconds: so long may a verifier not have looked.
    pub(crate) max_cache_lifetime: u32,
    /// The greatest lifetime of a token that any pod may have signed with this ring, seconds.
    pub(crate) max_token_lifetime: u32,
    /// The greatest lifetime of a session, seconds: so late may an `id_token_hint` come.
    pub(crate) max_session_lifetime: u32,
    /// Every key that is not gone, newest first.
    pub(crate) keys: Vec<Key>,
    /// Keys that never come back, gone or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) revoked: BTreeSet<Kid>,
}

/// A key of a ring. Times are those of changes that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    /// RFC 7638 thumbprint.
    pub(crate) kid: Kid,
    /// Where it is in its life.
    pub(crate) phase: KeyPhase,
    /// The public half.
    pub(crate) public_key: PublicJwk,
    /// PKCS#8 in base64; destroyed when the key leaves the JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) private_key: Option<SecretText>,
    /// Somebody else made it: it was read from the Secret that the SigningKey names.
    #[serde(default)]
    pub(crate) imported: bool,
    /// The revision of the document in which it entered.
    #[serde(default)]
    pub(crate) revision: u64,
    /// The greatest `max-age` that was ever advertised without it, seconds.
    #[serde(default)]
    pub(crate) max_age_without: u32,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it entered the JWK Set.
    pub(crate) published_at: Timestamp,
    /// When it began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active_at: Option<Timestamp>,
    /// Until when a verifier may not know it, though it signs: it had to take over too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_until: Option<Timestamp>,
    /// When it stopped signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retiring_at: Option<Timestamp>,
    /// The revision of the document in which it stopped signing.
    #[serde(default)]
    pub(crate) retiring_revision: u64,
    /// When it left the JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verify_only_at: Option<Timestamp>,
    /// That it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revocation: Option<Revoked>,
}

/// The revocation of a key, as it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revoked {
    /// When.
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) reason: String,
    /// Who.
    pub(crate) by: String,
    /// Until when verifiers outside may trust the key from a JWK Set that they keep.
    pub(crate) trusted_until: Timestamp,
}

/// What a ring is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purpose {
    /// Slug of the tenant.
    pub(crate) tenant: String,
    /// Name of the Tenant.
    pub(crate) tenant_name: String,
    /// Of the keys that are made from now on.
    pub(crate) algorithm: Algorithm,
    /// When keys change.
    pub(crate) rotation: Rotation,
    /// A rotation that somebody asked for, not before this time.
    pub(crate) rotate_at: Option<Timestamp>,
    /// What pods serve of the ring at this revision is given up for what is stored of it: a person says so.
    pub(crate) gives_up: Option<u64>,
    /// The key that somebody else made and that is to sign: it may stand by or sign, or is not in the ring.
    pub(crate) imported: Option<Kid>,
    /// The longest that a token of the tenant lives, seconds.
    pub(crate) token_lifetime: u32,
    /// The longest that a session of the tenant lives, seconds.
    pub(crate) session_lifetime: u32,
}

/// The Secret is no ring that this release can read. Nothing is written over it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RingError {
    /// The data is missing.
    #[error("the ring's Secret has no {DATA_KEY}")]
    Missing,
    /// The JSON is of another shape; its content is not shown.
    #[error("the ring's Secret is unreadable at line {line}, column {column}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A newer release wrote it.
    #[error("the ring's Secret has version {0}, newer than this release reads")]
    Newer(u32),
}

/// A ring as it stands in its Secret.
#[derive(Clone)]
pub(crate) struct StoredRing {
    /// The ring.
    pub(crate) ring: Ring,
    /// The Secret it was read from, for what a replace must keep.
    pub(crate) metadata: ObjectMeta,
}

impl fmt::Debug for StoredRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRing").field("ring", &self.ring).finish_non_exhaustive()
    }
}

// === impl Ring ===

impl Ring {
    /// A ring without keys.
    pub(crate) fn empty(purpose: &Purpose, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            revision: 0,
            tenant: purpose.tenant.clone(),
            tenant_name: purpose.tenant_name.clone(),
            owner_uid: String::new(),
            owner_generation: 0,
            algorithm: purpose.algorithm,
            created_at: now,
            joining: false,
            rotated_at: None,
            leaving_since: None,
            handed_over_at: None,
            withdrawn_at: None,
            cache_lifetime: purpose.rotation.cache_lifetime,
            max_cache_lifetime: purpose.rotation.cache_lifetime,
            max_token_lifetime: purpose.token_lifetime,
            max_session_lifetime: purpose.session_lifetime,
            keys: Vec::new(),
            revoked: BTreeSet::new(),
        }
    }

    /// The key that signs.
    pub(crate) fn active(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.phase == KeyPhase::Active)
    }

    /// The key that will sign next.
    pub(crate) fn standby(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.phase == KeyPhase::Published)
    }

    /// The key of this thumbprint.
    pub(crate) fn key(&self, kid: &Kid) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == *kid)
    }

    /// Whether to revoke `kid` is news: it is trusted; or, of a ring that was set back, it may be a key of a later
    /// state, which pods serve and this one has never heard of.
    pub(crate) fn may_revoke(&self, kid: &Kid, set_back: bool) -> bool {
        match self.key(kid) {
            Some(key) => key.phase != KeyPhase::Revoked,
            None => set_back && !self.revoked.contains(kid) && self.revoked.len() < MOST_REVOKED,
        }
    }

    /// The keys in a phase, newest first.
    pub(crate) fn in_phase(&self, phase: KeyPhase) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.phase == phase)
    }

    /// What the providers see: the private halves of the Active key and of the standby alone, and
    /// none once it is withdrawn.
    pub(crate) fn document(&self, owner: &ObjectName) -> Document {
        let keys = KeysDocument {
            algorithm: self.algorithm,
            created_at: self.created_at,
            leaving: self.handed_over_at.is_some(),
            joining: self.joining,
            cache_lifetime: self.cache_lifetime,
            max_cache_lifetime: self.max_cache_lifetime,
            max_token_lifetime: self.max_token_lifetime,
            keys: self.keys.iter().map(|key| key.document(self.withdrawn_at.is_none())).collect(),
            revoked: self.revoked.clone(),
        };
        let mut document = Document::serving(self.tenant.clone(), owner.clone(), Content::SigningKey(keys));
        document.withdrawn_at = self.withdrawn_at;
        document
    }

    /// The Secret that holds this ring; with the metadata of the one that it replaces, if any.
    pub(crate) fn to_secret(&self, namespace: &str, owner: &ObjectName, before: Option<&ObjectMeta>) -> Secret {
        let mut metadata = before.cloned().unwrap_or_else(|| ObjectMeta {
            name: Some(names::ring_secret(owner)),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        });
        let labels = metadata.labels.get_or_insert_default();
        for (key, value) in [
            (names::LABEL_MANAGED_BY, names::MANAGER),
            (names::LABEL_HOLDS, HOLDS_RING),
            (names::LABEL_TENANT, self.tenant.as_str()),
        ] {
            labels.insert(key.to_owned(), value.to_owned());
        }
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(names::ANNOTATION_OWNER.to_owned(), owner.to_string());
        for (key, time) in
            [(names::ANNOTATION_WITHDRAWN_AT, self.withdrawn_at), (ANNOTATION_LEAVING_SINCE, self.leaving_since)]
        {
            match time {
                Some(at) => annotations.insert(key.to_owned(), at.to_string()),
                None => annotations.remove(key),
            };
        }
        // A struct with string keys alone always serialises.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Secret {
            metadata,
            data: Some([(DATA_KEY.to_owned(), ByteString(bytes))].into()),
            type_: Some("claviger.dev/ring".to_owned()),
            ..Secret::default()
        }
    }
}

// === impl Key ===

impl Key {
    fn document(&self, served: bool) -> KeyDocument {
        let signs = served && matches!(self.phase, KeyPhase::Active | KeyPhase::Published);
        KeyDocument {
            kid: self.kid.clone(),
            phase: self.phase,
            public_key: self.public_key.clone(),
            private_key: self.private_key.clone().filter(|_| signs),
            revision: self.revision,
            published_at: self.published_at,
            active_at: self.active_at,
            retiring_at: self.retiring_at,
            verify_only_at: self.verify_only_at,
            revoked_at: self.revocation.as_ref().map(|revocation| revocation.at),
        }
    }
}

// === impl StoredRing ===

impl StoredRing {
    /// Reads a ring's Secret.
    pub(crate) fn from_secret(secret: Secret) -> Result<Self, RingError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let shape = |error: serde_json::Error| RingError::Shape { line: error.line(), column: error.column() };
        let Secret { metadata, data, .. } = secret;
        let bytes = data.and_then(|mut data| data.remove(DATA_KEY)).ok_or(RingError::Missing)?;
        let bytes = Zeroizing::new(bytes.0);
        let Version { version } = serde_json::from_slice(&bytes).map_err(shape)?;
        if version > VERSION {
            return Err(RingError::Newer(version));
        }
        let ring = serde_json::from_slice(&bytes).map_err(shape)?;
        Ok(Self { ring, metadata })
    }
}
