//! What is reported of an OAuthClient.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator reports of an OAuthClient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OAuthClientStatus {
    /// The generation that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, ReferencesResolved, CredentialsReady, Programmed, Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The effective client ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Slug of the Tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The Tenant's issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Name of the Secret with the credentials, in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The client's secrets that work now, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub secrets: Vec<SecretStatus>,
    /// When the client's secret is made anew: by its interval, or by claviger.dev/rotate-at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_rotation_at: Option<Time>,
    /// The value of claviger.dev/rotate-at that was acted upon last: the secret is no older than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_rotate_at: Option<Time>,
    /// Scopes that it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub granted_scopes: Vec<String>,
    /// Audiences that it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub granted_audiences: Vec<String>,
}

/// One secret of a client, by what tells it from others and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// What to call it by, such as in authentication.secret.revoked. It says nothing of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Pending: accepted, and not yet in the application's Secret. Current: it is there. Old: still
    /// accepted, until expiresAt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<SecretPhase>,
    /// When it was published.
    pub created_at: Time,
    /// When a client proved itself by it last, as far as the providers have told. They tell once a
    /// minute; it is written here at most once an hour, or together with another change. What a
    /// provider had not told when it ended is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// When it stops working; absent for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// Where a secret stands in its rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretPhase {
    /// Accepted, and not yet in the application's Secret.
    Pending,
    /// In the application's Secret.
    Current,
    /// Accepted until it expires.
    Old,
}
