//! What a client may exchange, as its document has it.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which tokens a client may exchange, for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenExchangeRuleDocument {
    /// Kinds of tokens that it may bring.
    pub subject_tokens: Vec<SubjectToken>,
    /// Of [`SubjectToken::TrustedIssuer`]: whose; empty where all are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_issuers: Vec<String>,
    /// Of others' tokens: patterns of `sub`, any of which fits; empty where anybody is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// APIs that it may get tokens for by that.
    pub audiences: Vec<String>,
    /// Whether an actor token comes with it.
    #[serde(default)]
    pub actor_token: ActorToken,
    /// Kinds of tokens that an actor may bring, beside the client's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actor_tokens: Vec<SubjectToken>,
    /// Of others' tokens: patterns of an actor's `sub`, any of which fits; empty where anybody is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<String>,
}

/// A kind of token that may be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the field says it; a variant's doc would split the schema's enum")]
pub enum SubjectToken {
    AccessToken,
    IdToken,
    RefreshToken,
    ServiceAccount,
    TrustedIssuer,
}

/// Whether an actor token comes with a subject token (RFC 8693 §1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the field says it; a variant's doc would split the schema's enum")]
pub enum ActorToken {
    #[default]
    Optional,
    Required,
    Forbidden,
}

/// The issuer of this cluster's ServiceAccount tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountIssuerDocument {
    /// `iss` of its tokens, compared exactly.
    pub issuer: String,
    /// Its public keys, as a JWK Set.
    pub jwks: serde_json::Value,
    /// Since when the API server says so.
    pub since: Timestamp,
    /// What it called itself before that, if it did: tokens that bear that name are in pods until kubelet renews them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<FormerIssuer>,
}

/// A name that the cluster's issuer had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerIssuer {
    /// `iss` of tokens that were made then, compared exactly.
    pub issuer: String,
    /// From then on they count no more.
    pub until: Timestamp,
}

/// An issuer of somebody else's whose tokens are trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedIssuerDocument {
    /// `iss` of its tokens, compared exactly.
    pub issuer: String,
    /// Its public keys, as a JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where they are, if not inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// What `aud` of its tokens may be, beside the API of a client that exchanges one.
    pub audiences: Vec<String>,
    /// Whose tokens are trusted: any of these.
    pub subject_rules: Vec<SubjectRuleDocument>,
    /// What stands before its `sub` in tokens of the tenant.
    pub subject_prefix: String,
}

/// What a token of a trusted issuer must say. In a pattern `*` stands for any text; see
/// [`crate::types::TextPattern`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectRuleDocument {
    /// Pattern of `sub`.
    pub subject: String,
    /// Patterns of other claims, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
}
