//! The schema of a Tenant. A default is filled in by `parse`, never by the schema: what stands in
//! Git and what stands in the cluster stay the same.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TenantStatus, TrustedIssuerSpec};
use crate::allowed_clients::AllowedClientsSpec;
use crate::object_ref::ClientRef;
use crate::scope::ScopeSpec;
use crate::types::{self, Duration, EndpointUri, GrantType, HostName, KubernetesName, RedirectPattern, Slug};

/// One issuer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "claviger.dev",
    version = "v1alpha1",
    kind = "Tenant",
    namespaced,
    doc = "A Tenant is one OpenID Connect issuer, with its own keys, clients, users and sessions.",
    status = "TenantStatus",
    derive = "PartialEq",
    shortname = "tnt",
    category = "claviger",
    printcolumn(name = "Slug", type_ = "string", json_path = ".status.slug"),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".status.issuer", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("has(self.spec.slug) || (self.metadata.name.size() <= 63 && !self.metadata.name.contains('.'))")
        .message("metadata.name is not a DNS label of at most 63 characters: set spec.slug")
        .field_path(".spec.slug"),
    validation = Rule::new("(has(self.spec.slug) ? self.spec.slug : self.metadata.name) == (has(oldSelf.spec.slug) ? oldSelf.spec.slug : oldSelf.metadata.name)")
        .message("slug is immutable: it is part of the issuer")
        .field_path(".spec.slug")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.host) == has(oldSelf.host) && (!has(self.host) || self.host == oldSelf.host)")
    .message("host is immutable: it is part of the issuer")
    .field_path(".host"))]
#[x_kube(validation = Rule::new("!has(self.ceilings) || !has(self.ceilings.accessToken) || duration(has(self.lifetimes) && has(self.lifetimes.accessToken) ? self.lifetimes.accessToken : '10m') <= duration(self.ceilings.accessToken)")
    .message("lifetimes.accessToken must not exceed ceilings.accessToken"))]
pub struct TenantSpec {
    /// Path segment of the issuer, and the tenant's name in tokens (`tenant_id`). A DNS label of at
    /// most 63 characters. Default: metadata.name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Slug>")]
    pub slug: Option<String>,
    /// Name for people, plain text. Default: metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub display_name: Option<String>,
    /// Host (with its port if that is not 80 or 443) at whose root the issuer sits, instead of the path
    /// with the slug. Not that of the provider's external URL. Tenants that do not trust each other need
    /// one each. Default: none. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HostName>")]
    pub host: Option<String>,
    /// Which OAuthClients may point at this Tenant. Default: those of its own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_clients: Option<AllowedClientsSpec>,
    /// How long what is issued lives. Default: as each field says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<LifetimesSpec>,
    /// Scopes beside openid, profile, email, address, phone, groups and offline_access.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub scopes: Vec<ScopeSpec>,
    /// Which keys sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<SigningSpec>,
    /// How people log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginSpec>,
    /// Issuers of somebody else's whose tokens clients may exchange for this Tenant's: other
    /// clusters, CI systems, SPIFFE. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["issuer"]))]
    pub trusted_issuers: Vec<TrustedIssuerSpec>,
    /// Whether `aud` of clients' assertions, and of trusted issuers' tokens where their entry has no `audiences`, must
    /// be the issuer. Otherwise the token endpoint, or the endpoint that is called, will do too (RFC 7523 §3), as many
    /// libraries write it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_audience: Option<bool>,
    /// What this Tenant's clients may not exceed. Default: no ceilings but the schema's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<CeilingsSpec>,
}

/// Lifetimes of what a tenant issues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(has(self.refreshTokenIdle) ? self.refreshTokenIdle : '168h') <= duration(has(self.refreshToken) ? self.refreshToken : '720h')")
    .message("refreshTokenIdle (default 168h) must not exceed refreshToken (default 720h)"))]
#[x_kube(validation = Rule::new("!has(self.sessionIdle) || duration(self.sessionIdle) <= duration(has(self.session) ? self.session : '12h')")
    .message("sessionIdle must not exceed session (default 12h)"))]
pub struct LifetimesSpec {
    /// Access tokens. Default: 10m. At most 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::ACCESS_TOKEN.rule())]
    pub access_token: Option<String>,
    /// ID tokens. Default: 1h. At most 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::ID_TOKEN.rule())]
    pub id_token: Option<String>,
    /// Authorization codes. Default: 1m. At most 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::AUTHORIZATION_CODE.rule())]
    pub authorization_code: Option<String>,
    /// Refresh tokens, from the grant on, however often they rotate. Default: 720h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::REFRESH_TOKEN.rule())]
    pub refresh_token: Option<String>,
    /// Refresh tokens that nobody uses. Default: 168h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::REFRESH_TOKEN.rule())]
    pub refresh_token_idle: Option<String>,
    /// For so long a refresh token that was used yields the same successor again, unless that was used too: for
    /// clients that prove who they are, and lost the answer. Default: 10s. At most 1m; 0s is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::REFRESH_TOKEN_GRACE.rule())]
    pub refresh_token_grace: Option<String>,
    /// Sessions at this Tenant, from the login on. Default: 12h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::SESSION.rule())]
    pub session: Option<String>,
    /// Sessions that nobody uses, neither at the provider's pages nor by refreshing tokens (noted to a quarter of this).
    /// Default: 2h, or as long as session if that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::SESSION.rule())]
    pub session_idle: Option<String>,
}

/// Which keys sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningSpec {
    /// Name of the SigningKey (same namespace) that signs access tokens. Default: the oldest with
    /// an Active key. May be changed; both keys are published meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<KubernetesName>")]
    pub default: Option<String>,
}

/// How people log in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginSpec {
    /// Whether local accounts (User) may log in with a password. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwords: Option<bool>,
    /// How the pages look. Never markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branding: Option<BrandingSpec>,
    /// A login page of your own on another origin. Default: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui: Option<LoginUiSpec>,
}

/// How pages look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandingSpec {
    /// Address of an image, https. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    #[x_kube(validation = Rule::new("self.startsWith('https://')").message("must be an https URI"))]
    pub logo: Option<String>,
    /// Colour of buttons and links, as #rgb or #rrggbb. Default: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"), length(max = 7))]
    pub accent: Option<String>,
}

/// A login page on another origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginUiSpec {
    /// Where the browser is sent to log in. https, or http on loopback.
    #[schemars(with = "EndpointUri")]
    pub url: String,
    /// The OAuthClient that may state who logged in, over an authenticated back channel.
    pub client_ref: ClientRef,
}

/// What clients may not exceed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CeilingsSpec {
    /// Grant types that clients may have. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "set"))]
    pub grant_types: Option<Vec<GrantType>>,
    /// Longest access token lifetime that a client may set. Default: 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::ACCESS_TOKEN.rule())]
    pub access_token: Option<String>,
    /// Where clients may redirect to: `https://host`, `https://*.domain` (any depth),
    /// `http://localhost` (all of loopback) or a private-use scheme with its colon. Default:
    /// anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<RedirectPattern>>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub redirect_uris: Option<Vec<String>>,
    /// How many OAuthClients may be served. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::client_count")]
    pub clients: Option<u32>,
}
