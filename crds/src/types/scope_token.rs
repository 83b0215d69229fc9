//! One scope.

use schemars::{Schema, json_schema};

use super::text::{Unusable, text_type};

text_type! {
    /// A `scope-token` (RFC 6749 §3.3), at most 128 characters.
    ScopeToken, check = check, schema = schema
}

/// The scopes that every tenant has.
pub(crate) const STANDARD: [&str; 7] = ["openid", "profile", "email", "address", "phone", "groups", "offline_access"];

impl ScopeToken {
    /// Whether every tenant has this scope without declaring it.
    pub fn is_standard(&self) -> bool {
        STANDARD.contains(&self.as_str())
    }
}

fn check(text: &str) -> Result<(), Unusable> {
    let legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    ((1..=128).contains(&text.len()) && text.bytes().all(legal))
        .then_some(())
        .ok_or(Unusable("must be 1 to 128 visible ASCII characters without quotation marks and backslashes"))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": "^[!#-\\[\\]-~]+$",
    })
}
