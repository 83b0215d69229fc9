//! Whether the parameters can be read at all, and what is required is there.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::AuthorizationError;
use crate::authorize::request::AuthorizationRequest;
use crate::tenant::snapshot::Issuer;
use crate::token::person::PersonGrant;

/// Required beside client and redirect URI (RFC 6749 §4.1.1; `scope` by the contract).
const REQUIRED: [&str; 2] = ["response_type", "scope"];

/// Nothing is repeated, unreadable or too long.
pub(super) fn check_flaws(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    parameters.first_flaw().map_or(Ok(()), |flaw| Err(AuthorizationError::invalid_request(flaw)))
}

/// Nothing that is required is missing.
pub(super) fn check_present(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| parameters.get(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(AuthorizationError::invalid_request(format!("missing: {}", missing.join(", "))))
}

/// What is granted fits where it is stored: else whoever asked would hear of it after the login.
pub(super) fn check_size(request: &AuthorizationRequest, issuer: &Issuer) -> Result<(), AuthorizationError> {
    let fits = PersonGrant::largest(request, issuer).to_payload();
    fits.map(drop).map_err(|too_large| AuthorizationError::invalid_request(too_large.to_string()))
}
