//! Introspection (RFC 7662): what a token is worth now, to those whom it concerns.
//!
//! Whoever is neither the token's owner nor its audience sees what everybody sees of a token that is
//! nobody's: `{"active": false}`.

use axum::body::Body;
use axum::response::Response;
use claviger_jose::DerivedToken;
use serde::Serialize;

use crate::grant::{audience, person};
use crate::store::{GrantLookup, Id, StoreError};
use crate::tenant::oauth_client::Client;
use crate::tenant::user::User;
use crate::token::actor::Actor;
use crate::token::live;
use crate::token::person::PersonGrant;
use crate::token::verify::{self, VerifiedAccessToken};
use crate::web::bearer::private_json;
use crate::web::client_authentication;
use crate::web::error::{ErrorCode, OAuthError, TokenError, ValidationError};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// `TokenIntrospectionResponse`: every field, null where it has no value.
#[derive(Debug, Default, Serialize)]
struct Introspection<'a> {
    active: bool,
    sub: Option<&'a str>,
    client_id: Option<&'a str>,
    username: Option<&'a str>,
    scope: Option<&'a str>,
    exp: Option<i64>,
    iat: Option<i64>,
    iss: Option<&'a str>,
    aud: Option<&'a str>,
    jti: Option<&'a str>,
    token_type: Option<&'a str>,
    tenant_id: Option<&'a str>,
    email: Option<&'a str>,
    groups: Option<&'a [String]>,
    /// Who acts for `sub` (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Actor>,
}

const INACTIVE: &[u8] = br#"{"active":false}"#;

/// What is to be said of the token, or why nothing is.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    match introspect(exchange, body).await {
        Ok(body) => private_json(body),
        Err(error) => error.into_response(&exchange.tenant.issuer.challenge),
    }
}

/// 1. The form. 2. Who asks. 3. The token.
async fn introspect(exchange: &Exchange<'_>, body: Body) -> Result<Vec<u8>, TokenError> {
    let bytes = form::read(&exchange.parts.headers, body).await?;
    let form = Form::parse(&bytes)?;
    let Some(text) = form.get("token") else { return Err(ValidationError::missing(vec!["token"]).into()) };
    let client = client_authentication::authenticate(exchange, &form).await?;
    if client.client().is_public() {
        let description = "a client that cannot prove who it is may not introspect";
        return Err(OAuthError::new(ErrorCode::InvalidClient, description).into());
    }
    let asker = client.client();
    let answer = match verify::access_token(text, &exchange.tenant.issuer, exchange.provider.now()) {
        Some(token) => access_token(exchange, asker, &token).await,
        None => refresh_token(exchange, asker, text).await,
    };
    answer.map_err(|_| OAuthError::store_away().into())
}

/// Of an access token: its owner and its audience may know.
async fn access_token(
    exchange: &Exchange<'_>,
    asker: &Client,
    token: &VerifiedAccessToken,
) -> Result<Vec<u8>, StoreError> {
    let (tenant, claims) = (&exchange.tenant, token.claims());
    let is_audience = asker.api(&tenant.issuer.url) == Some(claims.aud.as_str());
    let Some(owner) = tenant.clients.get(&claims.client_id) else { return Ok(INACTIVE.to_vec()) };
    if !is_audience && *claims.aud != *asker.id && owner.id != asker.id {
        return Ok(INACTIVE.to_vec());
    }
    let Some(live) = live::access_token(exchange, token).await? else { return Ok(INACTIVE.to_vec()) };
    let user = live.user.as_deref();
    let scope: Vec<&str> = audience::granted_scopes(&live.owner, &claims.aud, &claims.scope).collect();
    let About { username, email, groups } = About::of(user, |wanted| scope.contains(&wanted));
    Ok(json(&Introspection {
        active: true,
        sub: Some(&claims.sub),
        client_id: Some(&claims.client_id),
        username,
        scope: Some(&scope.join(" ")),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        iss: Some(&tenant.issuer.url),
        aud: Some(&claims.aud),
        jti: Some(&claims.jti),
        token_type: Some("Bearer"),
        tenant_id: Some(&tenant.issuer.slug),
        email,
        groups,
        act: claims.act.as_ref(),
    }))
}

/// Of a refresh token: its owner alone may know, and only where the token endpoint would take it.
async fn refresh_token(exchange: &Exchange<'_>, asker: &Client, text: &str) -> Result<Vec<u8>, StoreError> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let inactive = Ok(INACTIVE.to_vec());
    let sealer = tenant.issuer.sealer.as_ref().filter(|_| asker.grant_types.refresh_token);
    let Some(token) = sealer.and_then(|sealer| DerivedToken::open(sealer, text)) else { return inactive };
    let (grant, offline_access) = (Id::from_bytes(token.id), asker.has_offline_access());
    let lookup = GrantLookup { tenant: &tenant.issuer.key, grant, offline_access, now };
    let grant = exchange.provider.store().grant(lookup).await?;
    let Some(grant) = grant.filter(|grant| !grant.over && grant.client == asker.key) else { return inactive };
    let Some(window) = grant.refresh.filter(|_| grant.generation == token.generation) else { return inactive };
    let end = window.expires_at.min(window.idle_expires_at);
    let person = PersonGrant::of(&grant)?;
    let user = tenant.users.live_since(&person.subject, person.authenticated_at.as_second(), now);
    let Some(user) = user.filter(|_| now < end) else { return inactive };
    let Ok(person) = person::still_granted(person, asker, &tenant.issuer) else { return inactive };
    let About { username, email, groups } = About::of(Some(user), |scope| person.has(scope));
    Ok(json(&Introspection {
        active: true,
        sub: Some(&user.subject),
        client_id: Some(&asker.id),
        username,
        scope: Some(&person.scopes.join(" ")),
        exp: Some(end.as_second()),
        iat: Some(grant.created_at.as_second()),
        iss: Some(&tenant.issuer.url),
        aud: Some(&tenant.issuer.url),
        token_type: Some("refresh_token"),
        tenant_id: Some(&tenant.issuer.slug),
        email,
        groups,
        ..Introspection::default()
    }))
}

/// What is told of a person, each where the scope is there by which UserInfo would tell it: what he logs in by is often
/// an e-mail address.
#[derive(Default)]
struct About<'a> {
    username: Option<&'a str>,
    email: Option<&'a str>,
    groups: Option<&'a [String]>,
}

impl<'a> About<'a> {
    fn of(user: Option<&'a User>, has: impl Fn(&str) -> bool) -> Self {
        let Some(user) = user else { return Self::default() };
        Self {
            username: has("profile").then_some(&*user.username),
            email: user.claims.get("email").filter(|_| has("email")).and_then(|email| email.as_str()),
            groups: has("groups").then_some(&*user.groups),
        }
    }
}

fn json(introspection: &Introspection<'_>) -> Vec<u8> {
    // Text and numbers always serialise.
    serde_json::to_vec(introspection).unwrap_or_default()
}
