//! An origin for CORS.

use schemars::{Schema, json_schema};

use super::redirect_uri::is_loopback_authority;
use super::text::{Unusable, is_dns_label, is_port, text_type};

text_type! {
    /// An origin as a browser sends it (RFC 6454 §6.2): scheme, host and a port other than the
    /// scheme's own. `https`, or `http` on loopback.
    WebOrigin, check = check, schema = schema
}

const EXPECTED: &str =
    "must be an origin: https://host or http on loopback, in lower case, with no path and no default port";

fn check(text: &str) -> Result<(), Unusable> {
    let usable = match text.split_once("://") {
        Some(("https", authority)) => {
            let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
            name.split('.').all(is_dns_label) && port.is_none_or(|port| is_port(port) && port != "443")
        }
        Some(("http", authority)) => is_loopback_authority(authority) && !authority.ends_with(":80"),
        _ => false,
    };
    (usable && text.len() <= 255).then_some(()).ok_or(Unusable(EXPECTED))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "x-kubernetes-validations": [{
            "rule": "self.matches('^(https://[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*|http://(localhost|127[.]0[.]0[.]1|\\\\[::1\\\\]))(:[1-9][0-9]{0,4})?$') && !self.matches('^(https:.*:443|http:.*:80)$')",
            "message": EXPECTED,
        }],
    })
}
