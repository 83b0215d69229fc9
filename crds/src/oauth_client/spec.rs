//! The schema of an OAuthClient.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiTokenExchangeSpec, AuthenticationSpec, OAuthClientStatus, TokenExchangeRuleSpec};
use crate::allowed_clients::AllowedClientsSpec;
use crate::object_ref::TenantRef;
use crate::published::{AccessTokenType, ApplicationType, ConsentPolicy, IdTokenClaims};
use crate::scope::ApiScopeSpec;
use crate::types::{self, Audience, ClientId, Duration, EndpointUri, GrantType, RedirectUri, ScopeToken, WebOrigin};

/// One relying party.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "claviger.dev",
    version = "v1alpha1",
    kind = "OAuthClient",
    namespaced,
    doc = "An OAuthClient is one application that gets tokens from a Tenant, or an API that takes them.",
    status = "OAuthClientStatus",
    derive = "PartialEq",
    shortname = "oac",
    category = "claviger",
    printcolumn(name = "Client ID", type_ = "string", json_path = ".status.clientId"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".status.tenant"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName", priority = 1),
    printcolumn(name = "Next Rotation", type_ = "date", json_path = ".status.nextRotationAt", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.size() <= 136")
        .message("metadata.name must be at most 136 characters: it is part of the client ID, and of the Secret's name"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.clientId) == has(oldSelf.clientId) && (!has(self.clientId) || self.clientId == oldSelf.clientId)")
    .message("clientId is immutable: grants and sessions are bound to it")
    .field_path(".clientId"))]
#[x_kube(validation = Rule::new("(has(self.grantTypes) && !('authorization_code' in self.grantTypes)) || (has(self.redirectUris) && self.redirectUris.size() > 0)")
    .message("grant type authorization_code (the default) needs at least one entry in redirectUris"))]
#[x_kube(validation = Rule::new("!has(self.grantTypes) || !('refresh_token' in self.grantTypes) || 'authorization_code' in self.grantTypes || 'urn:ietf:params:oauth:grant-type:device_code' in self.grantTypes")
    .message("grant type refresh_token needs authorization_code or urn:ietf:params:oauth:grant-type:device_code"))]
#[x_kube(validation = Rule::new("!has(self.authentication.none) || !has(self.grantTypes) || !self.grantTypes.exists(grant, grant in ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'])")
    .message("grant types client_credentials and token-exchange need authentication other than none"))]
#[x_kube(validation = Rule::new("!has(self.authentication.none) || !has(self.requirePkce) || self.requirePkce")
    .message("requirePkce cannot be false with authentication none")
    .field_path(".requirePkce"))]
#[x_kube(validation = Rule::new("(has(self.applicationType) && self.applicationType == 'native' && has(self.authentication.none)) || !has(self.redirectUris) || self.redirectUris.all(uri, uri.startsWith('https://') || uri.startsWith('http://'))")
    .message("redirectUris with a private-use scheme need applicationType native and authentication none"))]
#[x_kube(validation = Rule::new("(has(self.applicationType) && self.applicationType == 'native' && has(self.authentication.none)) || !has(self.postLogoutRedirectUris) || self.postLogoutRedirectUris.all(uri, uri.startsWith('https://') || uri.startsWith('http://'))")
    .message("postLogoutRedirectUris with a private-use scheme need applicationType native and authentication none"))]
#[x_kube(validation = Rule::new("!has(self.tokenExchange) || self.tokenExchange.all(rule, !has(rule.audiences) || rule.audiences.all(audience, has(self.audiences) && audience in self.audiences))")
    .message("tokenExchange: audiences must be among this client's audiences"))]
#[x_kube(validation = Rule::new("!has(self.authentication.none) || !has(self.tokenExchange) || self.tokenExchange.all(rule, has(rule.subjects) && rule.subjects.size() > 0)")
    .message("tokenExchange needs subjects in each rule where authentication is none"))]
pub struct OAuthClientSpec {
    /// The Tenant that this client belongs to. Immutable.
    #[x_kube(validation = Rule::new("self.name == oldSelf.name && has(self.__namespace__) == has(oldSelf.__namespace__) && (!has(self.__namespace__) || self.__namespace__ == oldSelf.__namespace__)")
        .message("tenantRef is immutable"))]
    pub tenant_ref: TenantRef,
    /// The `client_id`. Default: `<namespace>.<name>` of this object. `<namespace>.<anything>` is
    /// free to choose; any other value is accepted in the Tenant's own namespace only. At most 200
    /// characters. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ClientId>")]
    pub client_id: Option<String>,
    /// Name for people, plain text. Default: metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub display_name: Option<String>,
    /// web: on a server or in a browser page. native: on a person's device (RFC 8252).
    /// Default: web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// Where codes are sent: exact URIs, https, or http on loopback; for native applications also
    /// private-use schemes. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RedirectUri>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a logout: exact URIs. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RedirectUri>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub post_logout_redirect_uris: Vec<String>,
    /// How this client may get tokens. Default: authorization_code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), extend("x-kubernetes-list-type" = "set"))]
    pub grant_types: Option<Vec<GrantType>>,
    /// Scopes asked for: standard ones, the Tenant's, and those of the APIs in `audiences`, which
    /// their owners grant. Default: openid where authorization_code is used, else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<ScopeToken>>", length(max = 100), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Option<Vec<String>>,
    /// APIs that this client asks tokens for; the first granted one is its default. An API belongs
    /// to the OAuthClient that declares it as `resourceServer`, and that one says who is let in.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Audience>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub audiences: Vec<String>,
    /// Makes this client an API that others ask tokens for. Default: it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<ResourceServerSpec>,
    /// Required: a person is asked once, and again when more is asked for. Skip: never, for
    /// first-party applications. Default: Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentPolicy>,
    /// How this client proves who it is.
    pub authentication: AuthenticationSpec,
    /// Which tokens this client may exchange for others, with grant type token-exchange (RFC 8693), and,
    /// of TrustedIssuer and ServiceAccount, with jwt-bearer (RFC 7523). A token must fit one rule.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub token_exchange: Vec<TokenExchangeRuleSpec>,
    /// Client IDs of this Tenant that may exchange tokens which are for this client (ID tokens for it,
    /// access tokens for its API), beside itself. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ClientId>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub exchangeable_by: Vec<String>,
    /// Whether authorization requests must use PKCE with S256 (RFC 7636). Default: true with authentication none,
    /// else false: one that uses it is held to it all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,
    /// Algorithm of this client's ID tokens; the Tenant needs a SigningKey of it. Default: that of
    /// the key that signs access tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::algorithm")]
    pub id_token_signed_response_alg: Option<String>,
    /// Minimal: ID tokens hold what OpenID Connect demands, and granted groups; the rest is at
    /// UserInfo. Scopes: the claims of the granted scopes too. Default: Minimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_claims: Option<IdTokenClaims>,
    /// The `typ` of access tokens: at+jwt (RFC 9068), or JWT for resource servers that refuse it.
    /// Default: at+jwt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_type: Option<AccessTokenType>,
    /// Lifetimes that differ from the Tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<ClientLifetimesSpec>,
    /// Origins of browser pages that may call the token and UserInfo endpoints (CORS). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<WebOrigin>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_origins: Vec<String>,
    /// Where this client is told of logouts, server to server. Default: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout: Option<LogoutSpec>,
    /// Page that is loaded in an iframe at a logout. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout: Option<LogoutSpec>,
}

/// The API that a client is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceServerSpec {
    /// The `aud` of its tokens: a URI where clients use RFC 8707, never an issuer's. What has the form of a
    /// client ID must be `<namespace>.<anything>` of this object, or stand in the Tenant's own namespace. One
    /// OAuthClient of the Tenant holds it.
    #[schemars(with = "Audience")]
    pub audience: String,
    /// Its scopes. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub scopes: Vec<ApiScopeSpec>,
    /// Which OAuthClients may ask for this audience and its scopes. Default: those of its own
    /// namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_clients: Option<AllowedClientsSpec>,
    /// Lets OAuthClients have tokens for this audience by an exchange of others. Default: none may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<ApiTokenExchangeSpec>,
}

/// Lifetimes that differ from the tenant's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientLifetimesSpec {
    /// Access tokens; below the Tenant's ceiling. Default: the Tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::ACCESS_TOKEN.rule())]
    pub access_token: Option<String>,
    /// ID tokens. Default: the Tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::ID_TOKEN.rule())]
    pub id_token: Option<String>,
    /// Refresh tokens, from the grant on. Default: the Tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::REFRESH_TOKEN.rule())]
    pub refresh_token: Option<String>,
    /// Refresh tokens that nobody uses. Default: the Tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::REFRESH_TOKEN.rule())]
    pub refresh_token_idle: Option<String>,
}

/// Where a client hears of logouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogoutSpec {
    /// The client's address. https, or http on loopback.
    #[schemars(with = "EndpointUri")]
    pub uri: String,
    /// Whether it needs the session's ID (`sid`). Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_required: Option<bool>,
}
