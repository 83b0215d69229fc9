//! Whom a Tenant trusts beside itself, of those that it declares. Pure.

use claviger_crds::published::{SubjectRuleDocument, TrustedIssuerDocument};
use claviger_crds::tenant::{SubjectRule, TrustedIssuer, ValidTenant};

use super::Issuer;

/// Why a declared issuer cannot be trusted as somebody else's. The cluster's own is trusted anyway, by rules of
/// its own: its subjects would be two, and a ServiceAccount that nobody named could come in by the other. The
/// Tenant's own tokens are not somebody else's, either.
pub(super) fn conflict(trusted: &TrustedIssuer, own: Option<&Issuer>, cluster: Option<&str>) -> Option<&'static str> {
    let is = |issuer: Option<&str>| issuer == Some(trusted.issuer.as_str());
    if is(cluster) {
        return Some(
            "this cluster's own issuer, whose ServiceAccounts clients name in authentication and tokenExchange",
        );
    }
    is(own.map(Issuer::as_str)).then_some("this Tenant's own issuer, whose tokens need no trust")
}

/// Those that are trusted as somebody else.
pub(crate) fn others<'a>(
    tenant: &'a ValidTenant,
    own: Option<&'a Issuer>,
    cluster: Option<&'a str>,
) -> impl Iterator<Item = &'a TrustedIssuer> {
    tenant.trusted_issuers.iter().filter(move |trusted| conflict(trusted, own, cluster).is_none())
}

/// A trusted issuer as the document has it; where it says nothing else, its tokens are for `issuer`, or for its token
/// endpoint (RFC 7523 §3) where the Tenant is not `strict`.
pub(super) fn document(trusted: &TrustedIssuer, issuer: &str, strict: bool) -> TrustedIssuerDocument {
    let (jwks, jwks_uri) = trusted.keys.published();
    let rule = |rule: &SubjectRule| SubjectRuleDocument {
        subject: rule.subject.to_string(),
        claims: rule.claims.iter().map(|(name, pattern)| (name.clone(), pattern.to_string())).collect(),
    };
    let declared: Vec<String> = trusted.audiences.iter().map(ToString::to_string).collect();
    let endpoint = (!strict).then(|| format!("{issuer}/oauth/token"));
    let default = || std::iter::once(issuer.to_owned()).chain(endpoint).collect();
    TrustedIssuerDocument {
        issuer: trusted.issuer.to_string(),
        jwks,
        jwks_uri,
        audiences: if declared.is_empty() { default() } else { declared },
        subject_rules: trusted.subject_rules.iter().map(rule).collect(),
        subject_prefix: trusted.subject_prefix.clone(),
    }
}
