//! Where an API or an issuer is. Whoever compares addresses does it as URLs compare, so that no other spelling of one
//! (`HTTPS://Login.Example.:443`) passes for another.

use url::Url;

/// The ports that hosts are without (RFC 9110 §4.2.1, §4.2.2). Of either scheme: http and https at one host are
/// nobody's but that host's.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// An audience, as far as it is an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// At this host, in lower case and without a dot at its end; with its port, if that is no default.
    At(String),
    /// It has none, as `urn:example:api` has none.
    Nowhere,
    /// It is written as an address, and is none that every client would take for the same.
    Unreadable,
}

impl Address {
    pub(super) fn of(uri: &str) -> Self {
        let Ok(url) = Url::parse(uri) else {
            return if uri.contains("://") { Self::Unreadable } else { Self::Nowhere };
        };
        let Some(name) = url.host_str() else { return Self::Nowhere };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let port = url.port().filter(|port| !DEFAULT_PORTS.contains(port));
        Self::At(port.map_or_else(|| name.clone(), |port| format!("{name}:{port}")))
    }
}

/// The host of an address.
pub(super) fn host(uri: &str) -> Option<String> {
    match Address::of(uri) {
        Address::At(host) => Some(host),
        Address::Nowhere | Address::Unreadable => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_the_same_however_it_is_spelled() {
        for same in [
            "https://login.example",
            "HTTPS://Login.Example",
            "https://login.example:443",
            "https://login.example:80/x",
            "http://login.example:443/x/y",
            "https://login.example.",
            "https://login.example?x=/",
            "https://somebody:secret@login.example/",
            "https://login%2Eexample",
            "api://Login.example:443/x",
        ] {
            assert_eq!(host(same).as_deref(), Some("login.example"), "{same}");
        }
        for (another, at) in [
            ("https://login.example:8443", Some("login.example:8443")),
            ("https://[::1]:8080/", Some("[::1]:8080")),
            ("https://api.login.example", Some("api.login.example")),
            ("urn:example:api", None),
            ("orders", None),
        ] {
            assert_eq!(host(another).as_deref(), at, "{another}");
            assert_ne!(Address::of(another), Address::Unreadable, "{another}");
        }
        for unreadable in ["https://login.example:99999", "https://[::1", "https://xn--a.example", "://login.example"] {
            assert_eq!(Address::of(unreadable), Address::Unreadable, "{unreadable}");
        }
    }
}
