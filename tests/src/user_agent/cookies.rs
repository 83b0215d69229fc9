//! Cookies (RFC 6265) as far as the tests' servers use them: of one host each, whatever its port.

use http::HeaderMap;
use http::header::SET_COOKIE;
use url::Url;

#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    value: String,
    secure: bool,
}

impl Cookies {
    /// The `Cookie` header of a request.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let sent = self.0.iter().filter(|cookie| cookie.goes_to(url));
        let pairs: Vec<String> = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps and forgets what an answer says.
    pub(super) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for text in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let Some((cookie, is_over)) = Cookie::parse(url, text) else { continue };
            self.0.retain(|known| !known.is_replaced_by(&cookie));
            if !is_over {
                self.0.push(cookie);
            }
        }
    }
}

impl Cookie {
    /// The cookie, and whether it is to be forgotten.
    fn parse(url: &Url, text: &str) -> Option<(Self, bool)> {
        let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
        let (name, value) = pair.split_once('=')?;
        let folder = url.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut cookie = Self {
            host: url.host_str()?.to_owned(),
            path: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            secure: false,
        };
        let mut is_over = false;
        for attribute in attributes.split(';') {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "max-age" => is_over = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                // Whoever takes a cookie back by a date takes the first one there is.
                "expires" => is_over |= value.contains(" 1970 ") || value.contains("-1970 "),
                _ => {}
            }
        }
        // What is not sent back safely is not kept either (RFC 6265bis §5.7).
        let is_allowed = !cookie.secure || url.scheme() == "https";
        is_allowed.then_some((cookie, is_over))
    }

    fn is_replaced_by(&self, other: &Self) -> bool {
        (&self.host, &self.path, &self.name) == (&other.host, &other.path, &other.name)
    }

    fn goes_to(&self, url: &Url) -> bool {
        let below = url.path().strip_prefix(self.path.as_str());
        let path = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        path && url.host_str() == Some(&self.host) && (!self.secure || url.scheme() == "https")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(at: &str, cookies: &[&str]) -> Cookies {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        let mut jar = Cookies::default();
        jar.keep(&at.parse().unwrap(), &headers);
        jar
    }

    fn sent(jar: &Cookies, to: &str) -> Option<String> {
        jar.header(&to.parse().unwrap())
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_alone() {
        let jar = kept("https://a.example/x/y", &["s=1; Path=/x; Secure; HttpOnly", "t=2"]);
        assert_eq!(sent(&jar, "https://a.example:8443/x/z").as_deref(), Some("s=1; t=2"));
        for elsewhere in ["https://b.example/x", "https://a.example/xy", "https://a.example/"] {
            assert_eq!(sent(&jar, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(sent(&jar, "http://a.example/x/").as_deref(), Some("t=2"));
    }

    #[test]
    fn a_cookie_is_replaced_and_taken_back() {
        for over in ["s=; Path=/; Max-Age=0", "s=; Path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            let jar = kept("http://a.example/", &["s=1; Path=/", "s=2; Path=/; Max-Age=60"]);
            assert_eq!(sent(&jar, "http://a.example/").as_deref(), Some("s=2"));
            let jar = kept("http://a.example/", &["s=1; Path=/", over]);
            assert_eq!(sent(&jar, "http://a.example/"), None, "{over}");
        }
    }

    #[test]
    fn a_secure_cookie_of_an_insecure_answer_is_not_kept() {
        let jar = kept("http://a.example/", &["s=1; Secure"]);
        assert_eq!(sent(&jar, "https://a.example/"), None);
    }
}
