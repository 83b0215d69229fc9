//! The host of an issuer at a domain's root.

use schemars::{Schema, json_schema};

use super::text::{Unusable, is_dns_label, is_port, text_type};

text_type! {
    /// A DNS name in lower case with at least two labels, and a port if it is not 80 or 443, which
    /// clients leave out: `login.acme.example`, `login.acme.example:8443`. A bare `localhost` is let
    /// through for laptops.
    HostName, check = check, schema = schema
}

fn check(text: &str) -> Result<(), Unusable> {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let labels = name.split('.').count();
    let numeric = name.split('.').next_back().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    let usable = text.len() <= 253
        && name.split('.').all(is_dns_label)
        && (labels > 1 || name == "localhost")
        // A last label of digits makes an IP address of it (WHATWG URL, "ends in a number").
        && !numeric
        && port.is_none_or(|port| is_port(port) && !["80", "443"].contains(&port));
    usable.then_some(()).ok_or(Unusable(
        "must be a host name in lower case, such as login.acme.example, with no port 80 or 443, which clients leave out",
    ))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "pattern": "^(localhost|([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.)+([a-z]|[a-z0-9][-a-z0-9]{0,61}[a-z]|[a-z][-a-z0-9]{0,61}[a-z0-9]))(:([1-9]|[1-79][0-9]|8[1-9]|[1-35-9][0-9]{2}|4[0-35-9][0-9]|44[0-24-9]|[1-9][0-9]{3,4}))?$",
    })
}
