//! What a client may exchange: raw → valid.

use super::TokenExchangeRuleSpec;
use crate::fault::Faults;
use crate::published::{ActorToken, SubjectToken};
use crate::types::{Audience, EndpointUri};

/// Which tokens a client may exchange, for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenExchangeRule {
    /// Kinds of tokens that it may bring.
    pub subject_tokens: Vec<SubjectToken>,
    /// Of [`SubjectToken::TrustedIssuer`]: whose; empty where all are meant.
    pub trusted_issuers: Vec<EndpointUri>,
    /// APIs that it may get tokens for.
    pub audiences: Vec<Audience>,
    /// Whether an actor token comes with it.
    pub actor_token: ActorToken,
}

/// `audiences` are those of the client.
pub(super) fn parse(
    specs: &[TokenExchangeRuleSpec],
    audiences: &[Audience],
    faults: &mut Faults,
) -> Vec<TokenExchangeRule> {
    let path = "spec.tokenExchange";
    faults.at_most(path, specs.len(), 20);
    let rules = specs.iter().enumerate().map(|(at, spec)| parse_one(&format!("{path}[{at}]"), spec, audiences, faults));
    rules.collect()
}

fn parse_one(
    path: &str,
    spec: &TokenExchangeRuleSpec,
    audiences: &[Audience],
    faults: &mut Faults,
) -> TokenExchangeRule {
    let TokenExchangeRuleSpec { subject_tokens, trusted_issuers, audiences: declared, actor_token } = spec;
    let place = format!("{path}.subjectTokens");
    faults.demand(!subject_tokens.is_empty(), &place, "must not be empty");
    for (at, kind) in subject_tokens.iter().enumerate() {
        faults.demand(!subject_tokens[..at].contains(kind), &format!("{place}[{at}]"), "must not be repeated");
    }
    let trusted_issuers = faults.parse_list(&format!("{path}.trustedIssuers"), trusted_issuers, 20);
    faults.demand(
        trusted_issuers.is_empty() || subject_tokens.contains(&SubjectToken::TrustedIssuer),
        &format!("{path}.trustedIssuers"),
        "trustedIssuers needs TrustedIssuer in subjectTokens",
    );
    let declared: Vec<Audience> = faults.parse_list(&format!("{path}.audiences"), declared, 50);
    for (at, audience) in declared.iter().enumerate() {
        let place = format!("{path}.audiences[{at}]");
        faults.demand(audiences.contains(audience), &place, "must be one of spec.audiences");
    }
    TokenExchangeRule {
        subject_tokens: subject_tokens.clone(),
        trusted_issuers,
        audiences: if declared.is_empty() { audiences.to_vec() } else { declared },
        actor_token: actor_token.unwrap_or_default(),
    }
}
