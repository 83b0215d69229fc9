//! The document of a SigningKey: a ring as the provider sees it.

use std::collections::BTreeSet;

use claviger_jose::{Algorithm, Kid, PublicJwk};
use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretText;

/// One ring. In each revision exactly one key is Active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysDocument {
    /// The algorithm of every key that is made from now on.
    pub algorithm: Algorithm,
    /// When the ring was made: among rings that could sign, the oldest does.
    pub created_at: Timestamp,
    /// Set once the ring's SigningKey is gone: it signs only while no other ring can.
    #[serde(default)]
    pub leaving: bool,
    /// Set while verifiers may hold a JWK Set from before this ring, which was made beside others of its
    /// tenant: it signs only while no other ring can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joining: bool,
    /// `max-age` of the JWK Set, seconds.
    pub cache_lifetime: u32,
    /// The greatest `max-age` that was ever advertised with this ring, seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_cache_lifetime: u32,
    /// No token signed by this ring lives longer than this, seconds: a pod caps `exp` by it, for a
    /// key leaves the JWK Set on its strength.
    pub max_token_lifetime: u32,
    /// The keys that are not gone, newest first.
    pub keys: Vec<KeyDocument>,
    /// Keys that are never trusted again, also those that are gone: a pod that has once heard of one
    /// goes on refusing it, whatever a later document says.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<Kid>,
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum KeyPhase {
    /// In the JWK Set, not signing: the standby.
    Published,
    /// Signs.
    Active,
    /// In the JWK Set, no longer signing.
    Retiring,
    /// Out of the JWK Set; verifies a late `id_token_hint` only.
    VerifyOnly,
    /// Out of everything, for good.
    Revoked,
}

impl KeyPhase {
    /// Whether a verifier finds it in the JWK Set.
    pub fn in_jwks(self) -> bool {
        matches!(self, Self::Published | Self::Active | Self::Retiring)
    }
}

/// One key of a ring. Times are those of the changes that happened; a change to come is in the
/// SigningKey's status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyDocument {
    /// RFC 7638 thumbprint.
    pub kid: Kid,
    /// Where it is in its life.
    pub phase: KeyPhase,
    /// The public half.
    pub public_key: PublicJwk,
    /// PKCS#8 in base64: of the Active key and of the standby alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretText>,
    /// The revision of this document in which it entered: a pod that serves that one, or a later,
    /// shows the key.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u64,
    /// When it entered the JWK Set.
    pub published_at: Timestamp,
    /// When it began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
    /// When it stopped signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Timestamp>,
    /// When it left the JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_only_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
