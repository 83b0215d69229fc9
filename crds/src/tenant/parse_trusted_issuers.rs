//! A Tenant's trusted issuers: raw → valid.

use std::collections::BTreeMap;

use super::{SubjectRuleSpec, TrustedIssuerSpec};
use crate::fault::Faults;
use crate::oauth_client::{self, ClientKeys};
use crate::types::{Audience, EndpointUri, TextPattern};

/// An issuer of somebody else's whose tokens are trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustedIssuer {
    /// `iss`, compared exactly.
    pub issuer: EndpointUri,
    /// Its public keys.
    pub keys: ClientKeys,
    /// What `aud` may be; empty where it is the Tenant's issuer.
    pub audiences: Vec<Audience>,
    /// Whose tokens are trusted.
    pub subject_rules: Vec<SubjectRule>,
    /// What stands before its `sub` in tokens of the tenant.
    pub subject_prefix: String,
}

/// What a token must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRule {
    /// `sub`.
    pub subject: TextPattern,
    /// Other claims, by name.
    pub claims: BTreeMap<String, TextPattern>,
}

/// Of the default: an issuer and one character more.
const LONGEST_PREFIX: usize = 1025;
const LONGEST_CLAIM_NAME: usize = 128;

pub(super) fn parse(specs: &[TrustedIssuerSpec], faults: &mut Faults) -> Vec<TrustedIssuer> {
    let path = "spec.trustedIssuers";
    faults.at_most(path, specs.len(), 20);
    let mut issuers: Vec<TrustedIssuer> = Vec::with_capacity(specs.len());
    for (at, spec) in specs.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let Some(issuer) = parse_one(&path, spec, faults) else { continue };
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            faults.add(format!("{path}.issuer"), "must not be repeated");
        } else if issuers.iter().any(|other| overlap(&other.subject_prefix, &issuer.subject_prefix)) {
            faults.add(format!("{path}.subjectPrefix"), "must not begin with another one's, nor another one's with it");
        } else {
            issuers.push(issuer);
        }
    }
    issuers
}

/// Whether a subject could be of both: whoever has the shorter one could name himself into the longer one.
fn overlap(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn parse_one(path: &str, spec: &TrustedIssuerSpec, faults: &mut Faults) -> Option<TrustedIssuer> {
    let TrustedIssuerSpec { issuer, jwks, jwks_uri, audiences, subject_rules, subject_prefix } = spec;
    let audiences = faults.parse_list(&format!("{path}.audiences"), audiences, 10);
    let subject_rules = parse_rules(&format!("{path}.subjectRules"), subject_rules, faults);
    let keys = match (jwks, jwks_uri) {
        (Some(jwks), None) => ClientKeys::Jwks(oauth_client::parse_jwks(&format!("{path}.jwks"), jwks, faults)),
        (None, Some(uri)) => ClientKeys::JwksUri(faults.parse(&format!("{path}.jwksUri"), uri)?),
        _ => {
            faults.add(path, "a trusted issuer must have exactly one of jwks and jwksUri");
            return None;
        }
    };
    let subject_prefix = subject_prefix.clone().unwrap_or_else(|| format!("{issuer}#"));
    check_prefix(&format!("{path}.subjectPrefix"), &subject_prefix, faults);
    let issuer = faults.parse(&format!("{path}.issuer"), issuer)?;
    Some(TrustedIssuer { issuer, keys, audiences, subject_rules, subject_prefix })
}

/// No client ID and no User's derived subject has any of these characters; a ServiceAccount's subject begins with
/// `system:`, which no prefix and no declared subject does.
fn check_prefix(path: &str, prefix: &str, faults: &mut Faults) {
    let usable = (1..=LONGEST_PREFIX).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        && prefix.ends_with([':', '#', '/', '|']);
    faults.demand(usable, path, "must be at most 255 visible ASCII characters, the last of them one of : # / |");
    faults.demand(
        !prefix.starts_with("system:"),
        path,
        "must not begin with system: that is the form of a ServiceAccount's subject",
    );
}

fn parse_rules(path: &str, specs: &[SubjectRuleSpec], faults: &mut Faults) -> Vec<SubjectRule> {
    faults.demand(!specs.is_empty(), path, "must not be empty");
    faults.at_most(path, specs.len(), 20);
    let mut rules = Vec::with_capacity(specs.len());
    for (at, SubjectRuleSpec { subject, claims }) in specs.iter().enumerate() {
        let path = format!("{path}[{at}]");
        faults.at_most(&format!("{path}.claims"), claims.len(), 10);
        let subject = faults.parse(&format!("{path}.subject"), subject);
        let mut fitting = BTreeMap::new();
        for (name, pattern) in claims {
            let path = format!("{path}.claims[{name}]");
            let usable = (1..=LONGEST_CLAIM_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
            faults.demand(usable, &path, "must be the name of a claim");
            if let Some(pattern) = faults.parse(&path, pattern) {
                fitting.insert(name.clone(), pattern);
            }
        }
        rules.extend(subject.map(|subject| SubjectRule { subject, claims: fitting }));
    }
    rules
}
