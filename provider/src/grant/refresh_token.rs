//! The refresh token grant (RFC 6749 §6), with rotation (RFC 9700 §4.14.2): each use yields a successor,
//! which is derived and never stored.
//!
//! A request that asks for no more than its grant has is judged by what the rotation answers: one round trip. If the
//! tenant has taken away what was granted, the rotation is taken back: who is given it again goes on. But a grant whose
//! login counts no more (`sessionsNotBefore`) ends with its use, and nobody gives that back. What a request asks for itself (`scope`, `resource`, `audience`) is judged before. Else whoever has stolen a token could have
//! its rotations taken back at will, and its use would never be noticed.

use claviger_jose::DerivedToken;

use super::audience;
use super::person::{self, PersonTokens};
use super::scope;
use crate::store::{Grant, GrantLookup, Id, Rotated, Rotation, StoreError};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;
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
    let rotation = rotation(exchange, client, &token);
    if form.get("scope").is_some() || audience::targets(form).next().is_some() {
        return judged_before(exchange, client, form, &rotation).await;
    }
    let (grant, first) = commit(exchange, client, &rotation).await?;
    let judged = judge(exchange, client, &grant);
    if judged.is_err() && !end_if_over(exchange, &rotation, &grant).await? && first {
        take_back(exchange, rotation).await?;
    }
    judged
}

/// A refusal changes nothing, but for the grant of a login that counts no more.
async fn judged_before<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
    rotation: &Rotation,
) -> Result<PersonTokens<'a>, OAuthError> {
    let Rotation { tenant, grant, offline_access, now, .. } = rotation;
    let lookup = GrantLookup { tenant, grant: *grant, offline_access: *offline_access, now: *now };
    let grant = exchange.provider.store().grant(lookup).await;
    let grant = grant.map_err(|_| OAuthError::store_away())?.filter(|grant| grant.client == rotation.client);
    let grant = grant.ok_or_else(unknown)?;
    let judged = judge(exchange, client, &grant);
    if judged.is_err() {
        end_if_over(exchange, rotation, &grant).await?;
    }
    let mut tokens = judged?;
    audience::check_same(form, &tokens.grant.audience)?;
    tokens.narrowed = narrow(form, &tokens.grant)?;
    let (grant, _) = commit(exchange, client, rotation).await?;
    tokens.refresh = Some(grant.generation);
    Ok(tokens)
}

/// For so many seconds a client that did not get the answer may ask again with the same token. A public one would be
/// believed whoever it is.
pub(super) fn grace(client: &Client, issuer: &Issuer) -> u32 {
    if client.is_public() { 0 } else { issuer.lifetimes.refresh_token_grace }
}

/// The use of `token`, now.
fn rotation(exchange: &Exchange<'_>, client: &AuthenticatedClient, token: &DerivedToken) -> Rotation {
    let (tenant, now, client) = (&exchange.tenant, exchange.provider.now(), client.client());
    let grace = grace(client, &tenant.issuer);
    Rotation {
        tenant: tenant.issuer.key.clone(),
        grant: Id::from_bytes(token.id),
        client: client.key.clone(),
        generation: token.generation,
        offline_access: client.has_offline_access(),
        now,
        idle_expires_at: person::idle_end(client, tenant, now),
        session_idle_expires_at: person::after(now, tenant.issuer.lifetimes.session_idle),
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
        Rotated::Unknown => Err(unknown()),
    }
}

fn unknown() -> OAuthError {
    OAuthError::invalid_grant("there is no such grant of this client")
}

/// What `client` may have by `grant` now.
fn judge<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    grant: &Grant,
) -> Result<PersonTokens<'a>, OAuthError> {
    let (tenant, itself) = (&exchange.tenant, client.client());
    let person = PersonGrant::of(grant).map_err(|_| OAuthError::invalid_grant("the grant is unreadable"))?;
    let person = person::still_granted(person, itself, &tenant.issuer)?;
    let user = person::user(tenant, &person, exchange.provider.now())?;
    person::check_keys(&person.scopes, itself, &tenant.issuer)?;
    let refresh = Some(grant.generation);
    Ok(PersonTokens { client, user, grant: person, narrowed: None, refresh, moment: Moment::Refresh })
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

/// Ends the grant if its login counts no more: whoever has such a token must not have it again when the account's
/// `sessionsNotBefore` is taken away. Whether it did.
async fn end_if_over(exchange: &Exchange<'_>, rotation: &Rotation, grant: &Grant) -> Result<bool, OAuthError> {
    let is_over = person::is_login_over(&exchange.tenant, grant, rotation.now);
    if is_over {
        let ended = exchange.provider.store().end_grant(&rotation.tenant, rotation.grant, rotation.now).await;
        ended.map_err(|_| OAuthError::store_away())?;
    }
    Ok(is_over)
}

/// In a task of its own: who hangs up on a refusal keeps the token too. Whether it counts is not known where the
/// store is away now, so that the client is told to come again.
async fn take_back(exchange: &Exchange<'_>, rotation: Rotation) -> Result<(), OAuthError> {
    let store = exchange.provider.shared_store();
    let taken = tokio::spawn(async move { store.take_rotation_back(&rotation).await }).await;
    taken.unwrap_or(Err(StoreError::Unavailable)).map_err(|_| OAuthError::store_away())
}
