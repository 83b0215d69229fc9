//! `client_id`.

use schemars::{Schema, json_schema};

use super::subject;
use super::text::{Unusable, text_type};

text_type! {
    /// A `client_id` (RFC 6749 §2.2).
    ///
    /// Narrower than the RFC: no space, for it is an item of lists; no colon, which ends the user
    /// name of HTTP Basic; nothing that needs escaping in a log or a page. It never begins as a
    /// local `sub` does: a resource server that takes the one for the other would otherwise serve
    /// a client as a person (RFC 9068 §5).
    ClientId, check = check, schema = schema
}

/// Longest `client_id`, characters.
pub(crate) const LONGEST: usize = 200;

fn check(text: &str) -> Result<(), Unusable> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'@' | b'+' | b'-');
    if text.len() > LONGEST
        || !text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        || !text.bytes().all(legal)
    {
        return Err(Unusable(
            "must be at most 200 letters, digits, '.', '_', '~', '@', '+' or '-', the first a letter or a digit",
        ));
    }
    if text.starts_with(subject::PREFIX) {
        return Err(Unusable("must not begin with usr_: that is the form of a person's subject"));
    }
    Ok(())
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST,
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._~@+-]*$",
        "x-kubernetes-validations": [{
            "rule": "!self.startsWith('usr_')",
            "message": "must not begin with usr_: that is the form of a person's subject",
        }],
    })
}
