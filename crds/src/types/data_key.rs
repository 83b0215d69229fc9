//! The key of a Secret's data.

use schemars::{Schema, json_schema};

use super::text::{Unusable, text_type};

text_type! {
    /// A key of a Secret's `data`.
    DataKey, check = check, schema = schema
}

fn check(text: &str) -> Result<(), Unusable> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // "." and ".." are file names that a mounted Secret could not have.
    let usable = (1..=253).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with("..") && text != ".";
    usable.then_some(()).ok_or(Unusable("must be a key of a Secret's data: letters, digits, '-', '_' and '.'"))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "pattern": "^([-_a-zA-Z0-9]|\\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$",
    })
}
