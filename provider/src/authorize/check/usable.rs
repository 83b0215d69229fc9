//! Whether the parameters can be read at all, and what is required is there.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::AuthorizationError;
use crate::authorize::request::AuthorizationRequest;
use crate::grant::person;
use crate::tenant::oauth_client::Client;
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

/// No upstream is named: an application that wants the person to log in there is not served by a login here.
pub(super) fn check_idp_hint(parameters: &Parameters<'_>) -> Result<(), AuthorizationError> {
    match parameters.get("idp_hint") {
        None => Ok(()),
        Some(_) => Err(AuthorizationError::invalid_request("idp_hint names no identity provider of this tenant")),
    }
}

/// There are keys for the tokens: else nobody need log in for a code that nothing comes of.
pub(super) fn check_keys(scopes: &[String], client: &Client, issuer: &Issuer) -> Result<(), AuthorizationError> {
    person::check_keys(scopes, client, issuer).map_err(AuthorizationError::from)
}

/// What is granted fits where it is stored: else whoever asked would hear of it after the login.
pub(super) fn check_size(request: &AuthorizationRequest, issuer: &Issuer) -> Result<(), AuthorizationError> {
    let fits = PersonGrant::largest(request, issuer).to_payload();
    fits.map(drop).map_err(|too_large| AuthorizationError::invalid_request(too_large.to_string()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use crate::authorize::check::check;
    use crate::authorize::fixture::{CALLBACK, client, tenant};
    use crate::authorize::parameters::{Parameters, Source};
    use crate::authorize::refusal::{AuthorizationErrorCode, Refusal};

    #[test]
    fn nobody_logs_in_for_tokens_that_cannot_be_signed() {
        let code = |algorithm: &str, scope: &str| {
            let tenant = tenant(client(json!({"idTokenSignedResponseAlg": algorithm})));
            let query = format!("client_id=shop.app&redirect_uri={CALLBACK}&response_type=code&scope={scope}");
            let parameters = Parameters::parse(Source::Query, query.as_bytes()).unwrap();
            match check(&parameters, &tenant, Timestamp::UNIX_EPOCH) {
                Err(Refusal::Redirect(refused)) => Some(refused.error.code),
                other => other.map(|_| None).unwrap(),
            }
        };
        let refused = Some(AuthorizationErrorCode::TemporarilyUnavailable);
        assert_eq!(code("ES256", "openid"), None);
        assert_eq!(code("ES384", "openid"), refused);
        assert_eq!(code("ES384", "profile"), None, "without openid there is no ID token");
    }
}
