//! Claviger's API types: the custom resources that people write, their one parser, and the
//! published documents that the operator writes and the provider reads.
//!
//! Each kind has a module with the same three files: `spec` (the schema and its rules), `status`
//! (what is reported) and `parse` (raw → valid, the only parser). What spans objects is in
//! [`references`].
//!
//! This crate does no I/O and reads no clock. The operator, the provider, the command line and the
//! tests all depend on it; it depends on none of them.

#![allow(clippy::duplicated_attributes, reason = "printer columns look alike and are not")]

mod allowed_clients;
pub mod condition;
mod fault;
pub mod identity_provider;
mod metadata;
pub mod names;
pub mod oauth_client;
mod object_ref;
pub mod published;
pub mod references;
mod schema;
mod scope;
pub mod signing_key;
pub mod tenant;
pub mod types;
pub mod user;
#[cfg(feature = "cel")]
pub mod validate;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use allowed_clients::{AllowedClients, AllowedClientsSpec, AllowedNamespaces, FromNamespaces};
pub use fault::{Fault, sentence};
pub use identity_provider::{IdentityProvider, IdentityProviderSpec, IdentityProviderStatus, ValidIdentityProvider};
pub use oauth_client::{OAuthClient, OAuthClientSpec, OAuthClientStatus, ValidOAuthClient};
pub use object_ref::{ClientRef, LocalTenantRef, SecretKey, SecretKeyRef, TenantRef};
pub use scope::{ApiScopeSpec, PROTOCOL_CLAIMS, Scope, ScopeSpec};
pub use signing_key::{SigningKey, SigningKeySpec, SigningKeyStatus, ValidSigningKey};
pub use tenant::{Tenant, TenantSpec, TenantStatus, ValidTenant};
pub use user::{User, UserSpec, UserStatus, ValidUser};

/// The definitions of every kind, as they are installed.
pub fn all_crds() -> Vec<CustomResourceDefinition> {
    [Tenant::crd(), OAuthClient::crd(), SigningKey::crd(), IdentityProvider::crd(), User::crd()]
        .map(schema::without_nulls)
        .into()
}
