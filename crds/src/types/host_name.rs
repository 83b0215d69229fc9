//! The host of an issuer at a domain's root.

use schemars::{Schema, json_schema};
use url::Url;

use super::text::{Unusable, is_dns_label, is_port, text_type};

text_type! {
    /// A DNS name in lower case with at least two labels, the last of which begins with a letter; and a
    /// port if it is not 80 or 443, which clients leave out: `login.acme.example`,
    /// `login.acme.example:8443`. A bare `localhost` is let through for laptops.
    HostName, check = check, schema = schema
}

const EXPECTED: &str =
    "must be a host name in lower case, such as login.acme.example, with no port 80 or 443, which clients leave out";

fn check(text: &str) -> Result<(), Unusable> {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let labels = name.split('.').count();
    // A last label that is a number makes an IP address of it (WHATWG URL, "ends in a number").
    let lettered = name.split('.').next_back().is_some_and(|label| label.starts_with(|c: char| c.is_ascii_lowercase()));
    let usable = text.len() <= 253
        && name.split('.').all(is_dns_label)
        && (labels > 1 || name == "localhost")
        && lettered
        && port.is_none_or(|port| is_port(port) && !["80", "443"].contains(&port))
        // What clients would make another host of, such as an `xn--` that is no Punycode.
        && Url::parse(&format!("https://{text}")).is_ok_and(|url| url.authority() == text);
    usable.then_some(()).ok_or(Unusable(EXPECTED))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "x-kubernetes-validations": [{
            "rule": "self.matches('^(localhost|([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z]([-a-z0-9]{0,61}[a-z0-9])?)(:[1-9][0-9]{0,4})?$') && (!self.contains(':') || int(self.split(':')[1]) <= 65535 && !self.matches(':(80|443)$'))",
            "message": EXPECTED,
        }],
    })
}
