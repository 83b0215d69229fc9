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
        self.is_about(&self.subject_tokens, &self.subjects, (kind, issuer, subject))
    }

    /// Whether somebody may act who brings a token of this kind, by this issuer, about this `sub`.
    pub(crate) fn takes_actor(&self, kind: SubjectToken, issuer: &str, subject: &str) -> bool {
        self.is_about(&self.actor_tokens, &self.actors, (kind, issuer, subject))
    }

    /// Patterns are about others' tokens alone, and none is everybody. Those of a trusted issuer's `sub` say whose it is:
    /// a document of before, when they need not, says it of nobody.
    fn is_about(
        &self,
        kinds: &[SubjectToken],
        patterns: &[TextPattern],
        (kind, issuer, subject): (SubjectToken, &str, &str),
    ) -> bool {
        let fits = || patterns.is_empty() || patterns.iter().any(|known| known.fits(subject));
        kinds.contains(&kind)
            && match kind {
                SubjectToken::TrustedIssuer => {
                    let is_told = !self.trusted_issuers.is_empty() && !kinds.contains(&SubjectToken::ServiceAccount);
                    self.is_of(issuer) && (patterns.is_empty() || is_told) && fits()
                }
                SubjectToken::ServiceAccount => fits(),
                SubjectToken::AccessToken | SubjectToken::IdToken | SubjectToken::RefreshToken => true,
            }
    }

    fn is_of(&self, issuer: &str) -> bool {
        self.trusted_issuers.is_empty() || self.trusted_issuers.iter().any(|known| known == issuer)
    }
}
