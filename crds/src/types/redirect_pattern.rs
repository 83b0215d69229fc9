//! What a tenant lets its clients redirect to.

use schemars::{Schema, json_schema};

use super::RedirectUri;
use super::text::{Unusable, is_dns_label, is_port, text_type};

text_type! {
    /// A ceiling for redirect URIs: `https://` and a host, whose first label may be `*` for one
    /// label or more; or `http://localhost` for all of loopback; or `<scheme>:` for a private-use
    /// scheme. Paths are the client's own affair.
    RedirectPattern, check = check, schema = schema
}

const EXPECTED: &str =
    "must be https://host, https://*.domain, http://localhost (all of loopback) or a private-use scheme and a colon";

impl RedirectPattern {
    /// Whether `uri` stays below this ceiling.
    pub fn allows(&self, uri: &RedirectUri) -> bool {
        let uri = uri.as_str();
        if self.0 == "http://localhost" {
            return uri.starts_with("http://");
        }
        let Some(allowed) = self.0.strip_prefix("https://") else {
            return uri.strip_prefix(&self.0).is_some_and(|rest| rest.starts_with('/'));
        };
        let Some(rest) = uri.strip_prefix("https://") else { return false };
        // Host names know no case; the port counts.
        let authority = rest.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
        match allowed.strip_prefix("*.") {
            Some(domain) => authority
                .strip_suffix(domain)
                .and_then(|front| front.strip_suffix('.'))
                .is_some_and(|front| !front.is_empty()),
            None => authority == allowed,
        }
    }
}

fn check(text: &str) -> Result<(), Unusable> {
    let usable = match text.split_once(':') {
        Some(("http", rest)) => rest == "//localhost",
        Some(("https", rest)) => rest.strip_prefix("//").is_some_and(is_host_pattern),
        Some((scheme, "")) => scheme.contains('.') && format!("{text}/").parse::<RedirectUri>().is_ok(),
        _ => false,
    };
    (usable && text.len() <= 255).then_some(()).ok_or(Unusable(EXPECTED))
}

fn is_host_pattern(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let name = match name.strip_prefix("*.") {
        // `https://*.example` would be most of a public suffix.
        Some(domain) if !domain.contains('.') => return false,
        Some(domain) => domain,
        None => name,
    };
    name.split('.').all(is_dns_label) && port.is_none_or(is_port)
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "x-kubernetes-validations": [{
            "rule": "self.matches('^(http://localhost|https://([*][.][a-z0-9]([-a-z0-9]*[a-z0-9])?[.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?|[a-z][a-z0-9+-]*([.][a-z0-9+-]+)+:)$')",
            "message": EXPECTED,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, uri: &str) -> bool {
        pattern.parse::<RedirectPattern>().unwrap().allows(&uri.parse().unwrap())
    }

    #[test]
    fn a_pattern_allows_its_own_hosts_and_no_others() {
        assert!(allows("https://*.acme.example", "https://shop.acme.example/cb"));
        assert!(allows("https://*.acme.example", "https://a.b.acme.example/cb"));
        assert!(allows("https://*.acme.example", "https://SHOP.acme.example/cb"));
        assert!(!allows("https://*.acme.example", "https://acme.example/cb"));
        assert!(!allows("https://*.acme.example", "https://evilacme.example/cb"));
        assert!(!allows("https://*.acme.example", "https://shop.acme.example:8443/cb"));
        assert!(!allows("https://*.acme.example", "https://evil.example/.acme.example"));
        assert!(!allows("https://*.acme.example", "https://evil.example?.acme.example"));
        assert!(allows("https://acme.example:8443", "https://acme.example:8443"));
        assert!(allows("http://localhost", "http://127.0.0.1:3000/cb"));
        assert!(!allows("https://acme.example", "http://localhost/cb"));
        assert!(allows("com.example.app:", "com.example.app:/cb"));
        assert!(!allows("com.example.app:", "com.example.application:/cb"));
    }

    #[test]
    fn a_pattern_that_allows_nearly_everything_is_refused() {
        for text in [
            "*",
            "https://*",
            "https://*.example",
            "https://a.*.example",
            "http://acme.example",
            "https:",
            "app:",
            "https://acme.example/",
        ] {
            assert!(text.parse::<RedirectPattern>().is_err(), "{text}");
        }
    }
}
