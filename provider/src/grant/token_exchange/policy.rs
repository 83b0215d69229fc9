//! Whether a client may exchange a token, and for which APIs: pure. Nothing may be unless three parties say so,
//! each in an object of its own (docs/decisions/0024): the client's `tokenExchange`, the API's
//! `resourceServer.tokenExchange`, and whoever the token is for.

use claviger_crds::published::{ActorToken, AudienceGrant, SubjectToken};

use super::subject::{Refused, VerifiedSubject};
use crate::tenant::exchange_rule::ExchangeRule;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::web::error::{ErrorCode, OAuthError};

/// A subject that its requester may bring.
#[derive(Debug)]
pub(crate) struct Brought(pub(super) VerifiedSubject);

impl Brought {
    /// `token`, if `requester` may bring it at all: it is for the requester, or was issued to it, or names it in
    /// `may_act`, or whoever it is for allows it. This is asked before anything is told that depends on the token, and
    /// whoever may not is told what he would be told of one that is over: else anybody could try out whether a token
    /// that he found still lives.
    pub(super) fn by(requester: &Client, tenant: &TenantSnapshot, token: VerifiedSubject) -> Result<Self, Refused> {
        let may = token.for_requester
            || is_issued_to(requester, &token)
            || may_act_names(&token, &tenant.issuer.url, &requester.id)
            || owner_allows(tenant, requester, &token);
        let refused =
            Refused::Invalid("it is not for this client, has no such may_act, and its audience does not allow it");
        if may { Ok(Self(token)) } else { Err(refused) }
    }
}

/// The APIs that `requester` may get tokens for by bringing `subject`, in the order in which it declares them.
///
/// # Errors
/// `unauthorized_client` where no rule of the client's is about such a token.
pub(super) fn apis<'a>(
    tenant: &TenantSnapshot,
    requester: &'a Client,
    subject: &VerifiedSubject,
    actor: Option<&VerifiedSubject>,
) -> Result<Vec<&'a AudienceGrant>, OAuthError> {
    let fits = |rule: &&ExchangeRule| fits(rule, tenant, requester, subject, actor);
    let rules: Vec<&ExchangeRule> = requester.token_exchange.iter().filter(fits).collect();
    if rules.is_empty() {
        let description = "no rule of this client's tokenExchange allows such a token, or such an actor";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
    }
    let named = |api: &AudienceGrant| rules.iter().any(|rule| rule.audiences.contains(&api.audience));
    // What was issued to the requester and is for nobody who lets it, is exchanged for the same API alone: so a
    // client asks for less than it has.
    let is_own =
        !subject.for_requester && is_issued_to(requester, subject) && !owner_allows(tenant, requester, subject);
    let within = |api: &AudienceGrant| {
        let consented = subject.consented.as_ref().is_none_or(|consented| *consented == api.audience);
        consented && (!is_own || subject.audience.as_ref() == Some(&api.audience))
    };
    Ok(requester.audiences.iter().filter(|api| api.token_exchange && named(api) && within(api)).collect())
}

fn fits(
    rule: &ExchangeRule,
    tenant: &TenantSnapshot,
    requester: &Client,
    subject: &VerifiedSubject,
    actor: Option<&VerifiedSubject>,
) -> bool {
    let with_actor = match (rule.actor_token, actor) {
        (ActorToken::Required, None) | (ActorToken::Forbidden, Some(_)) => false,
        (ActorToken::Optional | ActorToken::Forbidden, None) => true,
        (ActorToken::Optional | ActorToken::Required, Some(actor)) => {
            is_itself(tenant, requester, actor) || rule.takes_actor(actor.kind, &actor.issuer, &actor.sub)
        }
    };
    rule.takes(subject.kind, &subject.issuer, &subject.sub) && with_actor
}

/// Whether whoever acts may act for `subject`: nobody else but the requester where there is no actor. An actor is
/// the requester itself, or brought a token that is for the requester; the subject's `may_act`, if there is one,
/// names the requester or the actor.
pub(super) fn may_act(
    tenant: &TenantSnapshot,
    requester: &Client,
    subject: &VerifiedSubject,
    actor: Option<&VerifiedSubject>,
) -> bool {
    let brought = actor.is_none_or(|actor| actor.for_requester || is_itself(tenant, requester, actor));
    let named = subject.may_act.is_none()
        || may_act_names(subject, &tenant.issuer.url, &requester.id)
        || actor.is_some_and(|actor| may_act_names(subject, &actor.issuer, &actor.sub));
    brought && named
}

/// Whether the token is about the requester: one that it got for itself.
fn is_itself(tenant: &TenantSnapshot, requester: &Client, token: &VerifiedSubject) -> bool {
    token.kind == SubjectToken::AccessToken && *token.issuer == *tenant.issuer.url && *token.sub == *requester.id
}

fn is_issued_to(requester: &Client, token: &VerifiedSubject) -> bool {
    token.issued_to.as_ref().is_some_and(|id| **id == *requester.id)
}

/// Whether the token's `may_act` names this subject of this issuer.
fn may_act_names(token: &VerifiedSubject, issuer: &str, subject: &str) -> bool {
    token.may_act.as_ref().is_some_and(|may| may.names(&token.issuer, issuer, subject))
}

/// Whether the client that the token is for lets `requester` bring it: of an ID token the client of that ID, of an
/// access token the one that is that API.
fn owner_allows(tenant: &TenantSnapshot, requester: &Client, token: &VerifiedSubject) -> bool {
    let Some(audience) = &token.audience else { return false };
    let owner = match token.kind {
        SubjectToken::IdToken => tenant.clients.get(audience),
        _ => tenant.apis.get(audience).and_then(|id| tenant.clients.get(id)),
    };
    owner.is_some_and(|owner| owner.exchangeable_by.iter().any(|id| **id == *requester.id))
}
