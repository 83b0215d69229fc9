//! What a client may exchange: raw → valid.

use super::{OAuthClientSpec, TokenExchangeRuleSpec};
use crate::fault::Faults;
use crate::published::{ActorToken, SubjectToken};
use crate::types::{Audience, EndpointUri, TextPattern};

/// Which tokens a client may exchange, for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenExchangeRule {
    /// Kinds of tokens that it may bring.
    pub subject_tokens: Vec<SubjectToken>,
    /// Of [`SubjectToken::TrustedIssuer`]: whose; empty where all are meant.
    pub trusted_issuers: Vec<EndpointUri>,
    /// Of others' tokens: what `sub` must be; empty where anybody is meant.
    pub subjects: Vec<TextPattern>,
    /// APIs that it may get tokens for.
    pub audiences: Vec<Audience>,
    /// Whether the rule names them; it is for all of the client's otherwise.
    pub names_audiences: bool,
    /// Whether an actor token comes with it.
    pub actor_token: ActorToken,
    /// Kinds of tokens that an actor may bring.
    pub actor_tokens: Vec<SubjectToken>,
    /// Of others' tokens: what `sub` of an actor must be; empty where anybody is meant.
    pub actors: Vec<TextPattern>,
}

/// `audiences` are those of the client.
pub(super) fn parse(client: &OAuthClientSpec, audiences: &[Audience], faults: &mut Faults) -> Vec<TokenExchangeRule> {
    let (specs, is_public) = (&client.token_exchange, client.authentication.none.is_some());
    let path = "spec.tokenExchange";
    faults.at_most(path, specs.len(), 20);
    let mut rules = Vec::with_capacity(specs.len());
    for (at, spec) in specs.iter().enumerate() {
        rules.push(parse_one(&format!("{path}[{at}]"), spec, audiences, is_public, faults));
    }
    rules
}

fn parse_one(
    path: &str,
    spec: &TokenExchangeRuleSpec,
    audiences: &[Audience],
    is_public: bool,
    faults: &mut Faults,
) -> TokenExchangeRule {
    let TokenExchangeRuleSpec {
        subject_tokens,
        trusted_issuers,
        subjects,
        audiences: declared,
        actor_token,
        actor_tokens,
        actors,
    } = spec;
    let place = format!("{path}.subjectTokens");
    faults.demand(!subject_tokens.is_empty(), &place, "must not be empty");
    for (at, kind) in subject_tokens.iter().enumerate() {
        faults.demand(!subject_tokens[..at].contains(kind), &format!("{place}[{at}]"), "must not be repeated");
    }
    let actor_tokens = parse_actor_tokens(&format!("{path}.actorTokens"), actor_tokens.as_deref(), faults);
    let trusted_issuers: Vec<EndpointUri> = faults.parse_list(&format!("{path}.trustedIssuers"), trusted_issuers, 20);
    faults.demand(
        trusted_issuers.is_empty() || [subject_tokens, &actor_tokens].iter().any(|kinds| kinds.contains(&TRUSTED)),
        &format!("{path}.trustedIssuers"),
        "trustedIssuers needs TrustedIssuer in subjectTokens or actorTokens",
    );
    let persons = Persons { path, issuers: &trusted_issuers };
    let subjects = persons.parse("subjects", subjects, subject_tokens, faults);
    let actors = persons.parse("actors", actors, &actor_tokens, faults);
    // A client that anybody may be must say whose tokens make him it.
    faults.demand(
        !is_public || !subjects.is_empty(),
        "spec",
        "tokenExchange needs subjects in each rule where authentication is none",
    );
    let declared: Vec<Audience> = faults.parse_list(&format!("{path}.audiences"), declared, 50);
    for (at, audience) in declared.iter().enumerate() {
        let place = format!("{path}.audiences[{at}]");
        faults.demand(audiences.contains(audience), &place, "must be one of spec.audiences");
    }
    TokenExchangeRule {
        subject_tokens: subject_tokens.clone(),
        trusted_issuers,
        names_audiences: !declared.is_empty(),
        audiences: if declared.is_empty() { audiences.to_vec() } else { declared },
        actor_token: actor_token.unwrap_or_default(),
        actor_tokens,
        actors,
        subjects,
    }
}

const TRUSTED: SubjectToken = SubjectToken::TrustedIssuer;

/// Who others' tokens must be about.
struct Persons<'a> {
    path: &'a str,
    issuers: &'a [EndpointUri],
}

impl Persons<'_> {
    /// The patterns in `field`, for tokens of `kinds`. A `sub` says who somebody is at one issuer only: whoever is
    /// trusted later, for another reason, may call anybody so.
    fn parse(&self, field: &str, patterns: &[String], kinds: &[SubjectToken], faults: &mut Faults) -> Vec<TextPattern> {
        let place = format!("{}.{field}", self.path);
        let patterns: Vec<TextPattern> = faults.parse_list(&place, patterns, 20);
        let is_trusted = !patterns.is_empty() && kinds.contains(&TRUSTED);
        faults.demand(
            !is_trusted || !self.issuers.is_empty(),
            &place,
            &format!("{field} of TrustedIssuer need trustedIssuers: any other issuer could call somebody so"),
        );
        faults.demand(
            !is_trusted || !kinds.contains(&SubjectToken::ServiceAccount),
            &place,
            &format!(
                "{field} of ServiceAccount and of TrustedIssuer need a rule each: another cluster calls its \
                 ServiceAccounts the same"
            ),
        );
        patterns
    }
}

fn parse_actor_tokens(path: &str, declared: Option<&[SubjectToken]>, faults: &mut Faults) -> Vec<SubjectToken> {
    let Some(declared) = declared else { return vec![SubjectToken::ServiceAccount] };
    for (at, kind) in declared.iter().enumerate() {
        faults.demand(!declared[..at].contains(kind), &format!("{path}[{at}]"), "must not be repeated");
    }
    faults.demand(!declared.contains(&SubjectToken::RefreshToken), path, "a refresh token says nothing of an actor");
    declared.to_vec()
}
