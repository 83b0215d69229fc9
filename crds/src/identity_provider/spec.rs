//! The schema of an IdentityProvider.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IdentityProviderStatus;
use crate::object_ref::{LocalTenantRef, SecretKeyRef};
use crate::types::{EndpointUri, ScopeToken};

/// An upstream that people log in at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "claviger.dev",
    version = "v1alpha1",
    kind = "IdentityProvider",
    plural = "identityproviders",
    namespaced,
    doc = "An IdentityProvider is an upstream that a Tenant's people log in at. idp_hint names it by metadata.name.",
    status = "IdentityProviderStatus",
    derive = "PartialEq",
    shortname = "idp",
    category = "claviger",
    printcolumn(name = "Tenant", type_ = "string", json_path = ".status.tenant"),
    printcolumn(name = "Type", type_ = "string", json_path = ".status.type"),
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
#[x_kube(validation = Rule::new("has(self.oidc) != has(self.ldap)").message("must have exactly one of oidc and ldap"))]
pub struct IdentityProviderSpec {
    /// The Tenant whose people log in there, of this namespace. Immutable.
    #[x_kube(validation = Rule::new("self.name == oldSelf.name").message("tenantRef is immutable"))]
    pub tenant_ref: LocalTenantRef,
    /// Name for people, plain text. Default: metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub display_name: Option<String>,
    /// An OpenID Connect provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcSpec>,
    /// A directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ldap: Option<LdapSpec>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OidcSpec {
    /// Its issuer identifier, exactly as it stands in its tokens.
    #[schemars(with = "EndpointUri")]
    pub issuer: String,
    /// The `client_id` that this Tenant has there.
    #[schemars(schema_with = "crate::schema::display_name")]
    pub client_id: String,
    /// The Secret with the client's secret there; its `key` defaults to client_secret. Default: a
    /// public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<SecretKeyRef>,
    /// Scopes asked for. Default: openid, profile and email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<ScopeToken>>", length(min = 1, max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Option<Vec<String>>,
}

/// A directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.bindDn) == has(self.bindSecretRef)")
    .message("must have both bindDn and bindSecretRef, or neither"))]
pub struct LdapSpec {
    /// Where it is: ldaps://host or ldaps://host:port.
    #[schemars(regex(pattern = "^ldaps://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?$"), length(max = 255))]
    pub url: String,
    /// Distinguished name that this Tenant binds with. Default: anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "distinguished_name")]
    pub bind_dn: Option<String>,
    /// The Secret with the password of `bindDn`; its `key` defaults to password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_secret_ref: Option<SecretKeyRef>,
    /// Where people are searched for, as a distinguished name.
    #[schemars(schema_with = "distinguished_name")]
    pub base_dn: String,
    /// Attribute that holds what a person types. Default: uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9-]*$"), length(max = 64))]
    pub username_attribute: Option<String>,
    /// Attribute that never changes and becomes the subject. Default: entryUUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9-]*$"), length(max = 64))]
    pub subject_attribute: Option<String>,
}

fn distinguished_name(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[^\\x00-\\x1f\\x7f]*$" })
}
