//! Where a page may lead. A link is one of these types or it is not rendered, so that no
//! `javascript:` address becomes one, whoever let it be registered.

/// An `https` or `http` address with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WebAddress<'a> {
    whole: &'a str,
    origin: &'a str,
}

/// A [`WebAddress`], or an address of a native application (RFC 8252 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destination<'a>(&'a str);

impl<'a> WebAddress<'a> {
    /// `address`, if it is one.
    pub(crate) fn parse(address: &'a str) -> Option<Self> {
        if !is_plain(address) {
            return None;
        }
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
        let authority = rest.split(['/', '?', '#']).next()?;
        if authority.is_empty() || authority.contains('@') {
            return None;
        }
        let origin = address.len() - rest.len() + authority.len();
        Some(Self { whole: address, origin: &address[..origin] })
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &'a str {
        self.whole
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &'a str {
        self.origin
    }

    /// Host and port, for people to read.
    pub(crate) fn host(&self) -> &'a str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }

    /// The origin as a source of a Content-Security-Policy. None where that has no words for it: an
    /// IPv6 address is not in its grammar, and anything that would begin a directive is kept out.
    pub(crate) fn source(&self) -> Option<&'a str> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
        self.host().bytes().all(legal).then_some(self.origin)
    }
}

impl<'a> Destination<'a> {
    /// `address`, if a page may lead there.
    pub(crate) fn parse(address: &'a str) -> Option<Self> {
        if WebAddress::parse(address).is_some() {
            return Some(Self(address));
        }
        let (scheme, _) = address.split_once(':')?;
        // A scheme with a dot in it is an application's; those that run script have none.
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-');
        let private = scheme.contains('.') && scheme.bytes().all(legal);
        (private && is_plain(address)).then_some(Self(address))
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }
}

/// No spaces and controls, which browsers drop before they look at the scheme.
fn is_plain(address: &str) -> bool {
    address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_runs_script() {
        for address in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "javascript://x.example/%0aalert(1)",
            "data:text/html,x",
            "vbscript:x",
            "//evil.example",
            "/path",
            "",
            "https:",
            "https://",
            "https:///path",
            "https://good.example\\@evil.example/",
            "https://good.example@evil.example/",
            "https://é.example/",
            "HTTPS://x.example",
        ] {
            assert_eq!(Destination::parse(address), None, "{address}");
            assert_eq!(WebAddress::parse(address), None, "{address}");
        }
        for address in ["https://shop.example/?a=b", "http://127.0.0.1:8080", "com.example.app:/done"] {
            assert!(Destination::parse(address).is_some(), "{address}");
        }
        assert_eq!(WebAddress::parse("com.example.app:/done"), None);
    }

    #[test]
    fn a_source_is_an_origin_and_never_ends_its_directive() {
        for (address, source) in [
            ("https://shop.example/a/b;c?d#e", Some("https://shop.example")),
            ("https://shop.example:8443?x", Some("https://shop.example:8443")),
            ("http://localhost:1/", Some("http://localhost:1")),
            ("http://[::1]:8080/", None),
            ("https://a;script-src/x", None),
            ("https://a,b/x", None),
            ("https://*.example/x", None),
            ("https://a'b/x", None),
        ] {
            assert_eq!(WebAddress::parse(address).unwrap().source(), source, "{address}");
        }
    }
}
