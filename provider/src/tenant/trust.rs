//! Whose tokens, beside its own, a tenant takes: parsed once, when its document is read.
//!
//! Keys belong to one entry: a key of one issuer never verifies a token of another, whatever its `kid`.

use std::collections::BTreeMap;

use claviger_crds::published::{
    FormerIssuer, ServiceAccountIssuerDocument, SubjectRuleDocument, TenantDocument, TrustedIssuerDocument,
};
use claviger_crds::types::TextPattern;
use claviger_jose::ForeignKeys;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::index::Unusable;
use super::key_source::{self, KeySource};
use crate::token::service_account;

/// So many tokens of ServiceAccounts are known again, of each tenant, at about 100 bytes each. A pod sends the same one for
/// most of an hour.
const REPEATED: usize = 1024;

/// The issuers that a tenant trusts. No two have one name.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// This cluster's own, whose tokens are about ServiceAccounts.
    service_accounts: Option<ServiceAccountIssuer>,
    /// Somebody else's.
    issuers: Vec<TrustedIssuer>,
}

/// The issuer of this cluster's ServiceAccount tokens.
#[derive(Debug)]
pub(crate) struct ServiceAccountIssuer {
    /// `iss`, compared exactly.
    pub(crate) issuer: String,
    /// Its keys, as the API server publishes them.
    pub(crate) keys: ForeignKeys,
    /// What it called itself before.
    previous: Option<FormerIssuer>,
}

/// An issuer of somebody else's.
#[derive(Debug)]
pub(crate) struct TrustedIssuer {
    /// `iss`, compared exactly.
    pub(crate) issuer: String,
    /// Its keys.
    pub(crate) keys: KeySource,
    /// What `aud` of its tokens may be, beside the API of a client that exchanges one.
    pub(crate) audiences: Vec<String>,
    /// What stands before its `sub` in tokens of the tenant.
    pub(crate) subject_prefix: String,
    rules: Vec<SubjectRule>,
}

#[derive(Debug)]
struct SubjectRule {
    subject: TextPattern,
    claims: BTreeMap<String, TextPattern>,
}

/// Who issued a token that is not the tenant's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Foreign<'t> {
    /// This cluster.
    Cluster(&'t ServiceAccountIssuer),
    /// Somebody else.
    Trusted(&'t TrustedIssuer),
}

// === impl Trust ===

impl Trust {
    /// What `tenant` trusts.
    pub(super) fn parse(tenant: &TenantDocument) -> Result<Self, Unusable> {
        let service_accounts = tenant.service_account_issuer.as_ref().map(ServiceAccountIssuer::parse).transpose()?;
        let issuers = tenant.trusted_issuers.iter().map(TrustedIssuer::parse).collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<&str> = issuers.iter().map(|trusted| trusted.issuer.as_str()).collect();
        names.extend(service_accounts.iter().map(|accounts| accounts.issuer.as_str()));
        // The tenant itself: else who trusts could be made to trust its own tokens as somebody else's.
        names.push(&tenant.issuer);
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() != all {
            return Err(Unusable::new("an issuer is trusted twice, or is the tenant itself"));
        }
        Ok(Self { service_accounts, issuers })
    }

    /// Whoever calls himself `issuer`, if that is somebody who is trusted.
    pub(crate) fn find(&self, issuer: &str) -> Option<Foreign<'_>> {
        let cluster = self.service_accounts().filter(|accounts| accounts.issuer == issuer);
        let trusted = || self.issuers.iter().find(|trusted| trusted.issuer == issuer);
        // A name that it has given up may be somebody else's, who is trusted by that name.
        let before = || self.service_accounts().filter(|accounts| accounts.was(issuer));
        cluster
            .map(Foreign::Cluster)
            .or_else(|| trusted().map(Foreign::Trusted))
            .or_else(|| before().map(Foreign::Cluster))
    }

    /// Whether `subject`, of a token of the tenant, is one of an issuer that is trusted.
    pub(crate) fn knows(&self, subject: &str) -> bool {
        let is_account = subject.starts_with(service_account::PREFIX);
        (is_account && self.service_accounts.is_some())
            || self.issuers.iter().any(|trusted| subject.starts_with(&trusted.subject_prefix))
    }

    /// The cluster's own issuer.
    pub(crate) fn service_accounts(&self) -> Option<&ServiceAccountIssuer> {
        self.service_accounts.as_ref()
    }
}

impl ServiceAccountIssuer {
    fn parse(document: &ServiceAccountIssuerDocument) -> Result<Self, Unusable> {
        let keys = key_source::declared(&document.jwks)?.remembering(REPEATED);
        Ok(Self { issuer: document.issuer.clone(), keys, previous: document.previous.clone() })
    }

    /// Whether `issuer` is its name, or was a while ago.
    pub(crate) fn is_called(&self, issuer: &str, now: Timestamp) -> bool {
        let before = self.previous.as_ref().is_some_and(|former| former.issuer == issuer && now < former.until);
        self.issuer == issuer || before
    }

    fn was(&self, issuer: &str) -> bool {
        self.previous.as_ref().is_some_and(|former| former.issuer == issuer)
    }
}

// === impl TrustedIssuer ===

impl TrustedIssuer {
    fn parse(document: &TrustedIssuerDocument) -> Result<Self, Unusable> {
        let keys = KeySource::parse(document.jwks.as_ref(), document.jwks_uri.as_deref())?;
        Ok(Self {
            issuer: document.issuer.clone(),
            keys,
            audiences: document.audiences.clone(),
            subject_prefix: document.subject_prefix.clone(),
            rules: document.subject_rules.iter().map(SubjectRule::parse).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a token with this `sub` and these claims is one of those that are trusted.
    pub(crate) fn trusts(&self, subject: &str, claims: &Map<String, Value>) -> bool {
        self.rules.iter().any(|rule| rule.fits(subject, claims))
    }
}

impl SubjectRule {
    fn parse(document: &SubjectRuleDocument) -> Result<Self, Unusable> {
        let pattern =
            |text: &str| text.parse::<TextPattern>().map_err(|_| Unusable::new("a subject rule is unreadable"));
        let claims = document.claims.iter().map(|(name, text)| Ok((name.clone(), pattern(text)?)));
        Ok(Self { subject: pattern(&document.subject)?, claims: claims.collect::<Result<_, _>>()? })
    }

    fn fits(&self, subject: &str, claims: &Map<String, Value>) -> bool {
        self.subject.fits(subject)
            && self.claims.iter().all(|(name, pattern)| claims.get(name).is_some_and(|value| is(value, pattern)))
    }
}

/// Text that fits, or a list of which one item does. Numbers and truth values count as they are written.
fn is(value: &Value, pattern: &TextPattern) -> bool {
    match value {
        Value::String(text) => pattern.fits(text),
        Value::Bool(_) | Value::Number(_) => pattern.fits(&value.to_string()),
        Value::Array(items) => items.iter().any(|item| !item.is_array() && is(item, pattern)),
        Value::Null | Value::Object(_) => false,
    }
}
