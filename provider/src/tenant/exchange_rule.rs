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
    actors: Vec<TextPattern>,
}

impl ExchangeRule {
    pub(super) fn parse(document: &TokenExchangeRuleDocument) -> Result<Self, Unusable> {
        let patterns = |texts: &[String]| -> Result<Vec<TextPattern>, Unusable> {
            let parsed = texts.iter().map(|text| text.parse());
            parsed.collect::<Result<_, _>>().map_err(|_| Unusable::new("an exchange rule is unreadable"))
        };
        Ok(Self {
            subject_tokens: document.subject_tokens.clone(),
            trusted_issuers: document.trusted_issuers.clone(),
            subjects: patterns(&document.subjects)?,
            audiences: document.audiences.clone(),
            actor_token: document.actor_token,
            actor_tokens: document.actor_tokens.clone(),
            actors: patterns(&document.actors)?,
        })
    }

    /// Whether it is about tokens of this kind, by this issuer, about this `sub`.
    pub(crate) fn takes(&self, kind: SubjectToken, issuer: &str, subject: &str) -> bool {
        self.subject_tokens.contains(&kind) && self.is_of(kind, issuer) && is_among(&self.subjects, kind, subject)
    }

    /// Whether somebody may act who brings a token of this kind, by this issuer, about this `sub`.
    pub(crate) fn takes_actor(&self, kind: SubjectToken, issuer: &str, subject: &str) -> bool {
        self.actor_tokens.contains(&kind) && self.is_of(kind, issuer) && is_among(&self.actors, kind, subject)
    }

    fn is_of(&self, kind: SubjectToken, issuer: &str) -> bool {
        let known = || self.trusted_issuers.iter().any(|known| known == issuer);
        kind != SubjectToken::TrustedIssuer || self.trusted_issuers.is_empty() || known()
    }
}

/// Whether `subject` is one of whom `patterns` name; they are about others' tokens alone, and none is everybody.
fn is_among(patterns: &[TextPattern], kind: SubjectToken, subject: &str) -> bool {
    let is_foreign = matches!(kind, SubjectToken::ServiceAccount | SubjectToken::TrustedIssuer);
    !is_foreign || patterns.is_empty() || patterns.iter().any(|known| known.fits(subject))
}
