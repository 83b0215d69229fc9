//! The token endpoint (RFC 6749 §3.2): the phases that all grants share, in their order.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::grant::{GrantType, client_credentials};
use crate::token::access_token::{self, Issued};
use crate::web::client_authentication::{self, AuthenticatedClient};
use crate::web::cors;
use crate::web::error::{ErrorCode, OAuthError, ValidationError, no_store};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// The most headers that an answer bears: room for them is made once.
const HEADERS: usize = 12;

/// Why there is no token.
enum TokenError {
    Validation(ValidationError),
    OAuth(OAuthError),
}

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
            let mut response = match error {
                TokenError::Validation(error) => error.into_response(),
                TokenError::OAuth(error) => error.into_response(&exchange.tenant.issuer.challenge),
            };
            cors::allow_tenant(response.headers_mut(), request, &exchange.tenant);
            response
        }
    }
}

/// 1. The form. 2. The grant type. 3. Who asks. 4. What is granted. 5. The token.
async fn issue(exchange: &Exchange<'_>, body: Body) -> Result<(Issued, AuthenticatedClient), TokenError> {
    let headers = &exchange.parts.headers;
    let bytes = form::read(headers, body).await?;
    let form = Form::parse(&bytes)?;
    let grant_type = form.get("grant_type").ok_or_else(|| ValidationError::missing(vec!["grant_type"]))?;
    let grant_type = GrantType::parse(grant_type)?;
    let now = exchange.provider.now();
    let client = client_authentication::authenticate(headers, &form, &exchange.tenant, now)?;
    let issuer = &exchange.tenant.issuer;
    let granted = match grant_type {
        GrantType::ClientCredentials => client_credentials::decide(&client, issuer, &form)?,
    };
    let issued = access_token::issue(granted, issuer, now)?;
    Ok((issued, client))
}

fn success(issued: Issued) -> Response {
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

impl TokenError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Validation(_) => ErrorCode::Validation,
            Self::OAuth(error) => error.code,
        }
    }
}

impl From<ValidationError> for TokenError {
    fn from(error: ValidationError) -> Self {
        Self::Validation(error)
    }
}

impl From<OAuthError> for TokenError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}
