//! The refresh token grant (RFC 6749 §6), with rotation (RFC 9700 §4.14.2): each use yields a successor,
//! which is derived and never stored.
//!
//! The token is rotated first, which answers the grant in the same round trip, and then the grant is judged. A
//! rotation that is refused is taken back: bad input, and what a tenant may mend, lose nobody a login.

use claviger_jose::DerivedToken;

use super::audience;
use super::person::{self, PersonTokens};
use super::scope;
use crate::store::{Grant, Id, Rotated, Rotation, StoreError};
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
    let text = form.get("refresh_token");
    let text = text.ok_or(OAuthError::new(ErrorCode::InvalidRequest, "refresh_token is missing"))?;
    let token = DerivedToken::open(exchange.tenant.issuer.sealer()?, text)
        .ok_or_else(|| OAuthError::invalid_grant("nothing that this tenant sealed"))?;
    let asked = form.get("scope").map(scope::parse).transpose()?;
    let rotation = rotation(exchange, client, &token);
    let (grant, first) = commit(exchange, client, &rotation).await?;
    let judged = judge(exchange, client, form, asked.as_deref(), &grant);
    if judged.is_err() && first {
        take_back(exchange, rotation).await?;
    }
    judged
}

/// The use of `token`, now.
fn rotation(exchange: &Exchange<'_>, client: &AuthenticatedClient, token: &DerivedToken) -> Rotation {
    let (tenant, now, client) = (&exchange.tenant, exchange.provider.now(), client.client());
    // A client that did not get the answer may ask again with the same token. A public one would be
    // believed whoever it is.
    let grace = if client.is_public() { 0 } else { tenant.issuer.lifetimes.refresh_token_grace };
    Rotation {
        tenant: tenant.issuer.key.clone(),
        grant: Id::from_bytes(token.id),
        client: client.key.clone(),
        generation: token.generation,
        now,
        idle_expires_at: person::idle_end(client, tenant, now),
        tokens_expire_at: person::access_token_end(client, tenant, person::after(now, grace)),
        grace,
    }
}

/// Uses the token up, before anything is issued. The grant with its successor's generation, and whether this is the
/// first use.
async fn commit(
    exchange: &Exchange<'_>,
    client: &AuthenticatedClient,
    rotation: &Rotation,
) -> Result<(Grant, bool), OAuthError> {
    let rotated = exchange.provider.store().rotate_refresh(rotation).await;
    match rotated.map_err(|_| OAuthError::store_away())? {
        Rotated::Successor(grant) => Ok((grant, true)),
        Rotated::Again(grant) => Ok((grant, false)),
        Rotated::Reused(subject) => {
            exchange.audit().refresh_reused(client.client(), &subject);
            Err(OAuthError::invalid_grant("the token was used before: its grant is ended"))
        }
        Rotated::Lost => Err(OAuthError::invalid_grant("another request with this token was faster")),
        Rotated::Over => Err(OAuthError::invalid_grant("the grant is over")),
        Rotated::Unknown => Err(OAuthError::invalid_grant("there is no such grant of this client")),
    }
}

/// What `client` may have by `grant` now, of what it asks for.
fn judge<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
    asked: Option<&[&str]>,
    grant: &Grant,
) -> Result<PersonTokens<'a>, OAuthError> {
    let (tenant, itself) = (&exchange.tenant, client.client());
    let person = PersonGrant::of(grant).map_err(|_| OAuthError::invalid_grant("the grant is unreadable"))?;
    let person = person::still_granted(person, itself, &tenant.issuer)?;
    let user = person::user(tenant, &person.subject)?;
    audience::check_same(form, &person.audience)?;
    let narrowed = asked.map(|asked| narrow(asked, &person)).transpose()?;
    person::check_keys(&person.scopes, itself, &tenant.issuer)?;
    let refresh = Some(grant.generation);
    Ok(PersonTokens { client, user, grant: person, narrowed, refresh, moment: Moment::Refresh })
}

/// The scopes that are asked for, which must have been granted.
fn narrow(asked: &[&str], person: &PersonGrant) -> Result<Vec<String>, OAuthError> {
    if asked.iter().any(|scope| !person.has(scope)) {
        let description = "scope has more than was granted";
        return Err(OAuthError::new(ErrorCode::InvalidScope, description));
    }
    Ok(asked.iter().map(|scope| (*scope).to_owned()).collect())
}

/// In a task of its own: who hangs up on a refusal keeps the token too.
async fn take_back(exchange: &Exchange<'_>, rotation: Rotation) -> Result<(), OAuthError> {
    let store = exchange.provider.shared_store();
    let taken = tokio::spawn(async move { store.take_rotation_back(&rotation).await }).await;
    // Where it is not known whether the token counts, the client is not told that it does not.
    taken.unwrap_or(Err(StoreError::Unavailable)).map_err(|_| OAuthError::store_away())
}
