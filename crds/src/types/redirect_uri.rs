//! Registered redirect URIs.

use schemars::{Schema, json_schema};
use url::Url;

use super::text::{Unusable, is_port, is_visible_ascii, text_type};

text_type! {
    /// A redirect URI as it is registered (RFC 6749 §3.1.2, RFC 9700 §2.1): absolute, without a
    /// fragment and without wildcards, kept byte for byte, for it is compared byte for byte.
    RedirectUri, check = check, schema = schema
}

/// Where a redirect URI leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriKind {
    /// `https`.
    Https,
    /// `http` on loopback (RFC 8252 §7.3).
    Loopback,
    /// A scheme that belongs to an application by its domain reversed (RFC 8252 §7.1).
    PrivateUse,
}

impl RedirectUri {
    /// Where this leads.
    pub fn kind(&self) -> RedirectUriKind {
        match self.0.split_once(':') {
            Some(("https", _)) => RedirectUriKind::Https,
            Some(("http", _)) => RedirectUriKind::Loopback,
            _ => RedirectUriKind::PrivateUse,
        }
    }
}

const EXPECTED: &str = "must be absolute: https, http on loopback (localhost, 127.0.0.1, [::1]), or for a native application a private-use scheme with a dot";
const NO_FRAGMENT: &str = "must not have a fragment";
const NO_WILDCARD: &str = "must not hold a wildcard: redirect URIs are compared as they stand";

fn check(text: &str) -> Result<(), Unusable> {
    if text.contains('#') {
        return Err(Unusable(NO_FRAGMENT));
    }
    if text.contains('*') {
        return Err(Unusable(NO_WILDCARD));
    }
    let usable = text.len() <= 1024 && is_visible_ascii(text) && !text.contains(['\\', '"', '<', '>']) && leads(text);
    usable.then_some(()).ok_or(Unusable(EXPECTED))
}

fn leads(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    match (scheme, authority) {
        ("https", Some(authority)) => {
            !authority.is_empty() && !authority.contains('@') && Url::parse(text).is_ok_and(|url| url.host().is_some())
        }
        ("http", Some(authority)) => is_loopback_authority(authority),
        ("https" | "http", None) => false,
        _ => is_private_use_scheme(scheme) && rest.starts_with('/') && Url::parse(text).is_ok(),
    }
}

/// A scheme with a dot in it: nobody's but the owner of the domain.
fn is_private_use_scheme(scheme: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-');
    scheme.split('.').count() > 1
        && scheme.split('.').all(|part| !part.is_empty() && part.bytes().all(legal))
        && scheme.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
}

/// Loopback by name or address, with or without a port.
pub(crate) fn is_loopback_authority(authority: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "x-kubernetes-validations": [
            { "rule": "!self.contains('#')", "message": NO_FRAGMENT },
            { "rule": "!self.contains('*')", "message": NO_WILDCARD },
            {
                "rule": "self.matches('^(https://[^/?@ ]+([/?].*)?|http://(localhost|127[.]0[.]0[.]1|\\\\[::1\\\\])(:[1-9][0-9]{0,4})?([/?].*)?|[a-z][a-z0-9+-]*([.][a-z0-9+-]+)+:/.*)$') && self.matches('^[!#-;=?-\\\\[\\\\]-~]+$')",
                "message": EXPECTED,
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_https_loopback_or_private_use() {
        for (text, kind) in [
            ("https://shop.example/callback", RedirectUriKind::Https),
            ("https://shop.example", RedirectUriKind::Https),
            ("https://shop.example:8443/cb?x=1", RedirectUriKind::Https),
            ("http://localhost:3000/cb", RedirectUriKind::Loopback),
            ("http://127.0.0.1/cb", RedirectUriKind::Loopback),
            ("http://[::1]:9/cb", RedirectUriKind::Loopback),
            ("com.example.app:/oauth2redirect", RedirectUriKind::PrivateUse),
        ] {
            assert_eq!(text.parse::<RedirectUri>().unwrap().kind(), kind, "{text}");
        }
    }

    #[test]
    fn redirect_uris_that_lead_astray_are_refused() {
        for text in [
            "",
            "/callback",
            "http://shop.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1:99999/cb",
            "http://localhost@evil.example/",
            "https://user@shop.example/",
            "https://shop.example/cb#fragment",
            "https://*.shop.example/cb",
            "https:///cb",
            "https://shop.example\\@evil.example/",
            "https://shop.example/a b",
            "javascript:alert(1)",
            "myapp:/cb",
            "data:text/html,x",
            "com.example.app:cb",
            "HTTPS://shop.example/",
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
        }
    }
}
