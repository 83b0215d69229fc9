//! The tenant's own tokens, brought to be exchanged: verified, and looked up as introspection looks them up.

use std::time::Duration;

use claviger_crds::published::{ConsentPolicy, SubjectToken};
use claviger_jose::{DerivedToken, TokenType};
use serde::Deserialize;

use super::subject::{PersonFacts, Refused, VerifiedSubject};
use crate::grant::{audience, person, refresh_token};
use crate::metrics::Returned;
use crate::store::{Grant, GrantLookup, Id, Presented, TokenLookup};
use crate::tenant::oauth_client::Client;
use crate::token::jti::{self, Origin};
use crate::token::live;
use crate::token::person::PersonGrant;
use crate::token::verify;
use crate::web::error::OAuthError;
use crate::web::exchange::Exchange;

/// What another pod's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

/// What a token of ours says of a login.
#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    auth_time: Option<i64>,
    #[serde(default)]
    acr: Option<String>,
    #[serde(default)]
    sid: Option<String>,
}

#[derive(Deserialize)]
struct IdClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    #[serde(default)]
    jti: Option<String>,
    /// An access token has one, and so is no ID token.
    #[serde(default)]
    client_id: Option<String>,
}

impl Facts {
    /// Of a person's token, which leads to `grant`.
    fn of(self, grant: Id) -> PersonFacts {
        PersonFacts { grant, authenticated_at: self.auth_time, acr: self.acr, session: self.sid }
    }
}

/// An access token of this tenant, by the one for whom it is: its `aud`.
pub(super) async fn access_token(
    exchange: &Exchange<'_>,
    requester: &Client,
    text: &str,
) -> Result<VerifiedSubject, Refused> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let token = verify::access_token(text, &tenant.issuer, now);
    let token = token.ok_or(Refused::Invalid("the access token is not the tenant's, or is over"))?;
    let live = live::access_token(exchange, &token).await.map_err(|_| OAuthError::store_away())?;
    let live = live.ok_or(Refused::Invalid("the access token was revoked, or its grant is over"))?;
    let facts: Facts = token.more().map_err(|_| Refused::Invalid("the access token is unreadable"))?;
    let claims = token.claims();
    // A scope that was withdrawn from whoever has the token does not travel on.
    let still = audience::granted_scopes(&live.owner, &claims.aud, &claims.scope);
    let scope = still.map(str::to_owned).collect();
    let person = live.grant.map(|grant| facts.of(grant));
    Ok(VerifiedSubject {
        kind: SubjectToken::AccessToken,
        issuer: tenant.issuer.url.to_string(),
        sub: claims.sub.clone(),
        subject: claims.sub.clone(),
        for_requester: requester.api(&tenant.issuer.url) == Some(claims.aud.as_str()),
        for_tenant: false,
        issued_to: Some(claims.client_id.clone()),
        audience: Some(claims.aud.clone()),
        scope: Some(scope),
        expires_at: claims.exp,
        consented: None,
        may_act: None,
        act: claims.act.clone(),
        person,
    })
}

/// An ID token of this tenant, by the client for which it is. Its scope is that of the grant that it came from.
pub(super) async fn id_token(
    exchange: &Exchange<'_>,
    requester: &Client,
    text: &str,
) -> Result<VerifiedSubject, Refused> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let signed = tenant.issuer.verify(text, &[TokenType::IdToken], Returned::SubjectToken);
    let verified = signed.ok().and_then(|signed| signed.of_a_peer(now.as_second(), AHEAD).ok());
    let claims = verified.and_then(|verified| Some((verified.claims::<IdClaims>().ok()?, verified.claims().ok()?)));
    let claims: Option<(IdClaims, Facts)> =
        claims.filter(|(claims, _)| *claims.iss == *tenant.issuer.url && claims.client_id.is_none());
    let (claims, facts) = claims.ok_or(Refused::Invalid("the ID token is not the tenant's, or is over"))?;
    let jti = claims.jti.unwrap_or_default();
    let Some(Origin::Grant(grant)) = jti::origin(&jti) else {
        return Err(Refused::Invalid("the ID token does not lead to a grant"));
    };
    let owner = tenant.clients.get(&claims.aud).ok_or(Refused::Invalid("the client of the ID token is gone"))?;
    let offline_access = owner.has_offline_access();
    let lookup = TokenLookup { tenant: &tenant.issuer.key, jti: &jti, grant: Some(grant), offline_access, now };
    let row = exchange.provider.store().live_grant(lookup).await.map_err(|_| OAuthError::store_away())?;
    let row = row.filter(|row| row.client == owner.key && row.subject == claims.sub);
    let row = row.ok_or(Refused::Invalid("the grant of the ID token is over"))?;
    let scope = granted_scopes(exchange, &row)?;
    Ok(VerifiedSubject {
        consented: consented(requester, &row)?,
        kind: SubjectToken::IdToken,
        issuer: claims.iss,
        for_requester: *claims.aud == *requester.id,
        for_tenant: false,
        issued_to: None,
        audience: Some(claims.aud),
        sub: claims.sub.clone(),
        subject: claims.sub,
        scope: Some(scope),
        expires_at: claims.exp,
        may_act: None,
        act: None,
        person: Some(facts.of(grant)),
    })
}

/// A refresh token, by the client that it was issued to: it is not used up by that, and nobody else's.
pub(super) async fn refresh_token(
    exchange: &Exchange<'_>,
    requester: &Client,
    text: &str,
) -> Result<VerifiedSubject, Refused> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    if !requester.grant_types.refresh_token {
        return Err(Refused::Invalid("the client may not use refresh tokens"));
    }
    let token = DerivedToken::open(tenant.issuer.sealer().map_err(OAuthError::from)?, text);
    let token = token.ok_or(Refused::Invalid("nothing that this tenant sealed"))?;
    let id = Id::from_bytes(token.id);
    let offline_access = requester.has_offline_access();
    let lookup = GrantLookup { tenant: &tenant.issuer.key, grant: id, offline_access, now };
    let row = exchange.provider.store().grant(lookup).await;
    let row = row.map_err(|_| OAuthError::store_away())?.filter(|row| !row.over && row.client == requester.key);
    let row = row.ok_or(Refused::Invalid("there is no such grant of this client"))?;
    let presented = row.presented(token.generation, now, refresh_token::grace(requester, &tenant.issuer));
    if presented == Presented::Reused {
        let ended = exchange.provider.store().end_grant(&tenant.issuer.key, id, now).await;
        ended.map_err(|_| OAuthError::store_away())?;
        exchange.audit().refresh_reused(requester, &row.subject);
    }
    let window = row.refresh.filter(|_| presented == Presented::Current);
    let window = window.ok_or(Refused::Invalid("the refresh token was used"))?;
    let end = window.expires_at.min(window.idle_expires_at);
    if now >= end {
        return Err(Refused::Invalid("the refresh token is expired"));
    }
    let scope = granted_scopes(exchange, &row)?;
    let grant = PersonGrant::of(&row).map_err(|_| Refused::Invalid("the grant is unreadable"))?;
    Ok(VerifiedSubject {
        kind: SubjectToken::RefreshToken,
        consented: consented(requester, &row)?,
        issuer: tenant.issuer.url.to_string(),
        sub: row.subject.clone(),
        subject: row.subject.clone(),
        audience: None,
        for_requester: true,
        for_tenant: false,
        issued_to: None,
        scope: Some(scope),
        expires_at: end.as_second(),
        may_act: None,
        act: None,
        person: Some(PersonFacts {
            grant: id,
            authenticated_at: Some(grant.authenticated_at.as_second()),
            acr: Some(grant.acr),
            session: Some(grant.session.to_string()),
        }),
    })
}

/// See [`VerifiedSubject::consented`]. Of another client's grant its owner has decided who may go where.
fn consented(requester: &Client, row: &Grant) -> Result<Option<String>, Refused> {
    if requester.consent == ConsentPolicy::Skip || row.client != requester.key {
        return Ok(None);
    }
    let grant = PersonGrant::of(row).map_err(|_| Refused::Invalid("the grant is unreadable"))?;
    Ok(Some(grant.audience))
}

/// The scopes of a grant of a person who may still have tokens, as far as its client still has them.
fn granted_scopes(exchange: &Exchange<'_>, row: &Grant) -> Result<Vec<String>, Refused> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let grant = PersonGrant::of(row).map_err(|_| Refused::Invalid("the grant is unreadable"))?;
    person::user(tenant, &grant, now).map_err(|error| Refused::Invalid(error.detail))?;
    let client = tenant.clients.get(row.client.client_id()).filter(|client| client.key == row.client);
    let client = client.ok_or(Refused::Invalid("the client of the grant is gone"))?;
    let still = |scope: &String| audience::is_granted_at(client, &grant.audience, scope);
    Ok(grant.scopes.iter().filter(|scope| still(scope)).cloned().collect())
}
