//! What a person types to name an account.

use schemars::{Schema, json_schema};

use super::text::{Unusable, text_type};

text_type! {
    /// A user name: at most 128 letters, digits and `. _ @ + -`. ASCII alone, so that no two names
    /// look alike. Case does not tell one from another, see [`Username::key`].
    Username, check = check, schema = schema
}

impl Username {
    /// What tells one user name from another: "Ada" and "ada" are the same account.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

const EXPECTED: &str = "must be 1 to 128 letters, digits, '.', '_', '@', '+' or '-', the first a letter or a digit";

fn check(text: &str) -> Result<(), Unusable> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'+' | b'-');
    let usable = (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(legal);
    usable.then_some(()).ok_or(Unusable(EXPECTED))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._@+-]*$",
    })
}
