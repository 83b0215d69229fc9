//! Whether a client may exchange a token, and for which APIs: pure. Nothing may be unless three parties say so,
//! each in an object of its own (docs/decisions/0024): the client's `tokenExchange`, the API's
//! `resourceServer.tokenExchange`, and whoever the token is for.

use claviger_crds::published::{ActorToken, AudienceGrant, SubjectToken, TokenExchangeRuleDocument};

use super::subject::VerifiedSubject;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::token::actor::MayAct;
use crate::web::error::{ErrorCode, OAuthError};

/// The APIs that `requester` may get tokens for by bringing `subject`, in the order in which it declares them.
///
/// # Errors
/// `unauthorized_client` where no rule of the client's is about such a token.
pub(super) fn apis<'a>(
    requester: &'a Client,
    subject: &VerifiedSubject,
    has_actor: bool,
) -> Result<Vec<&'a AudienceGrant>, OAuthError> {
    let rules: Vec<&TokenExchangeRuleDocument> =
        requester.token_exchange.iter().filter(|rule| fits(rule, subject, has_actor)).collect();
    if rules.is_empty() {
        let description = "no rule of this client's tokenExchange allows such a token, or such an actor";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
    }
    let named = |api: &AudienceGrant| rules.iter().any(|rule| rule.audiences.contains(&api.audience));
    Ok(requester.audiences.iter().filter(|api| api.token_exchange && named(api)).collect())
}

fn fits(rule: &TokenExchangeRuleDocument, subject: &VerifiedSubject, has_actor: bool) -> bool {
    let of_issuer = subject.kind != SubjectToken::TrustedIssuer
        || rule.trusted_issuers.is_empty()
        || rule.trusted_issuers.contains(&subject.issuer);
    let with_actor = match rule.actor_token {
        ActorToken::Optional => true,
        ActorToken::Required => has_actor,
        ActorToken::Forbidden => !has_actor,
    };
    rule.subject_tokens.contains(&subject.kind) && of_issuer && with_actor
}

/// Whether `requester` may bring `token` at all, to have one for `target` made of it: it is for the requester, or
/// says that it may act, or whoever it is for allows it.
pub(super) fn may_bring(
    tenant: &TenantSnapshot,
    requester: &Client,
    token: &VerifiedSubject,
    target: &AudienceGrant,
) -> bool {
    token.for_requester
        || may_act_names(token, &tenant.issuer.url, &requester.id)
        || token.audience.as_ref().is_some_and(|audience| {
            // Of its own, for the API which lets it, a client may ask for less than it has.
            let is_own = token.issued_to.as_ref().is_some_and(|id| **id == *requester.id);
            (is_own && *audience == target.audience) || owner_allows(tenant, audience, requester)
        })
}

/// Whether `actor` may act for `subject` by the word of `requester`: it is for the requester, or is the requester
/// itself, and the subject's `may_act`, if there is one, names either.
pub(super) fn may_act(
    tenant: &TenantSnapshot,
    requester: &Client,
    subject: &VerifiedSubject,
    actor: &VerifiedSubject,
) -> bool {
    let issuer = &tenant.issuer.url;
    let is_requester = *actor.issuer == **issuer && *actor.sub == *requester.id;
    let allowed = subject.may_act.is_none()
        || may_act_names(subject, issuer, &requester.id)
        || may_act_names(subject, &actor.issuer, &actor.sub);
    (actor.for_requester || is_requester) && allowed
}

/// Whether the token's `may_act` names this subject of this issuer.
fn may_act_names(token: &VerifiedSubject, issuer: &str, subject: &str) -> bool {
    token.may_act.as_ref().is_some_and(|may: &MayAct| may.names(&token.issuer, issuer, subject))
}

/// Whether the client that tokens for `audience` are for lets `requester` bring them.
fn owner_allows(tenant: &TenantSnapshot, audience: &str, requester: &Client) -> bool {
    let id = tenant.apis.get(audience).map_or(audience, |id| id);
    let owner = tenant.clients.get(id);
    owner.is_some_and(|owner| owner.exchangeable_by.iter().any(|id| **id == *requester.id))
}
