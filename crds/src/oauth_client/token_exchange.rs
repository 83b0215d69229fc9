//! The schema of what a client may exchange (RFC 8693, RFC 7523 §2.1).

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowed_clients::AllowedClientsSpec;
use crate::published::{ActorToken, SubjectToken};
use crate::types::{Audience, EndpointUri, TextPattern};

/// Which tokens a client may exchange, for what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.trustedIssuers) || self.trustedIssuers.size() == 0 || 'TrustedIssuer' in self.subjectTokens || (has(self.actorTokens) && 'TrustedIssuer' in self.actorTokens)")
    .message("trustedIssuers needs TrustedIssuer in subjectTokens or actorTokens")
    .field_path(".trustedIssuers"))]
#[x_kube(validation = Rule::new("!has(self.subjects) || self.subjects.size() == 0 || !('TrustedIssuer' in self.subjectTokens) || (has(self.trustedIssuers) && self.trustedIssuers.size() > 0)")
    .message("subjects of TrustedIssuer need trustedIssuers: any other issuer could call somebody so")
    .field_path(".subjects"))]
#[x_kube(validation = Rule::new("!has(self.subjects) || self.subjects.size() == 0 || !('TrustedIssuer' in self.subjectTokens && 'ServiceAccount' in self.subjectTokens)")
    .message("subjects of ServiceAccount and of TrustedIssuer need a rule each: another cluster calls its ServiceAccounts the same")
    .field_path(".subjects"))]
#[x_kube(validation = Rule::new("!has(self.actors) || self.actors.size() == 0 || !has(self.actorTokens) || !('TrustedIssuer' in self.actorTokens) || (has(self.trustedIssuers) && self.trustedIssuers.size() > 0)")
    .message("actors of TrustedIssuer need trustedIssuers: any other issuer could call somebody so")
    .field_path(".actors"))]
#[x_kube(validation = Rule::new("!has(self.actors) || self.actors.size() == 0 || !has(self.actorTokens) || !('TrustedIssuer' in self.actorTokens && 'ServiceAccount' in self.actorTokens)")
    .message("actors of ServiceAccount and of TrustedIssuer need a rule each: another cluster calls its ServiceAccounts the same")
    .field_path(".actors"))]
pub struct TokenExchangeRuleSpec {
    /// Kinds of tokens that this client may bring.
    #[schemars(length(min = 1, max = 5), extend("x-kubernetes-list-type" = "set"))]
    pub subject_tokens: Vec<SubjectToken>,
    /// Of TrustedIssuer: which of the Tenant's trusted issuers. Default: all. Needed where `subjects` or `actors` say
    /// whom of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<EndpointUri>", length(max = 20), extend("x-kubernetes-list-type" = "set"))]
    pub trusted_issuers: Vec<String>,
    /// Of ServiceAccount and TrustedIssuer: what `sub` of the token must be, such as `repo:acme/shop:*`;
    /// `*` stands for any text. Default: anybody whom the Tenant trusts. Needed where authentication is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<TextPattern>", length(max = 20), extend("x-kubernetes-list-type" = "set"))]
    pub subjects: Vec<String>,
    /// APIs that this client may get tokens for by that; each is one of its `audiences`, and its
    /// owner allows it. Default: all of its `audiences`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Audience>", length(max = 50), extend("x-kubernetes-list-type" = "set"))]
    pub audiences: Vec<String>,
    /// Whether an actor token comes with it, so that the new token says who acts for the subject
    /// (`act`, delegation), or none (impersonation). Default: Optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_token: Option<ActorToken>,
    /// Kinds of tokens that an actor may bring, beside the client's own access token. One that is somebody
    /// else's must be for this client. Default: ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), extend("x-kubernetes-list-type" = "set"))]
    #[x_kube(validation = Rule::new("!('RefreshToken' in self)").message("a refresh token says nothing of an actor"))]
    pub actor_tokens: Option<Vec<SubjectToken>>,
    /// Of actors who bring a ServiceAccount's token or a TrustedIssuer's: what its `sub` must be, such as
    /// `system:serviceaccount:shop:*`; `*` stands for any text. Default: anybody whose token is for this client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<TextPattern>", length(max = 20), extend("x-kubernetes-list-type" = "set"))]
    pub actors: Vec<String>,
}

/// Who may get tokens for an API by an exchange.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiTokenExchangeSpec {
    /// OAuthClients that may; each must be among the API's `allowedClients` too. Default: those of its
    /// own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_clients: Option<AllowedClientsSpec>,
}
