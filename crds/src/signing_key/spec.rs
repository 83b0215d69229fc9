//! The schema of a SigningKey.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::SigningKeyStatus;
use crate::object_ref::{LocalTenantRef, SecretKeyRef};
use crate::types::{self, Duration};

/// A ring of keys of one algorithm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "claviger.dev",
    version = "v1alpha1",
    kind = "SigningKey",
    namespaced,
    doc = "A SigningKey is a ring of keys of one algorithm that sign a Tenant's tokens: one that signs, one that stands by, and those whose tokens still live.",
    status = "SigningKeyStatus",
    derive = "PartialEq",
    shortname = "sgk",
    category = "claviger",
    printcolumn(name = "Tenant", type_ = "string", json_path = ".status.tenant"),
    printcolumn(name = "Algorithm", type_ = "string", json_path = ".status.algorithm"),
    printcolumn(name = "Active Kid", type_ = "string", json_path = ".status.activeKid"),
    printcolumn(name = "Next Change", type_ = "string", json_path = ".status.nextChange.at"),
    printcolumn(name = "Change", type_ = "string", json_path = ".status.nextChange.what", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct SigningKeySpec {
    /// The Tenant whose tokens are signed, of this namespace. Immutable.
    #[x_kube(validation = Rule::new("self.name == oldSelf.name").message("tenantRef is immutable"))]
    pub tenant_ref: LocalTenantRef,
    /// RS256, PS256, ES256, ES384 or EdDSA. Default: RS256. A change is a rotation: the next key has
    /// the new algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::algorithm")]
    pub algorithm: Option<String>,
    /// A Secret of this namespace whose `key` (default: tls.key) holds one private key of `algorithm`:
    /// PEM (PKCS#8, PKCS#1 or SEC 1) or a JWK, not encrypted. The key that signs is this one. It is the
    /// first key of a new ring; in a ring that serves it becomes the next: published, and it signs as
    /// soon as verifiers know it. While it is set, `interval` does not replace it; a changed Secret is a
    /// rotation. The standby is made by the operator, for emergencies. Default: the operator makes every
    /// key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_secret_ref: Option<SecretKeyRef>,
    /// When keys change. Default: as each field says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,
    /// Keys that must no longer be trusted. Each leaves the JWK Set at once and for good; taking an
    /// entry away does not bring its key back. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kid"]))]
    pub revoked: Vec<RevocationSpec>,
}

/// When keys change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(has(self.publishAhead) ? self.publishAhead : '24h') >= duration(has(self.cacheLifetime) ? self.cacheLifetime : '15m') + duration(has(self.cacheLifetime) ? self.cacheLifetime : '15m') + duration('10s')")
    .message("publishAhead (default 24h) must be at least twice cacheLifetime (default 15m) and 10s, or a verifier meets a key that it has not fetched"))]
#[x_kube(validation = Rule::new("duration(has(self.interval) ? self.interval : '2160h') > duration(has(self.publishAhead) ? self.publishAhead : '24h')")
    .message("interval (default 2160h) must be longer than publishAhead (default 24h)"))]
pub struct RotationSpec {
    /// How long a key signs. Default: 2160h (90 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::KEY_INTERVAL.rule())]
    pub interval: Option<String>,
    /// How long a key is in the JWK Set before it signs. Default: 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::PUBLISH_AHEAD.rule())]
    pub publish_ahead: Option<String>,
    /// How long verifiers may cache the JWK Set (`max-age`). Default: 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::CACHE_LIFETIME.rule())]
    pub cache_lifetime: Option<String>,
}

/// A key that must no longer be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevocationSpec {
    /// Its `kid`, the RFC 7638 thumbprint: see status.keys.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{43}$"), length(max = 43))]
    pub kid: String,
    /// Why, for whoever asks later; plain text.
    #[schemars(schema_with = "crate::schema::description")]
    pub reason: String,
    /// Who says so, plain text. Default: the field manager of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::description")]
    pub by: Option<String>,
}
