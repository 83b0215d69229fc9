//! Requests that say by other means what is asked for. Ignoring them would serve another request than
//! the one that was meant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

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

/// The way back that a request object names, for its own refusal: a client that wrote these into the
/// object alone understands no other answer. Unverified, as they would be outside of it, and nothing
/// else of it is read.
#[derive(Default, Deserialize)]
pub(super) struct WayBack {
    #[serde(default)]
    pub(super) response_mode: Option<String>,
    #[serde(default)]
    pub(super) state: Option<String>,
}

/// What the payload of `request` (RFC 7515 §7.1) says; nothing if it cannot be read.
pub(super) fn way_back(parameters: &Parameters<'_>) -> WayBack {
    let payload = parameters.get("request").and_then(|object| object.split('.').nth(1));
    let bytes = payload.and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let found: Option<WayBack> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    found.unwrap_or_default()
}
