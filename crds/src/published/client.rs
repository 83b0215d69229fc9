//! The document of an OAuthClient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RevokedSecret, SecretHash, TokenExchangeRuleDocument};

/// What a provider must know of a client. Scopes and audiences are those that were granted, not
/// those that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientDocument {
    /// `client_id` (RFC 6749 §2.2).
    pub client_id: String,
    /// For people; plain text.
    pub display_name: String,
    /// `web` or `native` (OpenID Connect Registration 1.0 §2).
    pub application_type: ApplicationType,
    /// Exact redirect URIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Exact URIs to return to after logout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// `grant_type` values that it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types: Vec<String>,
    /// Granted scopes that belong to no audience: the standard ones and the tenant's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Granted audiences, the first of which is the default, each with its granted scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<AudienceGrant>,
    /// Set where this client is itself an API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<ResourceServerDocument>,
    /// Whether people are asked.
    pub consent: ConsentPolicy,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// Whether an authorization request must bear a PKCE challenge.
    pub require_pkce: bool,
    /// JOSE name of the algorithm of its ID tokens; without it the tenant's default signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// Which claims its ID tokens hold.
    pub id_token_claims: IdTokenClaims,
    /// `typ` of its access tokens.
    pub access_token_type: AccessTokenType,
    /// Lifetimes that differ from the tenant's.
    #[serde(default)]
    pub lifetimes: ClientLifetimes,
    /// Origins for CORS, exact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
    /// OpenID Connect Back-Channel Logout 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout: Option<BackchannelLogoutDocument>,
    /// OpenID Connect Front-Channel Logout 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout: Option<FrontchannelLogoutDocument>,
    /// Secrets that were revoked, newest first. A provider accepts none of them, for none is among
    /// the hashes; the operator keeps them in mind, so that none comes back by a Secret that somebody
    /// restores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_secrets: Vec<RevokedSecret>,
    /// Which tokens it may exchange for others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_exchange: Vec<TokenExchangeRuleDocument>,
    /// `client_id`s of those who may exchange tokens that are for this client, beside itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchangeable_by: Vec<String>,
}

/// OpenID Connect Registration 1.0 §2, `application_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// Runs on a server or in a browser page.
    #[default]
    Web,
    /// Runs on a person's device (RFC 8252).
    Native,
}

/// Whether people are asked for consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConsentPolicy {
    /// Asked, and remembered.
    #[default]
    Required,
    /// Never asked: a first-party application.
    Skip,
}

/// Which claims an ID token holds beside those that OpenID Connect Core demands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IdTokenClaims {
    /// None but `groups`, where granted.
    #[default]
    Minimal,
    /// Those of the granted scopes.
    Scopes,
}

/// The `typ` header of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessTokenType {
    /// `at+jwt` (RFC 9068 §2.1).
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// `JWT`, for resource servers that refuse the other.
    #[serde(rename = "JWT")]
    Jwt,
}

/// An audience that a client may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudienceGrant {
    /// The `aud` value; a resource indicator (RFC 8707) where it is a URI.
    pub audience: String,
    /// Its scopes that the client was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether the API's owner lets the client have tokens for it by an exchange.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub token_exchange: bool,
}

/// The API that a client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceServerDocument {
    /// The `aud` value of its tokens.
    pub audience: String,
    /// Its scopes, with their descriptions for the consent page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<super::ScopeDocument>,
}

/// How a client proves who it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientAuthentication {
    /// `client_secret_basic` or `client_secret_post`, by hash: the secret itself is not published.
    Secret {
        /// Newest first; each may be used until it expires.
        hashes: Vec<SecretHash>,
    },
    /// `private_key_jwt` (RFC 7523).
    PrivateKeyJwt {
        /// The client's keys, as a JWK Set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jwks: Option<serde_json::Value>,
        /// Where they are, if not inline.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jwks_uri: Option<String>,
        /// Accepted JOSE algorithms.
        algorithms: Vec<String>,
    },
    /// Kubernetes ServiceAccount tokens of the local cluster.
    ServiceAccounts {
        /// Who may be this client.
        accounts: Vec<ServiceAccountSubject>,
    },
    /// Mutual TLS by subject DN (RFC 8705 §2.1).
    Tls {
        /// Expected subject distinguished name (RFC 4514).
        subject_dn: String,
    },
    /// A public client.
    None,
}

/// A ServiceAccount that may be a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSubject {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: one that was deleted since is another. Empty where there is none of that name.
    pub uid: String,
}

/// Lifetimes in seconds that differ from the tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientLifetimes {
    /// Access token, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<u32>,
    /// ID token, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<u32>,
    /// Refresh token, from its grant, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<u32>,
    /// Refresh token, unused, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle: Option<u32>,
}

/// Where logout tokens are posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackchannelLogoutDocument {
    /// The client's endpoint.
    pub uri: String,
    /// Whether it needs a `sid`.
    pub session_required: bool,
}

/// The page that an iframe loads at logout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontchannelLogoutDocument {
    /// The client's page.
    pub uri: String,
    /// Whether it needs `iss` and `sid`.
    pub session_required: bool,
}
