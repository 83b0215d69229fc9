//! The token endpoint (RFC 6749 §3.2): the phases that all grants share, in their order.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::audit::Exchanged;
use crate::grant::token_exchange::{self, ExchangedGrant};
use crate::grant::{GrantType, authorization_code, client_credentials, jwt_bearer, refresh_token};
use crate::token::access_token;
use crate::token::response::TokenResponse;
use crate::web::client_authentication::{self, AuthenticatedClient};
use crate::web::cors;
use crate::web::error::{ErrorCode, OAuthError, TokenError, ValidationError, no_store};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// The most headers that an answer bears: room for them is made once.
const HEADERS: usize = 12;

/// A token, or why there is none; JSON whatever `Accept` says.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let counters = exchange.provider.counters();
    let request = &exchange.parts.headers;
    match issue(exchange, body).await {
        Ok((issued, client)) => {
            counters.token_issued();
            let mut response = success(issued);
            cors::allow_client(response.headers_mut(), request, client.client());
            response
        }
        Err(error) => {
            counters.token_refused(error.code());
            log(exchange, &error);
            let mut response = error.into_response(&exchange.tenant.issuer.challenge);
            cors::allow_tenant(response.headers_mut(), request, &exchange.tenant);
            response
        }
    }
}

/// 1. The form. 2. The grant type. 3. Who asks. 4. What is granted. 5. The token.
async fn issue(exchange: &Exchange<'_>, body: Body) -> Result<(TokenResponse, AuthenticatedClient), TokenError> {
    let headers = &exchange.parts.headers;
    let bytes = form::read(headers, body).await?;
    let form = Form::parse(&bytes)?;
    let grant_type = form.get("grant_type").ok_or_else(|| ValidationError::missing(vec!["grant_type"]))?;
    let grant_type = GrantType::parse(grant_type)?;
    let now = exchange.provider.now();
    let client = client_authentication::authenticate(exchange, &form).await?;
    grant_type.check_allowed(client.client())?;
    let issuer = &exchange.tenant.issuer;
    let (response, subject) = match grant_type {
        GrantType::ClientCredentials => {
            let granted = client_credentials::decide(&client, issuer, &form)?;
            (TokenResponse::new(access_token::issue(granted, issuer, now)?), None)
        }
        GrantType::AuthorizationCode => {
            let granted = authorization_code::redeem(exchange, &client, &form).await?;
            (granted.issue(&exchange.tenant, now)?, Some(granted.grant.subject))
        }
        GrantType::RefreshToken => {
            let granted = refresh_token::rotate(exchange, &client, &form).await?;
            (granted.issue(&exchange.tenant, now)?, Some(granted.grant.subject))
        }
        GrantType::TokenExchange => {
            let granted = token_exchange::exchange(exchange, &client, &form).await;
            let granted = granted.inspect_err(|error| tell(exchange, &client, grant_type, error))?;
            return Ok((exchanged(exchange, &granted, grant_type)?, client.clone()));
        }
        GrantType::JwtBearer => {
            let granted = jwt_bearer::assert(exchange, &client, &form).await;
            let granted = granted.inspect_err(|error| tell(exchange, &client, grant_type, error))?;
            return Ok((exchanged(exchange, &granted, grant_type)?, client.clone()));
        }
    };
    let about = subject.as_deref().unwrap_or(&client.client().id);
    exchange.audit().token_issued(client.client(), about, grant_type.as_str());
    Ok((response, client))
}

/// The token that is issued for another one.
fn exchanged(
    exchange: &Exchange<'_>,
    granted: &ExchangedGrant<'_>,
    grant_type: GrantType,
) -> Result<TokenResponse, OAuthError> {
    let token = access_token::issue(granted.access(), &exchange.tenant.issuer, exchange.provider.now())?;
    let actor = granted.facts.act.as_ref().map_or("", |act| &act.sub);
    let told = Exchanged { subject: &granted.subject, audience: granted.audience, actor };
    exchange.audit().token_exchanged(granted.client.client(), grant_type.as_str(), &told);
    Ok(TokenResponse::new(token).with_issued_token_type(granted.issued_token_type))
}

/// Tells the audit stream that a token was brought in vain: whoever tries out tokens of others is seen there.
fn tell(exchange: &Exchange<'_>, client: &AuthenticatedClient, grant_type: GrantType, error: &OAuthError) {
    if !matches!(error.code, ErrorCode::TemporarilyUnavailable | ErrorCode::ServerError) {
        let (grant, code) = (grant_type.as_str(), error.code.as_str());
        exchange.audit().exchange_refused(client.client(), grant, code, error.detail);
    }
}

fn success(issued: TokenResponse) -> Response {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(&mut headers);
    let mut response = Response::new(Body::from(issued.into_json()));
    *response.headers_mut() = headers;
    response
}

fn log(exchange: &Exchange<'_>, error: &TokenError) {
    let detail = match error {
        TokenError::Validation(_) => "a required field is missing",
        TokenError::OAuth(error) => error.detail,
    };
    let (request_id, tenant) = (exchange.request_id, &exchange.tenant.issuer.slug);
    tracing::debug!(?request_id, %tenant, error = error.code().label(), detail, "no token");
}
