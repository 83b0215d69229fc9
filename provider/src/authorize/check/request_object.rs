//! Requests that say by other means what is asked for. Ignoring them would serve another request than
//! the one that was meant.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode};

/// Each with its code (OpenID Connect Core 1.0 §3.1.2.6).
const NOT_SERVED: [(&str, AuthorizationErrorCode, &str); 3] = [
    ("request", AuthorizationErrorCode::RequestNotSupported, "request objects are not supported"),
    ("request_uri", AuthorizationErrorCode::RequestUriNotSupported, "request_uri is not supported"),
    ("registration", AuthorizationErrorCode::RegistrationNotSupported, "registration is not supported"),
];

/// `request`, `request_uri` and `registration` are not served.
pub(super) fn reject_request_objects(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    let asked = NOT_SERVED.into_iter().find(|(name, ..)| parameters.get(name).is_some());
    asked.map_or(Ok(()), |(_, code, description)| Err(AuthorizationError::new(code, description)))
}
