//! The JWK Set (RFC 7517 §5), by which anyone verifies the tenant's tokens.

use axum::response::Response;

use crate::web::document;
use crate::web::error;
use crate::web::exchange::Exchange;

/// The keys of the tenant. Never an empty set: a verifier would keep it, and refuse good tokens.
pub(crate) fn respond(exchange: &Exchange<'_>) -> Response {
    match &exchange.tenant.issuer.jwks {
        Some(jwks) => document::respond(exchange, jwks),
        None => error::unavailable("the tenant has no key yet"),
    }
}
