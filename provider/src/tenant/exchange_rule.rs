//! Which tokens a client may exchange, for what: parsed once, when its document is read.

use claviger_crds::published::{ActorToken, SubjectToken, TokenExchangeRuleDocument};
use claviger_crds::types::TextPattern;

use super::index::Unusable;

/// A rule of a client's `tokenExchange`.
#[derive(Debug)]
pub(crate) struct ExchangeRule {
    subject_tokens: Vec<SubjectToken>,
    trusted_issuers: Vec<String>,
    subjects: Vec<TextPattern>,
    /// APIs that it may get tokens for.
    pub(crate) audiences: Vec<String>,
    /// Whether an actor token comes with it.
    pub(crate) actor_token: ActorToken,
    actor_tokens: Vec<SubjectToken>,
}

impl ExchangeRule {
    pub(super) fn parse(document: &TokenExchangeRuleDocument) -> Result<Self, Unusable> {
        let pattern = |text: &String| text.parse().map_err(|_| Unusable::new("an exchange rule is unreadable"));
        Ok(Self {
            subject_tokens: document.subject_tokens.clone(),
            trusted_issuers: document.trusted_issuers.clone(),
            subjects: document.subjects.iter().map(pattern).collect::<Result<_, _>>()?,
            audiences: document.audiences.clone(),
            actor_token: document.actor_token,
            actor_tokens: document.actor_tokens.clone(),
        })
    }

    /// Whether it is about tokens of this kind, by this issuer, about this `sub`.
    pub(crate) fn takes(&self, kind: SubjectToken, issuer: &str, subject: &str) -> bool {
        let is_foreign = matches!(kind, SubjectToken::ServiceAccount | SubjectToken::TrustedIssuer);
        let about = !is_foreign || self.subjects.is_empty() || self.subjects.iter().any(|known| known.fits(subject));
        self.subject_tokens.contains(&kind) && self.is_of(kind, issuer) && about
    }

    /// Whether an actor may bring a token of this kind, by this issuer.
    pub(crate) fn takes_actor(&self, kind: SubjectToken, issuer: &str) -> bool {
        self.actor_tokens.contains(&kind) && self.is_of(kind, issuer)
    }

    fn is_of(&self, kind: SubjectToken, issuer: &str) -> bool {
        let known = || self.trusted_issuers.iter().any(|known| known == issuer);
        kind != SubjectToken::TrustedIssuer || self.trusted_issuers.is_empty() || known()
    }
}
