//! What the grants of a person have in common: who may still have tokens, and for how long.

use std::sync::Arc;
use std::time::Duration;

use claviger_jose::{DerivedToken, left_half_hash};
use jiff::Timestamp;

use super::audience;
use super::{AccessGrant, Behind};
use crate::store::{Grant, RefreshWindow};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::{Issuer, TenantSnapshot};
use crate::tenant::user::User;
use crate::token::access_token;
use crate::token::id_token::{IdTokenGrant, IdTokenKey, Moment};
use crate::token::person::PersonGrant;
use crate::token::response::TokenResponse;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};

/// What tokens are issued for.
#[derive(Debug)]
pub(crate) struct PersonTokens<'a> {
    /// To whom.
    pub(crate) client: &'a AuthenticatedClient,
    /// About whom.
    pub(crate) user: Arc<User>,
    /// What was granted.
    pub(crate) grant: PersonGrant,
    /// The scopes of this access token, where a refresh asks for fewer.
    pub(crate) narrowed: Option<Vec<String>>,
    /// Generation of the refresh token, if there is to be one.
    pub(crate) refresh: Option<u32>,
    /// Whether these are the grant's first tokens.
    pub(crate) moment: Moment,
}

impl PersonTokens<'_> {
    /// Signs them.
    pub(crate) fn issue(&self, tenant: &TenantSnapshot, now: Timestamp) -> Result<TokenResponse, OAuthError> {
        let Self { client, user, grant, narrowed, refresh, moment } = self;
        let issuer = &tenant.issuer;
        let scopes = narrowed.as_ref().unwrap_or(&grant.scopes);
        let access_token = access_token::issue(
            AccessGrant {
                client,
                subject: &grant.subject,
                audience: &grant.audience,
                scope: scopes.join(" "),
                behind: Behind::Person(grant),
            },
            issuer,
            now,
        )?;
        let id_token = if scopes.iter().any(|scope| scope == "openid") {
            let key = IdTokenKey::of(issuer, client.client())?;
            let at_hash = left_half_hash(key.algorithm(), &access_token.token);
            let facts = IdTokenGrant { person: grant, user, scopes, at_hash: &at_hash, moment: *moment };
            Some(key.issue(&facts, now)?)
        } else {
            None
        };
        let refresh_token = match refresh {
            Some(generation) => Some(self::refresh_token(tenant, grant, *generation)?),
            None => None,
        };
        Ok(TokenResponse::new(access_token).with_refresh_token(refresh_token).with_id_token(id_token))
    }
}

/// The refresh token of this generation: derived, so that whoever asks twice gets the same.
fn refresh_token(tenant: &TenantSnapshot, grant: &PersonGrant, generation: u32) -> Result<String, OAuthError> {
    let sealer = tenant.issuer.sealer()?;
    let token = DerivedToken { id: *grant.id.as_bytes(), generation };
    token.issue(sealer).map_err(|_| OAuthError::new(ErrorCode::ServerError, "an internal error"))
}

/// Whose grant this is, while the account may have tokens and the login counts.
pub(super) fn user(tenant: &TenantSnapshot, grant: &PersonGrant, now: Timestamp) -> Result<Arc<User>, OAuthError> {
    let user = tenant.users.live_since(&grant.subject, grant.authenticated_at.as_second(), now);
    user.map(Arc::clone).ok_or_else(|| {
        OAuthError::invalid_grant("the account is gone or disabled, or the login is older than its sessionsNotBefore")
    })
}

/// Whether the grant is of a login that counts no more, though the account may have tokens.
pub(super) fn is_login_over(tenant: &TenantSnapshot, grant: &Grant, now: Timestamp) -> bool {
    let user = tenant.users.live(&grant.subject);
    user.zip(PersonGrant::of(grant).ok())
        .is_some_and(|(user, person)| !user.counts(person.authenticated_at.as_second(), now.as_second()))
}

/// What the client may have of `grant` now. Scopes and audiences can be withdrawn while a grant lives,
/// which may be months: what is not granted any more is not served.
pub(crate) fn still_granted(grant: PersonGrant, client: &Client, issuer: &Issuer) -> Result<PersonGrant, OAuthError> {
    let mut grant = grant;
    if !audience::reaches(client, issuer, &grant.audience) {
        return Err(OAuthError::invalid_grant("the audience was withdrawn from the client"));
    }
    grant.scopes.retain(|scope| audience::is_granted_at(client, &grant.audience, scope));
    if grant.scopes.is_empty() {
        return Err(OAuthError::invalid_grant("all scopes were withdrawn from the client"));
    }
    Ok(grant)
}

/// The keys are there that the tokens of a grant of `scopes` need: else a login, a code or a refresh token would be
/// used up for nothing.
pub(crate) fn check_keys(scopes: &[String], client: &Client, issuer: &Issuer) -> Result<(), OAuthError> {
    access_token::signing(issuer)?;
    if scopes.iter().any(|scope| scope == "openid") {
        IdTokenKey::of(issuer, client)?;
    }
    Ok(())
}

/// Until when the refresh tokens of a grant count that begins `now`.
pub(super) fn refresh_window(client: &Client, tenant: &TenantSnapshot, now: Timestamp) -> RefreshWindow {
    let absolute = client.lifetimes.refresh_token.unwrap_or(tenant.issuer.lifetimes.refresh_token);
    let expires_at = after(now, absolute);
    RefreshWindow { expires_at, idle_expires_at: idle_end(client, tenant, now).min(expires_at) }
}

/// Until when a refresh token that is made `now` counts, unless it is used.
pub(super) fn idle_end(client: &Client, tenant: &TenantSnapshot, now: Timestamp) -> Timestamp {
    after(now, client.lifetimes.refresh_token_idle.unwrap_or(tenant.issuer.lifetimes.refresh_token_idle))
}

/// When the longest-lived token of a grant that begins `now` is over: where there is no refresh token,
/// the grant's row is of use as long as its session may end, for its client is told of that.
pub(super) fn access_token_end(client: &Client, tenant: &TenantSnapshot, now: Timestamp) -> Timestamp {
    let lifetimes = &tenant.issuer.lifetimes;
    let access = client.lifetimes.access_token.unwrap_or(lifetimes.access_token);
    // An ID token leads to the row too, where it is exchanged.
    let token = access.max(client.lifetimes.id_token.unwrap_or(lifetimes.id_token));
    let told = client.backchannel_logout.is_some() || client.frontchannel_logout.is_some();
    after(now, if told { token.max(lifetimes.session) } else { token })
}

/// So many seconds after `now`.
pub(super) fn after(now: Timestamp, seconds: u32) -> Timestamp {
    now.saturating_add(Duration::from_secs(seconds.into())).unwrap_or(now)
}
