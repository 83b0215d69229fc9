//! Token exchange (RFC 8693): a client brings a token that is about somebody and gets one for another API, as that
//! somebody (impersonation) or, with an actor token, on behalf of that somebody (delegation).
//!
//! Nothing is written. What is exchanged never lives longer and never has more scope than what was brought, and
//! ends with the grant of a person that it leads back to.

mod foreign;
mod own;
mod policy;
mod subject;
mod target;
mod token_type;

use self::token_type::TokenTypeUri;
use super::audience::{self, Asked};
use super::{AccessGrant, Behind, scope};
use crate::tenant::oauth_client::Client;
use crate::token::actor::Actor;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::form::Form;

use self::policy::Brought;
use self::subject::VerifiedSubject;
pub(crate) use self::subject::{PersonFacts, Refused};

/// What an exchange grants.
#[derive(Debug)]
pub(crate) struct ExchangedGrant<'a> {
    /// To whom.
    pub(crate) client: &'a AuthenticatedClient,
    /// About whom.
    pub(crate) subject: String,
    /// `aud`
    pub(crate) audience: &'a str,
    /// `scope`
    scope: String,
    /// What the token says besides.
    pub(crate) facts: ExchangedFacts,
    /// `issued_token_type` (RFC 8693 §2.2.1).
    pub(crate) issued_token_type: Option<&'static str>,
}

/// What a token by an exchange says beside subject, audience and scope.
#[derive(Debug)]
pub(crate) struct ExchangedFacts {
    /// Set where its subject is a person.
    pub(crate) person: Option<PersonFacts>,
    /// Who acts.
    pub(crate) act: Option<Actor>,
    /// It does not live longer, seconds since 1970.
    pub(crate) expires_at: i64,
}

impl<'a> ExchangedGrant<'a> {
    /// What its access token may say.
    pub(crate) fn access(&'a self) -> AccessGrant<'a> {
        AccessGrant {
            client: self.client,
            subject: &self.subject,
            audience: self.audience,
            scope: self.scope.clone(),
            behind: Behind::Exchange(&self.facts),
        }
    }
}

/// 1. What is asked. 2. The subject. 3. The actor. 4. What `client` may have of that.
pub(crate) async fn exchange<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
) -> Result<ExchangedGrant<'a>, OAuthError> {
    let issued = token_type::requested(form)?;
    let (text, kind) = token_type::required(form, "subject_token")?;
    let actor = token_type::optional(form, "actor_token")?;
    let asked = asked(form)?;
    let requester = client.client();
    let subject = verify(exchange, requester, text, kind).await;
    let subject = subject.and_then(|subject| Brought::by(requester, &exchange.tenant, subject));
    let subject = subject.map_err(|refused| refused.of_exchange("subject_token"))?;
    let actor = match actor {
        None => None,
        Some((_, TokenTypeUri::RefreshToken)) => {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "a refresh token says nothing of an actor"));
        }
        Some((text, kind)) => {
            let actor = verify(exchange, requester, text, kind).await;
            Some(actor.map_err(|refused| refused.of_exchange("actor_token"))?)
        }
    };
    let granted = decide(exchange, client, ("subject_token", subject), actor, &asked)?;
    Ok(ExchangedGrant { issued_token_type: Some(issued), ..granted })
}

/// The token in the field `text`, which is said to be a `kind`.
async fn verify(
    exchange: &Exchange<'_>,
    requester: &Client,
    text: &str,
    kind: TokenTypeUri,
) -> Result<VerifiedSubject, Refused> {
    let (token, issuer) = match kind {
        TokenTypeUri::RefreshToken => return own::refresh_token(exchange, requester, text).await,
        TokenTypeUri::AccessToken => return own::access_token(exchange, requester, text).await,
        TokenTypeUri::IdToken | TokenTypeUri::Jwt => foreign::read(text)?,
    };
    match exchange.tenant.issuer.trust.find(&issuer) {
        Some(issuer) => foreign::token(exchange, requester, issuer, &token).await,
        None if kind == TokenTypeUri::IdToken => own::id_token(exchange, requester, text).await,
        None => own::access_token(exchange, requester, text).await,
    }
}

/// A foreign token that is brought as an assertion (RFC 7523 §2.1).
pub(super) async fn assertion(exchange: &Exchange<'_>, requester: &Client, text: &str) -> Result<Brought, Refused> {
    let (token, issuer) = foreign::read(text)?;
    let issuer = exchange.tenant.issuer.trust.find(&issuer);
    let issuer = issuer.ok_or(Refused::Invalid("the tenant does not trust its issuer"))?;
    let subject = foreign::token(exchange, requester, issuer, &token).await?;
    // A client may be anybody here: what is for an API could be brought by whoever it was sent to.
    if !subject.for_tenant {
        return Err(Refused::Invalid("it is not for this tenant (RFC 7523 section 3)"));
    }
    Brought::by(requester, &exchange.tenant, subject)
}

/// What `form` asks a token for.
pub(super) fn asked<'f>(form: &'f Form<'_>) -> Result<Asked<'f>, OAuthError> {
    Ok(Asked { targets: audience::targets(form).collect(), scopes: form.get("scope").map(scope::parse).transpose()? })
}

/// What `client` gets for tokens that are verified, with the policy of all whom it concerns. The subject came in
/// `field`.
pub(super) fn decide<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    (field, subject): (&str, Brought),
    actor: Option<VerifiedSubject>,
    asked: &Asked<'_>,
) -> Result<ExchangedGrant<'a>, OAuthError> {
    let (tenant, requester) = (&*exchange.tenant, client.client());
    let Brought(subject) = subject;
    if !policy::may_act(tenant, requester, &subject, actor.as_ref()) {
        let detail = "the actor is not this client's, or the subject's may_act names another";
        return Err(Refused::Invalid(detail).of_exchange(if actor.is_some() { "actor_token" } else { field }));
    }
    let apis = policy::apis(tenant, requester, &subject, actor.as_ref())?;
    let api = target::api(&apis, asked)?;
    let scope = target::scope(requester, api, &subject, asked)?;
    let mut expires_at = subject.expires_at;
    let act = match actor {
        None => subject.act,
        // Whom that one acts for would be forgotten.
        Some(actor) if actor.act.is_some() => {
            return Err(Refused::Invalid("the actor acts for somebody itself").of_exchange("actor_token"));
        }
        Some(actor) => {
            expires_at = expires_at.min(actor.expires_at);
            let act = Actor::after(subject.act, actor.subject);
            Some(act.ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "too many act for one another"))?)
        }
    };
    if expires_at <= exchange.provider.now().as_second() {
        return Err(Refused::Invalid("it is over").of_exchange(field));
    }
    let facts = ExchangedFacts { person: subject.person, act, expires_at };
    Ok(ExchangedGrant {
        client,
        subject: subject.subject,
        audience: &api.audience,
        scope,
        facts,
        issued_token_type: None,
    })
}
