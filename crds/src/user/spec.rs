//! The schema of a User.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{ProfileSpec, UserStatus};
use crate::object_ref::{LocalTenantRef, SecretKeyRef};
use crate::types::{Subject, Username};

/// A local account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "claviger.dev",
    version = "v1alpha1",
    kind = "User",
    namespaced,
    doc = "A User is a local account of a Tenant: for small teams, for emergencies and for tests.",
    status = "UserStatus",
    derive = "PartialEq",
    shortname = "usr",
    category = "claviger",
    printcolumn(name = "Username", type_ = "string", json_path = ".status.username"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".status.tenant"),
    printcolumn(name = "Disabled", type_ = "boolean", json_path = ".status.disabled"),
    printcolumn(name = "Subject", type_ = "string", json_path = ".status.subject", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("has(self.spec.username) || self.metadata.name.size() <= 128")
        .message("metadata.name is too long for a user name: set spec.username")
        .field_path(".spec.username"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.subject) == has(oldSelf.subject) && (!has(self.subject) || self.subject == oldSelf.subject)")
    .message("subject is immutable: it is who this person is, for every application")
    .field_path(".subject"))]
pub struct UserSpec {
    /// The Tenant that this account belongs to, of this namespace. Immutable.
    #[x_kube(validation = Rule::new("self.name == oldSelf.name").message("tenantRef is immutable"))]
    pub tenant_ref: LocalTenantRef,
    /// What the person types; case does not count. Default: metadata.name. One User of the Tenant
    /// holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Username>")]
    pub username: Option<String>,
    /// The `sub` in tokens, for an account that moved here from another provider. Default: derived
    /// from the Tenant's slug and metadata.name, the same in a rebuilt cluster. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Subject>")]
    pub subject: Option<String>,
    /// What is known of the person: the claims of OpenID Connect Core 1.0 §5.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileSpec>,
    /// Claims of scopes that the Tenant declares, by name, of any shape. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "claims_schema")]
    pub claims: Option<BTreeMap<String, serde_json::Value>>,
    /// Groups, for the claim of that name. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "groups_schema")]
    pub groups: Vec<String>,
    /// The Secret with the password, plain or as an argon2id string; its `key` defaults to password.
    /// Default: no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
    /// Whether this account is shut: it logs in nowhere, and its sessions are over. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Logins before this time (RFC 3339) count no more: their sessions and refresh tokens are over, offline ones too. For
    /// a device that is lost, or a password that somebody else knew; a time to come is waited for. Leave it there: without
    /// it, what nobody brought meanwhile counts again. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::profile::date_time_schema")]
    pub sessions_not_before: Option<String>,
}

fn groups_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "maxItems": 200,
        "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\x00-\\x1f\\x7f]*$" },
    })
}

fn claims_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": { "x-kubernetes-preserve-unknown-fields": true },
    })
}
