//! The document of a Tenant.

use serde::{Deserialize, Serialize};

use super::{SealingKeyDocument, ServiceAccountIssuerDocument, TrustedIssuerDocument};
use crate::names::ObjectName;

/// What a provider must know to be a tenant's issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantDocument {
    /// Path segment that names the tenant: a DNS label.
    pub slug: String,
    /// The issuer identifier, without a trailing slash (OpenID Connect Discovery 1.0 §3).
    pub issuer: String,
    /// Set where the issuer sits at the root of a domain of its own: that host, with its port if
    /// that is not 80 or 443, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// For people; plain text.
    pub display_name: String,
    /// Lifetimes of what is issued.
    pub lifetimes: TenantLifetimes,
    /// Scopes beside the standard ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeDocument>,
    /// The ring (SigningKey, same namespace as the Tenant) that signs access tokens. Where it is
    /// not set, or has no Active key, the oldest ring with one signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_signing_key: Option<ObjectName>,
    /// How people log in.
    #[serde(default)]
    pub login: LoginDocument,
    /// With these its pods seal codes, cookies and handles: newest first, one of them Active. None
    /// in a tombstone, and in what an operator wrote that knew of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealing_keys: Vec<SealingKeyDocument>,
    /// Who issues the tokens of this cluster's ServiceAccounts, where a client of the tenant takes these, or the
    /// tenant declares the same issuer as somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_issuer: Option<ServiceAccountIssuerDocument>,
    /// Issuers of somebody else's whose tokens clients may exchange, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_issuers: Vec<TrustedIssuerDocument>,
    /// Whether clients' assertions must be for the issuer, and not for an endpoint of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict_audience: bool,
}

/// `refresh_token_grace` where nobody says another.
pub const REFRESH_TOKEN_GRACE: u32 = 10;

/// Lifetimes, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenLifetimes", into = "WrittenLifetimes")]
pub struct TenantLifetimes {
    /// Access token, seconds.
    pub access_token: u32,
    /// ID token, seconds.
    pub id_token: u32,
    /// Authorization code, seconds.
    pub authorization_code: u32,
    /// Refresh token, from its grant, seconds.
    pub refresh_token: u32,
    /// Refresh token, unused, seconds.
    pub refresh_token_idle: u32,
    /// A used refresh token yields its successor again, seconds. Written only where it is not
    /// [`REFRESH_TOKEN_GRACE`].
    pub refresh_token_grace: u32,
    /// Session, from its login, seconds.
    pub session: u32,
    /// Session, unused, seconds. Written only where it is not `session`: a document of an operator
    /// that knew of none means that a session lives on, used or not, as it did then.
    pub session_idle: u32,
}

/// [`TenantLifetimes`] as JSON has them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLifetimes {
    access_token: u32,
    id_token: u32,
    authorization_code: u32,
    refresh_token: u32,
    refresh_token_idle: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token_grace: Option<u32>,
    session: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_idle: Option<u32>,
}

impl From<WrittenLifetimes> for TenantLifetimes {
    fn from(written: WrittenLifetimes) -> Self {
        Self {
            access_token: written.access_token,
            id_token: written.id_token,
            authorization_code: written.authorization_code,
            refresh_token: written.refresh_token,
            refresh_token_idle: written.refresh_token_idle,
            refresh_token_grace: written.refresh_token_grace.unwrap_or(REFRESH_TOKEN_GRACE),
            session: written.session,
            session_idle: written.session_idle.unwrap_or(written.session),
        }
    }
}

impl From<TenantLifetimes> for WrittenLifetimes {
    fn from(lifetimes: TenantLifetimes) -> Self {
        Self {
            access_token: lifetimes.access_token,
            id_token: lifetimes.id_token,
            authorization_code: lifetimes.authorization_code,
            refresh_token: lifetimes.refresh_token,
            refresh_token_idle: lifetimes.refresh_token_idle,
            refresh_token_grace: Some(lifetimes.refresh_token_grace).filter(|grace| *grace != REFRESH_TOKEN_GRACE),
            session: lifetimes.session,
            session_idle: Some(lifetimes.session_idle).filter(|idle| *idle != lifetimes.session),
        }
    }
}

/// A scope that a tenant declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeDocument {
    /// Its name (RFC 6749 §3.3).
    pub name: String,
    /// For the consent page; plain text.
    pub description: String,
    /// Claims that it releases at UserInfo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
}

/// How people log in at a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginDocument {
    /// Whether local accounts may use a password.
    #[serde(default)]
    pub passwords: bool,
    /// How pages look.
    #[serde(default)]
    pub branding: BrandingDocument,
    /// A login page of the tenant's own on another origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui: Option<LoginUiDocument>,
}

/// How a tenant's pages look. Never markup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrandingDocument {
    /// `https` address of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// `#rgb` or `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
}

/// A login page on another origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginUiDocument {
    /// Where the browser is sent.
    pub url: String,
    /// The `client_id` that may state who logged in.
    pub client_id: String,
}
