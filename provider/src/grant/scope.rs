//! The `scope` parameter (RFC 6749 §3.3).

use crate::web::error::{ErrorCode, OAuthError};

/// Each is looked up among those granted, so that there may not be many.
const MOST: usize = 100;

/// The scopes in `text`, each once, in their order.
pub(crate) fn parse(text: &str) -> Result<Vec<&str>, OAuthError> {
    let invalid = |description: &'static str| OAuthError::new(ErrorCode::InvalidScope, description);
    let mut scopes = Vec::new();
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        // %x21 / %x23-5B / %x5D-7E
        if !scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
            return Err(invalid("scope holds characters that no scope can have"));
        }
        if scopes.len() == MOST {
            return Err(invalid("there are too many scopes"));
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    // At least one (§3.3): a token without any is not what anybody asks for by a space.
    if scopes.is_empty() { Err(invalid("scope names no scope")) } else { Ok(scopes) }
}
