//! Scopes that Tenants and APIs declare.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Faults;
use crate::types::ScopeToken;

/// A scope that a Tenant declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(self.name in ['openid', 'profile', 'email', 'address', 'phone', 'groups', 'offline_access'])")
    .message("openid, profile, email, address, phone, groups and offline_access are always there"))]
pub struct ScopeSpec {
    /// The scope (RFC 6749 §3.3).
    #[schemars(with = "ScopeToken")]
    pub name: String,
    /// What it lets an application see, for the consent page; plain text. Default: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::description")]
    pub description: Option<String>,
    /// Claims that it releases at UserInfo. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::claim_names")]
    #[x_kube(validation = Rule::new("self.all(claim, !(claim in ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'at_hash', 'c_hash', 's_hash', 'sid', 'client_id', 'scope', 'tenant_id', 'act', 'may_act', 'cnf', 'events']))")
        .message("claims of the protocol, such as iss or sub, belong to no scope"))]
    pub claims: Vec<String>,
}

/// A scope of an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(self.name in ['openid', 'profile', 'email', 'address', 'phone', 'groups', 'offline_access'])")
    .message("openid, profile, email, address, phone, groups and offline_access belong to no API"))]
pub struct ApiScopeSpec {
    /// The scope (RFC 6749 §3.3).
    #[schemars(with = "ScopeToken")]
    pub name: String,
    /// What it lets an application do, for the consent page; plain text. Default: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::description")]
    pub description: Option<String>,
}

/// A declared scope, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope.
    pub name: ScopeToken,
    /// For the consent page; plain text.
    pub description: String,
    /// Claims that it releases; none for a scope of an API.
    pub claims: Vec<String>,
}

/// Claims that the protocols define for themselves: neither a scope nor a User may give them out.
pub const PROTOCOL_CLAIMS: [&str; 23] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "client_id",
    "scope",
    "tenant_id",
    "act",
    "may_act",
    "cnf",
    "events",
];

/// Parses the scopes at `path`.
pub(crate) fn parse_scopes(path: &str, specs: &[ScopeSpec], faults: &mut Faults) -> Vec<Scope> {
    faults.at_most(path, specs.len(), 50);
    let mut scopes: Vec<Scope> = Vec::with_capacity(specs.len());
    for (at, spec) in specs.iter().enumerate() {
        let path = format!("{path}[{at}]");
        faults.at_most(&format!("{path}.claims"), spec.claims.len(), 50);
        for (at, claim) in spec.claims.iter().enumerate() {
            check_claim(&format!("{path}.claims[{at}]"), claim, faults);
        }
        let Some((name, description)) = parse_scope(&path, &spec.name, spec.description.as_ref(), faults) else {
            continue;
        };
        if scopes.iter().any(|other| other.name == name) {
            faults.add(path, "must not be declared twice");
        } else {
            scopes.push(Scope { name, description, claims: spec.claims.clone() });
        }
    }
    scopes
}

/// Parses the scopes of an API at `path`.
pub(crate) fn parse_api_scopes(path: &str, specs: &[ApiScopeSpec], faults: &mut Faults) -> Vec<Scope> {
    let specs: Vec<ScopeSpec> = specs
        .iter()
        .map(|spec| ScopeSpec { name: spec.name.clone(), description: spec.description.clone(), claims: Vec::new() })
        .collect();
    parse_scopes(path, &specs, faults)
}

/// A claim's name, as a scope or a User may have it.
pub(crate) fn check_claim(path: &str, claim: &str, faults: &mut Faults) {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'/' | b'-');
    if !(1..=128).contains(&claim.len())
        || !claim.bytes().all(legal)
        || !claim.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    {
        faults.add(
            path,
            "must be the name of a claim: at most 128 letters, digits and _ . : / -, the first a letter or _",
        );
    }
    if PROTOCOL_CLAIMS.contains(&claim) {
        faults.add(path, "is a claim of the protocol, which nobody else may define");
    }
}

fn parse_scope(
    path: &str,
    name: &str,
    description: Option<&String>,
    faults: &mut Faults,
) -> Option<(ScopeToken, String)> {
    if let Some(description) = description {
        faults.plain_text(&format!("{path}.description"), description, 200);
    }
    let name: ScopeToken = faults.parse(&format!("{path}.name"), name)?;
    if name.is_standard() {
        faults.add(format!("{path}.name"), "is a standard scope, which is always there");
    }
    let description = description.cloned().unwrap_or_else(|| name.to_string());
    Some((name, description))
}
