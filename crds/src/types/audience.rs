//! `aud` of an API.

use schemars::{Schema, json_schema};

use super::text::{Unusable, is_visible_ascii, text_type};

text_type! {
    /// The `aud` value of an API: a resource indicator (RFC 8707 §2) where it is a URI, else any
    /// visible ASCII text. At most 255 characters, no fragment.
    Audience, check = check, schema = schema
}

fn check(text: &str) -> Result<(), Unusable> {
    ((1..=255).contains(&text.len()) && is_visible_ascii(text) && !text.contains(['#', '"', '\\']))
        .then_some(())
        .ok_or(Unusable("must be 1 to 255 visible ASCII characters without '#', quotation marks and backslashes"))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!$-\\[\\]-~]+$",
    })
}
