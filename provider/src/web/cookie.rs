//! Cookies (RFC 6265): read with bounds, written one way only.
//!
//! Tenants may share an origin, so the slug stands in every name. Over https the `__Host-` prefix
//! keeps other hosts of the domain from setting them (RFC 6265bis §4.1.3.2).

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// All `Cookie` headers of a request together; browsers send less.
const LARGEST: usize = 16 * 1024;
/// RFC 6265 §6.1: what a browser keeps at least of one cookie, name and attributes included.
const LARGEST_OF_ONE: usize = 4096;

/// A cookie's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieName {
    text: String,
    secure: bool,
}

impl CookieName {
    /// The cookie `kind` of the tenant `slug`, `secure` where the issuer is reached by https.
    pub(crate) fn new(kind: &str, slug: &str, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        Self { text: format!("{prefix}claviger-{kind}-{slug}"), secure }
    }

    /// As it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Sets it. Without `max_age` (seconds) it ends with the browser.
    pub(crate) fn set(&self, headers: &mut HeaderMap, value: &str, max_age: Option<u64>) {
        let Self { text: name, secure } = self;
        let max_age = max_age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let secure = if *secure { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}");
        // A value that is too long would be dropped by the browser without a word.
        debug_assert!(cookie.len() <= LARGEST_OF_ONE);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }

    /// Ends it.
    pub(crate) fn clear(&self, headers: &mut HeaderMap) {
        self.set(headers, "", Some(0));
    }
}

/// The cookies of a request.
#[derive(Debug, Default)]
pub(crate) struct Cookies<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Cookies<'a> {
    /// Those that `headers` bring; none at all where they are more than a browser sends.
    pub(crate) fn read(headers: &'a HeaderMap) -> Self {
        let texts = || headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        if texts().map(str::len).sum::<usize>() > LARGEST {
            return Self::default();
        }
        let pairs = texts().flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        Self { pairs: pairs.collect() }
    }

    /// Whether the request brought none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The value of the cookie `name`. Of two with one name none counts: somebody else set the other.
    pub(crate) fn get(&self, name: &CookieName) -> Option<&'a str> {
        let mut named = self.pairs.iter().filter(|(other, _)| *other == name.text);
        let (_, value) = named.next()?;
        named.next().is_none().then_some(*value)
    }

    /// What follows `name` and a hyphen in the names of others, in the order of the request.
    pub(crate) fn below(&self, name: &CookieName) -> Vec<&'a str> {
        let below = |other: &&'a str| other.strip_prefix(name.as_str())?.strip_prefix('-');
        self.pairs.iter().filter_map(|(other, _)| below(other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|cookie| (COOKIE, HeaderValue::from_str(cookie).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let name = CookieName::new("session", "acme", true);
        assert_eq!(name.as_str(), "__Host-claviger-session-acme");
        let headers = headers(&["a=b; __Host-claviger-session-acme=one; __Host-claviger-session-acme2=two"]);
        assert_eq!(Cookies::read(&headers).get(&name), Some("one"));
        assert_eq!(Cookies::read(&headers).get(&CookieName::new("session", "acm", true)), None);
    }

    #[test]
    fn of_two_cookies_of_one_name_none_counts() {
        let name = CookieName::new("session", "acme", false);
        for pair in [&["claviger-session-acme=a; claviger-session-acme=b"][..], &["claviger-session-acme=a"; 2]] {
            assert_eq!(Cookies::read(&headers(pair)).get(&name), None);
        }
    }

    #[test]
    fn more_cookies_than_a_browser_sends_are_none() {
        let name = CookieName::new("session", "acme", false);
        let long = format!("x={}; claviger-session-acme=a", "y".repeat(LARGEST));
        assert_eq!(Cookies::read(&headers(&[&long])).get(&name), None);
    }

    #[test]
    fn over_https_a_cookie_is_bound_to_the_host() {
        let mut headers = HeaderMap::new();
        CookieName::new("flow", "acme", true).set(&mut headers, "v", Some(60));
        CookieName::new("flow", "acme", false).clear(&mut headers);
        let set: Vec<&str> = headers.get_all(SET_COOKIE).iter().map(|header| header.to_str().unwrap()).collect();
        assert_eq!(
            set,
            [
                "__Host-claviger-flow-acme=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60",
                "claviger-flow-acme=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0",
            ]
        );
    }

    #[test]
    fn flows_are_listed_by_what_follows_their_common_name() {
        let name = CookieName::new("flow", "acme", false);
        let headers = headers(&["claviger-flow-acme-1=a; claviger-flow-acme=b; claviger-flow-acme-2=c"]);
        assert_eq!(Cookies::read(&headers).below(&name), ["1", "2"]);
    }
}
