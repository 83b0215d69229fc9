//! Revocation (RFC 7009): a client gives a token back. Whether there was one is not told.

use axum::body::Body;
use axum::response::Response;
use claviger_jose::DerivedToken;
use http::StatusCode;
use jiff::Timestamp;

use crate::store::{GrantLookup, Id, StoreError};
use crate::tenant::oauth_client::Client;
use crate::token::verify;
use crate::web::client_authentication;
use crate::web::cors;
use crate::web::error::{OAuthError, TokenError, ValidationError, no_store};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// 200 where there is nothing left of the token, whatever it was; an error where that cannot be said.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let mut response = match revoke(exchange, body).await {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::OK;
            no_store(response.headers_mut());
            response
        }
        Err(error) => error.into_response(&exchange.tenant.issuer.challenge),
    };
    cors::allow_tenant(response.headers_mut(), &exchange.parts.headers, &exchange.tenant);
    response
}

/// 1. The form. 2. Who asks. 3. The token, if it is his.
async fn revoke(exchange: &Exchange<'_>, body: Body) -> Result<(), TokenError> {
    let bytes = form::read(&exchange.parts.headers, body).await?;
    let form = Form::parse(&bytes)?;
    let Some(text) = form.get("token") else { return Err(ValidationError::missing(vec!["token"]).into()) };
    let client = client_authentication::authenticate(exchange, &form).await?;
    let revoked = match refresh_token(exchange, client.client(), text).await {
        Ok(None) => access_token(exchange, client.client(), text).await,
        other => other,
    };
    if let Some(subject) = revoked.map_err(|_| OAuthError::store_away())? {
        exchange.audit().token_revoked(client.client(), &subject);
    }
    Ok(())
}

/// Ends the grant (§2.1). About whom it was, if `text` is a refresh token of `client`'s.
async fn refresh_token(exchange: &Exchange<'_>, client: &Client, text: &str) -> Result<Option<String>, StoreError> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let opened = tenant.issuer.sealer.as_ref().and_then(|sealer| DerivedToken::open(sealer, text));
    let Some(token) = opened else { return Ok(None) };
    let (store, id) = (exchange.provider.store(), Id::from_bytes(token.id));
    let offline_access = client.has_offline_access();
    let grant = store.grant(GrantLookup { tenant: &tenant.issuer.key, grant: id, offline_access, now }).await?;
    let Some(grant) = grant.filter(|grant| grant.client == client.key) else { return Ok(None) };
    store.end_grant(&tenant.issuer.key, id, now).await?;
    Ok(Some(grant.subject))
}

/// Revokes this one token. About whom it was, if `text` is an access token of `client`'s.
async fn access_token(exchange: &Exchange<'_>, client: &Client, text: &str) -> Result<Option<String>, StoreError> {
    let (tenant, now) = (&exchange.tenant, exchange.provider.now());
    let Some(token) = verify::access_token(text, &tenant.issuer, now) else { return Ok(None) };
    let claims = token.claims();
    if *claims.client_id != *client.id {
        return Ok(None);
    }
    let end = Timestamp::from_second(claims.exp).unwrap_or(now);
    exchange.provider.store().revoke_token(&tenant.issuer.key, &claims.jti, end).await?;
    Ok(Some(claims.sub.clone()))
}
