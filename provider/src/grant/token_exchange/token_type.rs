//! What kind a token is said to be (RFC 8693 §3), and which kinds are given.

use crate::web::error::{ErrorCode, OAuthError};
use crate::web::form::Form;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A kind of token that may be brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenTypeUri {
    /// Of this tenant.
    AccessToken,
    /// Of this tenant.
    RefreshToken,
    /// Of this tenant, or of an issuer that it trusts.
    IdToken,
    /// Of an issuer that the tenant trusts, a ServiceAccount's, or an access token of this tenant.
    Jwt,
}

impl TokenTypeUri {
    fn parse(text: &str) -> Option<Self> {
        match text {
            ACCESS_TOKEN => Some(Self::AccessToken),
            REFRESH_TOKEN => Some(Self::RefreshToken),
            ID_TOKEN => Some(Self::IdToken),
            JWT => Some(Self::Jwt),
            _ => None,
        }
    }
}

/// `issued_token_type` of what is asked for. Access tokens are given, which are JWTs: no refresh tokens, for who
/// exchanges has something to exchange again, and no ID tokens, for nobody has logged in by that.
pub(super) fn requested(form: &Form<'_>) -> Result<&'static str, OAuthError> {
    match form.get("requested_token_type") {
        None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
        Some(JWT) => Ok(JWT),
        Some(_) => Err(invalid("requested_token_type is none that is issued: access_token or jwt".to_owned())),
    }
}

/// The token in `field`, and what it is said to be.
pub(super) fn required<'f>(form: &'f Form<'_>, field: &'f str) -> Result<(&'f str, TokenTypeUri), OAuthError> {
    optional(form, field)?.ok_or_else(|| invalid(format!("{field} is missing")))
}

/// The token in `field`, if there is one. Its type has to come with it, and does not come alone (RFC 8693 §2.1).
pub(super) fn optional<'f>(form: &'f Form<'_>, field: &'f str) -> Result<Option<(&'f str, TokenTypeUri)>, OAuthError> {
    let kind = match field {
        "subject_token" => form.get("subject_token_type"),
        _ => form.get("actor_token_type"),
    };
    match (form.get(field), kind) {
        (None, None) => Ok(None),
        (Some(text), Some(kind)) => {
            let kind = TokenTypeUri::parse(kind);
            kind.map(|kind| Some((text, kind))).ok_or_else(|| invalid(format!("{field}_type is none that is taken")))
        }
        (Some(_), None) => Err(invalid(format!("{field}_type is missing"))),
        (None, Some(_)) => Err(invalid(format!("{field} is missing"))),
    }
}

fn invalid(description: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}
