//! The refresh token grant (RFC 6749 §6), with rotation (RFC 9700 §4.14.2): each use yields a successor,
//! which is derived and never stored.

use claviger_jose::DerivedToken;

use super::audience;
use super::person::{self, PersonTokens};
use super::scope;
use crate::store::{Grant, Id, Rotated, Rotation};
use crate::token::id_token::Moment;
use crate::token::person::PersonGrant;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::form::Form;

/// Rotates the refresh token in `form` for `client`.
pub(crate) async fn rotate<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
) -> Result<PersonTokens<'a>, OAuthError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let itself = client.client();
    let text = form.get("refresh_token");
    let text = text.ok_or(OAuthError::new(ErrorCode::InvalidRequest, "refresh_token is missing"))?;
    let token = DerivedToken::open(tenant.issuer.sealer()?, text)
        .ok_or_else(|| OAuthError::invalid_grant("nothing that this tenant sealed"))?;
    let id = Id::from_bytes(token.id);
    let grant = provider.store().grant(&tenant.issuer.key, id, now).await.map_err(|_| OAuthError::store_away())?;
    let grant = grant.filter(|grant| grant.client == itself.key);
    let grant = grant.ok_or_else(|| OAuthError::invalid_grant("there is no such grant of this client"))?;
    let person = PersonGrant::of(&grant).map_err(|_| OAuthError::invalid_grant("the grant is unreadable"))?;
    let person = person::still_granted(person, itself, &tenant.issuer)?;
    let user = person::user(tenant, &person.subject)?;
    audience::check_same(form, &person.audience)?;
    let narrowed = narrow(form, &person)?;
    person::check_keys(&person.scopes, itself, &tenant.issuer)?;
    let generation = commit(exchange, client, &grant, token.generation).await?;
    Ok(PersonTokens { client, user, grant: person, narrowed, refresh: Some(generation), moment: Moment::Refresh })
}

/// The scopes asked for, which must have been granted; none where the request does not say.
fn narrow(form: &Form<'_>, person: &PersonGrant) -> Result<Option<Vec<String>>, OAuthError> {
    let Some(text) = form.get("scope") else { return Ok(None) };
    let asked = scope::parse(text)?;
    if asked.iter().any(|scope| !person.has(scope)) {
        let description = "scope has more than was granted";
        return Err(OAuthError::new(ErrorCode::InvalidScope, description));
    }
    Ok(Some(asked.into_iter().map(str::to_owned).collect()))
}

/// Uses the token up, before anything is issued. The generation of its successor.
async fn commit(
    exchange: &Exchange<'_>,
    client: &AuthenticatedClient,
    grant: &Grant,
    generation: u32,
) -> Result<u32, OAuthError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let window = person::refresh_window(client.client(), tenant, now, grant.refresh);
    // A client that did not get the answer may ask again with the same token. A public one would be
    // believed whoever it is.
    let grace = if client.client().is_public() { 0 } else { tenant.issuer.lifetimes.refresh_token_grace };
    let rotation = Rotation {
        tenant: tenant.issuer.key.clone(),
        grant: grant.id,
        client: client.client().key.clone(),
        generation,
        now,
        idle_expires_at: window.idle_expires_at,
        tokens_expire_at: person::access_token_end(client.client(), tenant, person::after(now, grace)),
        grace,
    };
    match provider.store().rotate_refresh(&rotation).await.map_err(|_| OAuthError::store_away())? {
        Rotated::Successor(generation) => Ok(generation),
        Rotated::Reused => {
            exchange.audit().refresh_reused(client.client(), &grant.subject);
            Err(OAuthError::invalid_grant("the token was used before: its grant is ended"))
        }
        Rotated::Lost => Err(OAuthError::invalid_grant("another request with this token was faster")),
        Rotated::Over => Err(OAuthError::invalid_grant("the grant is over")),
        Rotated::Unknown => Err(OAuthError::invalid_grant("there is no such grant of this client")),
    }
}
