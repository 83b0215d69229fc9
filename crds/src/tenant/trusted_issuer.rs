//! The schema of an issuer of somebody else's whose tokens a Tenant trusts.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::oauth_client::JwksSpec;
use crate::types::{Audience, EndpointUri, TextPattern};

/// An issuer of somebody else's: another cluster, a CI system, SPIFFE.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.jwks) != has(self.jwksUri)")
    .message("a trusted issuer must have exactly one of jwks and jwksUri"))]
pub struct TrustedIssuerSpec {
    /// `iss` of its tokens, compared exactly. Once in a Tenant; never this cluster's own, whose
    /// ServiceAccounts are trusted already.
    #[schemars(with = "EndpointUri")]
    pub issuer: String,
    /// Its public keys (RFC 7517 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksSpec>,
    /// Where its public keys are. https, or http on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    pub jwks_uri: Option<String>,
    /// What `aud` of its tokens may be, beside the API of a client that exchanges one. Default: this Tenant's
    /// issuer and, unless `strictAudience`, its token endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Audience>", length(max = 10), extend("x-kubernetes-list-type" = "set"))]
    pub audiences: Vec<String>,
    /// Whose tokens are trusted: a token must fit one of these.
    #[schemars(length(min = 1, max = 20))]
    pub subject_rules: Vec<SubjectRuleSpec>,
    /// What stands before its `sub` in tokens of this Tenant, so that no two issuers' subjects are
    /// taken for each other, nor for a client or a User. It ends with `:`, `#`, `/` or `|`. Default: the
    /// issuer and `#`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[!#-\\[\\]-~]*[:#/|]$"), length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("!self.startsWith('system:')")
        .message("must not begin with system: that is the form of a ServiceAccount's subject"))]
    pub subject_prefix: Option<String>,
}

/// Whose tokens are trusted. All that is said must fit; `*` stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectRuleSpec {
    /// What `sub` must be, such as `repo:acme/*`.
    #[schemars(with = "TextPattern")]
    pub subject: String,
    /// What other claims must be, by name: text, or a list of which one item fits. Default: anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "claims_schema")]
    pub claims: BTreeMap<String, String>,
}

fn claims_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 10,
        "additionalProperties": <TextPattern as JsonSchema>::json_schema(generator),
    })
}
