//! The document of a User.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SecretText;

/// What a provider must know of a local account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDocument {
    /// `sub`: locally unique, never reassigned (OpenID Connect Core 1.0 §2).
    pub subject: String,
    /// What a person types.
    pub username: String,
    /// Standard claims by their names (OpenID Connect Core 1.0 §5.1), `address` as an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, serde_json::Value>,
    /// Names of groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// argon2id in PHC string format; none where the account has no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<SecretText>,
    /// From which Secret the hash was made, so that it is made again only when that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_source: Option<PasswordSource>,
    /// A disabled account logs in nowhere and its sessions are over.
    #[serde(default)]
    pub disabled: bool,
    /// Logins before this time count no more: their sessions and refresh tokens are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_not_before: Option<Timestamp>,
}

/// The Secret that a password came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordSource {
    /// UID of the Secret.
    pub uid: String,
    /// Its resourceVersion when it was read.
    pub resource_version: String,
    /// The key of its data.
    pub key: String,
}
