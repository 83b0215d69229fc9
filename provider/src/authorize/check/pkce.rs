//! PKCE (RFC 7636): S256 alone.

use claviger_jose::CodeChallenge;

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::AuthorizationError;
use crate::tenant::oauth_client::Client;

/// The challenge, which a public client must send (RFC 9700 §2.1.1). Its method is said in words:
/// without one it would be `plain` (RFC 7636 §4.3), which whoever sees the request can answer.
pub(super) fn check_pkce(
    parameters: &Parameters<'_>,
    client: &Client,
) -> Result<Option<CodeChallenge>, AuthorizationError> {
    let refused = |description| Err(AuthorizationError::invalid_request(description));
    match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (None, None) if client.is_public() || client.require_pkce => refused("code_challenge is required"),
        (None, None) => Ok(None),
        (None, Some(_)) => refused("code_challenge_method stands without code_challenge"),
        // What no verifier could match is refused while the developer looks.
        (Some(challenge), Some("S256")) => match CodeChallenge::parse(challenge) {
            Ok(challenge) => Ok(Some(challenge)),
            Err(_) => refused("code_challenge is no base64url SHA-256 digest"),
        },
        (Some(_), _) => refused("code_challenge_method has to be S256"),
    }
}
