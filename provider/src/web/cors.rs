//! Which pages may read an answer (the Fetch standard's CORS protocol). Never with credentials:
//! no cookie has a meaning at these endpoints.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::exchange::Exchange;
use crate::router::Methods;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;

/// Whose pages may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Anyone's: what is answered is public.
    Any,
    /// Those of the client's `allowedOrigins`.
    Client,
    /// Nobody's.
    None,
}

/// The answer to OPTIONS: what a browser asks before the request itself.
pub(crate) fn preflight(exchange: &Exchange<'_>, origins: Origins, methods: Methods) -> Response {
    let mut response = options(methods);
    let headers = response.headers_mut();
    let may_ask = match origins {
        Origins::Any => true,
        // Which client it will be is not known yet.
        Origins::Client => allow_tenant(headers, &exchange.parts.headers, &exchange.tenant),
        Origins::None => false,
    };
    if may_ask {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.allow());
        let asked = HeaderValue::from_static("authorization, content-type, if-none-match, x-request-id");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// The answer to OPTIONS where no browser has to ask first.
pub(crate) fn options(methods: Methods) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, methods.allow());
    response
}

/// Anyone's page may read this.
pub(crate) fn allow_any(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// The page that asks may read this if any client of the tenant names its origin: for answers that
/// were made before the client was known. Tells whether it may.
pub(crate) fn allow_tenant(headers: &mut HeaderMap, request: &HeaderMap, tenant: &TenantSnapshot) -> bool {
    allow(headers, request, |origin| tenant.origins.get(origin).is_some())
}

/// The page that asks may read this if `client` names its origin.
pub(crate) fn allow_client(headers: &mut HeaderMap, request: &HeaderMap, client: &Client) -> bool {
    allow(headers, request, |origin| client.allows_origin(origin))
}

fn allow(headers: &mut HeaderMap, request: &HeaderMap, allowed: impl Fn(&str) -> bool) -> bool {
    let Some(origin) = request.get(ORIGIN) else { return false };
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let allowed = origin.to_str().is_ok_and(allowed);
    if allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let shown = HeaderValue::from_static("www-authenticate, retry-after, x-request-id");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
    allowed
}
