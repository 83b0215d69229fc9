//! The authorization code grant (RFC 6749 §4.1.3): what a person let a client have, once.
//!
//! Everything is checked before the code is used up: a request that fails neither consumes nor revokes,
//! so that nobody can spoil a code that he cannot redeem. It is used up before anything is issued: of
//! two requests with one code, one gets tokens.

use claviger_jose::CodeVerifier;
use jiff::Timestamp;

use super::audience;
use super::person::{self, PersonTokens};
use crate::handle::NoHandle;
use crate::store::{NewGrant, Redeemed, RefreshWindow};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::token::code::Code;
use crate::token::id_token::Moment;
use crate::token::person::PersonGrant;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::form::Form;

/// Redeems the code in `form` for `client`.
pub(crate) async fn redeem<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
) -> Result<PersonTokens<'a>, OAuthError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let itself = client.client();
    let text = form.get("code").ok_or(OAuthError::new(ErrorCode::InvalidRequest, "code is missing"))?;
    let mut code = Code::open(text, provider, tenant).await.map_err(|none| match none {
        NoHandle::Unknown => OAuthError::invalid_grant("the code is nothing that this tenant sealed"),
        NoHandle::NoKey(none) => none.into(),
        NoHandle::Store(_) => OAuthError::store_away(),
    })?;
    check(&code, itself, form, now)?;
    audience::check_same(form, &code.grant.audience)?;
    code.grant = person::still_granted(code.grant, itself, &tenant.issuer)?;
    let user = person::user(tenant, &code.grant, now)?;
    person::check_keys(&code.grant.scopes, itself, &tenant.issuer)?;
    let new = new_grant(&code, itself, tenant, now)?;
    match provider.store().redeem_code(&new).await.map_err(|_| OAuthError::store_away())? {
        Redeemed::First => {}
        Redeemed::Again => {
            exchange.audit().code_replayed(itself, &code.grant.subject);
            return Err(OAuthError::invalid_grant("the code was redeemed before; its grant is ended"));
        }
        Redeemed::SessionOver => return Err(OAuthError::invalid_grant("the session that it came from is over")),
    }
    Ok(PersonTokens {
        client,
        user,
        grant: code.grant,
        narrowed: None,
        refresh: new.refresh.map(|_| 0),
        moment: Moment::Redemption,
    })
}

/// 1. The client. 2. The time. 3. The redirect URI. 4. PKCE.
fn check(code: &Code, client: &Client, form: &Form<'_>, now: Timestamp) -> Result<(), OAuthError> {
    if code.client != client.key {
        return Err(OAuthError::invalid_grant("the code was given to another client"));
    }
    if now >= code.expires_at {
        return Err(OAuthError::invalid_grant("the code is expired"));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(OAuthError::invalid_grant("redirect_uri is not that of the authorization request"));
    }
    match (&code.challenge, form.get("code_verifier")) {
        (None, None) => Ok(()),
        // RFC 9700 §4.8.2: somebody took the challenge out of the authorization request.
        (None, Some(_)) => {
            Err(OAuthError::invalid_grant("code_verifier without a challenge in the authorization request"))
        }
        (Some(_), None) => Err(OAuthError::invalid_grant("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let verifier =
                CodeVerifier::parse(verifier).map_err(|_| OAuthError::invalid_grant("code_verifier is malformed"))?;
            if challenge.matches(&verifier) {
                Ok(())
            } else {
                Err(OAuthError::invalid_grant("code_verifier is another's"))
            }
        }
    }
}

/// The grant that the code begins.
fn new_grant(code: &Code, client: &Client, tenant: &TenantSnapshot, now: Timestamp) -> Result<NewGrant, OAuthError> {
    let PersonGrant { id, subject, session, .. } = &code.grant;
    let refresh = client.grant_types.refresh_token.then(|| person::refresh_window(client, tenant, now));
    let longest = person::access_token_end(client, tenant, now);
    Ok(NewGrant {
        id: *id,
        tenant: tenant.issuer.key.clone(),
        client: client.key.clone(),
        subject: subject.clone(),
        session: *session,
        offline: code.grant.has("offline_access"),
        payload: code.grant.to_payload().map_err(|_| OAuthError::invalid_grant("the grant is too large"))?,
        created_at: now,
        refresh,
        // While the session lives, its end is told to this client. And while the code does, only the row
        // tells that it was redeemed.
        expires_at: refresh
            .map_or(longest, |window: RefreshWindow| window.expires_at)
            .max(longest)
            .max(code.expires_at),
    })
}
