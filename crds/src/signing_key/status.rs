//! What is reported of a SigningKey.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::published::KeyPhase;

/// What the operator reports of a SigningKey.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningKeyStatus {
    /// The generation that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, ReferencesResolved, Programmed, RotationBlocked, Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Slug of the Tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Algorithm of the key that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The key that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_kid: Option<String>,
    /// What happens next, if nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_change: Option<NextChange>,
    /// The value of claviger.dev/rotate-at that was acted upon last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_rotate_at: Option<String>,
    /// Every key that is not gone, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kid"]))]
    pub keys: Vec<KeyStatus>,
}

/// A change to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextChange {
    /// When, at the earliest.
    pub at: Time,
    /// What, in words: "the standby signs".
    pub what: String,
    /// The key that it happens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// One key of the ring. A time in the past has happened, one in the future is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// Published: in the JWK Set, stands by. Active: signs. Retiring: in the JWK Set, no longer
    /// signs. VerifyOnly: out of the JWK Set, for late logouts only. Revoked: out of everything.
    pub phase: KeyPhase,
    /// Its algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// It was read from the Secret of `existingSecretRef`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// When it enters the JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Time>,
    /// When it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Time>,
    /// When it no longer signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Time>,
    /// When it leaves the JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_only_at: Option<Time>,
    /// When it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Time>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Time>,
    /// Until when outside verifiers may still trust it from a cached JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_until: Option<Time>,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    /// Who revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
}
