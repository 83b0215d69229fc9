//! Where an API or an issuer is. Whoever compares addresses does it as URLs compare, so that no other spelling of one
//! (`HTTPS://Login.example:443/./`) passes for another.

use url::Url;

/// The ports that addresses are without (RFC 9110 §4.2.1, §4.2.2). Of either scheme: http and https at one host are
/// nobody's but that host's.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// Of an absolute URI with a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// In lower case and without a dot at its end; with its port, if that is no default.
    pub(super) host: String,
    /// Without slashes at its end.
    path: String,
}

impl Address {
    /// Of an audience or an issuer. Nothing of what has no host, as `urn:example:api` has none.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        let name = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        let port = url.port().filter(|port| !DEFAULT_PORTS.contains(port));
        let host = port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        Some(Self { host, path: url.path().trim_end_matches('/').to_owned() })
    }

    /// Whether it is `root`, or below it, by any scheme.
    pub(super) fn is_within(&self, root: &Self) -> bool {
        let below = self.path.strip_prefix(&root.path);
        self.host == root.host && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
            assert_eq!(Address::of(same).map(|address| address.host).as_deref(), Some("login.example"), "{same}");
        }
        for (another, host) in [
            ("https://login.example:8443", Some("login.example:8443")),
            ("https://[::1]:8080/", Some("[::1]:8080")),
            ("https://api.login.example", Some("api.login.example")),
            ("urn:example:api", None),
            ("orders", None),
            ("https://login.example:99999", None),
        ] {
            assert_eq!(Address::of(another).map(|address| address.host).as_deref(), host, "{another}");
        }
    }

    #[test]
    fn what_is_below_an_address_is_not_what_begins_like_it() {
        let root = Address::of("https://login.example/sso/").unwrap();
        let within = |uri: &str| Address::of(uri).unwrap().is_within(&root);
        for below in [
            "https://login.example/sso",
            "https://login.example:443/sso/api",
            "http://LOGIN.example/sso/",
            "https://login.example/x/../sso/./api",
            "https://login.example/sso?x",
        ] {
            assert!(within(below), "{below}");
        }
        for outside in [
            "https://login.example/ssoX",
            "https://login.example/",
            "https://login.example:8443/sso",
            "https://api.example/sso",
            "https://login.example/sso/../api",
        ] {
            assert!(!within(outside), "{outside}");
        }
    }
}
