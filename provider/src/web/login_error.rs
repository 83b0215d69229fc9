//! What a login page of somebody's own is told as JSON where a login did not work.

use std::time::Duration;

use axum::response::Response;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::error::public;
use crate::tenant::snapshot;

/// A name and a password that are nobody's together. A 401 has a challenge (RFC 9110 §15.5.2), and no registered scheme
/// is that of a form.
pub(crate) fn login_failed(issuer: &str) -> Response {
    let mut response = public(StatusCode::UNAUTHORIZED, "login_failed", "wrong user name or password");
    if let Ok(challenge) = HeaderValue::try_from(format!("Form realm=\"{}\"", snapshot::realm(issuer))) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Too many tries: come again after `wait`.
pub(crate) fn throttled(wait: Duration) -> Response {
    let description = "too many logins have failed: try again later";
    let mut response = public(StatusCode::TOO_MANY_REQUESTS, "slow_down", description);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
    response
}

/// Too many at once, whoever they are: come again after `wait`.
pub(crate) fn busy(wait: Duration) -> Response {
    let description = "too many are logging in at once: nothing was checked";
    let mut response = public(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    response
}
