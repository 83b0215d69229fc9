//! What is answered, and how.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode};
use crate::authorize::response::ResponseMode;
use crate::tenant::oauth_client::Client;

/// `response_mode` is one that is served.
pub(super) fn check_response_mode(parameters: &Parameters<'_>) -> Result<ResponseMode, AuthorizationError> {
    let Some(mode) = parameters.get("response_mode") else { return Ok(ResponseMode::default()) };
    let unknown = || AuthorizationError::invalid_request("response_mode is query, fragment or form_post");
    ResponseMode::parse(mode).ok_or_else(unknown)
}

/// `response_type` is `code`: what the others put into a URL leaks (RFC 9700 §2.1.2).
pub(super) fn check_response_type(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    if parameters.get("response_type") == Some("code") {
        return Ok(());
    }
    let description = "this provider serves response_type=code only";
    Err(AuthorizationError::new(AuthorizationErrorCode::UnsupportedResponseType, description))
}

/// The client may use codes.
pub(super) fn check_grant_type(client: &Client) -> Result<(), AuthorizationError> {
    if client.grant_types.authorization_code {
        return Ok(());
    }
    let description = "this client may not use authorization_code";
    Err(AuthorizationError::new(AuthorizationErrorCode::UnauthorizedClient, description))
}
