//! Who sent a form or a JSON body: a page of this origin, or another's (cross-site request forgery).

use http::HeaderMap;
use http::header::ORIGIN;

/// Proof that no other origin's page made the request; only [`SameOrigin::check`] makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameOrigin(());

/// Another origin's page made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// Which, for logs alone, if its browser says so.
    pub(crate) origin: Option<String>,
}

impl SameOrigin {
    /// Refuses a foreign `Origin` and a cross-site `Sec-Fetch-Site`. Programs that are no browsers
    /// send neither, and have no cookies that they were not given.
    pub(crate) fn check(headers: &HeaderMap, issuer: &str) -> Result<Self, Foreign> {
        let of_many = |()| Foreign { origin: None };
        let site = one(headers, "sec-fetch-site").map_err(of_many)?;
        let origin = one(headers, ORIGIN.as_str()).map_err(of_many)?;
        match (site, origin) {
            // `none`: the person typed it or used a bookmark.
            (Some("same-origin" | "none") | None, None) => Ok(Self(())),
            (Some("same-origin") | None, Some(origin)) if origin == origin_of(issuer) => Ok(Self(())),
            // A page under a strict referrer policy says no more than that.
            (Some("same-origin"), Some("null")) => Ok(Self(())),
            _ => Err(Foreign { origin: origin.map(str::to_owned) }),
        }
    }
}

/// Scheme, host and port of an issuer.
pub(crate) fn origin_of(issuer: &str) -> &str {
    let Some(host) = issuer.find("://").map(|at| at + 3) else { return issuer };
    issuer[host..].find('/').map_or(issuer, |path| &issuer[..host + path])
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const ISSUER: &str = "https://login.example/api/v1/auth/tenants/acme";

    fn check(pairs: &[(&str, &str)]) -> bool {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        SameOrigin::check(&pairs.iter().map(pair).collect(), ISSUER).is_ok()
    }

    #[test]
    fn the_own_origin_and_programs_pass() {
        assert!(check(&[]));
        assert!(check(&[("origin", "https://login.example")]));
        assert!(check(&[("origin", "https://login.example"), ("sec-fetch-site", "same-origin")]));
        assert!(check(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(check(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn other_origins_do_not() {
        for pairs in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://login.example")],
            &[("origin", "https://login.example:8443")],
            &[("origin", "null")],
            &[("origin", "https://login.example"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://app.login.example"), ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://login.example"), ("origin", "https://login.example")],
        ] {
            assert!(!check(pairs), "{pairs:?}");
        }
    }
}
