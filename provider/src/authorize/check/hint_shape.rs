//! `id_token_hint` (OpenID Connect Core 1.0 §3.1.2.1).

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode};

/// Refuses what is no signed token at all: a mistake of the client's, which it would not notice
/// otherwise. Whether one that looks like a token is an ID token of this issuer is seen later, for a key
/// may be out of use: see `docs/decisions/0018-a-hint-that-cannot-be-verified.md`.
pub(super) fn check_hint_shape(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(()) };
    if is_compact(hint) {
        return Ok(());
    }
    let description = "id_token_hint is not a signed token";
    Err(AuthorizationError::new(AuthorizationErrorCode::InvalidRequest, description))
}

/// Whether `text` has the form of a JWS (RFC 7515 §7.1).
fn is_compact(text: &str) -> bool {
    let is_encoded = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('.').count() == 3 && text.split('.').all(is_encoded)
}
