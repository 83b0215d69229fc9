//! The path segment that names a tenant.

use schemars::{Schema, json_schema};

use super::text::{Unusable, is_dns_label, text_type};

text_type! {
    /// A tenant's slug: a DNS label. It stands in the issuer's path, in cookie names and in labels,
    /// so the narrowest of the three rules holds.
    Slug, check = check, schema = schema
}

fn check(text: &str) -> Result<(), Unusable> {
    is_dns_label(text)
        .then_some(())
        .ok_or(Unusable("must be a DNS label: at most 63 lower-case letters, digits and inner hyphens"))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    })
}
