//! What the ID token shall say: of when the login was, and single claims.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::AuthorizationError;
use crate::claims::request::ClaimsRequest;

/// `max_age` is a number of seconds. One beyond every session is none that could be exceeded.
pub(super) fn check_max_age(parameters: &Parameters<'_>) -> Result<Option<u32>, AuthorizationError> {
    let Some(text) = parameters.get("max_age") else { return Ok(None) };
    let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let seconds = seconds.ok_or_else(|| AuthorizationError::invalid_request("max_age is a number of seconds"))?;
    Ok(Some(u32::try_from(seconds).unwrap_or(u32::MAX)))
}

/// `claims` is what OpenID Connect Core 1.0 §5.5 has.
pub(super) fn check_claims(parameters: &Parameters<'_>) -> Result<ClaimsRequest, AuthorizationError> {
    let Some(text) = parameters.get("claims") else { return Ok(ClaimsRequest::default()) };
    ClaimsRequest::parse(text).map_err(|invalid| AuthorizationError::invalid_request(invalid.to_string()))
}
