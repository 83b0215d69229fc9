//! OpenID Connect Discovery 1.0 §4 and RFC 8414 §3: one document at two paths.

use axum::response::Response;

use crate::web::document;
use crate::web::exchange::Exchange;

/// The discovery document of the tenant.
pub(crate) fn respond(exchange: &Exchange<'_>) -> Response {
    document::respond(exchange, &exchange.tenant.issuer.discovery)
}
