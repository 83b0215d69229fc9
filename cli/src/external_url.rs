//! The URL under which the provider is reached from outside: the start of every issuer.

use anyhow::{Context as _, bail, ensure};
use url::Url;

/// Reads the value of `--external-url`. The host is in the form that clients send (lower case,
/// ASCII), and a port that is the scheme's own is left out.
///
/// # Errors
/// What to write instead, in one line. The value is not repeated: it may hold a password.
pub(crate) fn parse(text: &str) -> anyhow::Result<Url> {
    const EXPECTED: &str = "--external-url: write a URL such as https://login.example";
    let url = Url::parse(text).context(EXPECTED)?;
    ensure!(matches!(url.scheme(), "http" | "https"), "{EXPECTED}: the scheme must be http or https");
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if url.path() != "/" || !plain {
        // The provider answers at the root of its host, so any other issuer would lead nowhere.
        bail!("--external-url: write {} with no path, query, fragment or user", root(&url));
    }
    Ok(url)
}

/// The URL as issuers begin with it: without a trailing slash.
pub(crate) fn root(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_the_issuers_is_scheme_host_and_port_in_their_usual_form() {
        for (written, expected) in [
            ("https://login.example", "https://login.example"),
            ("https://login.example/", "https://login.example"),
            ("HTTPS://Login.Example:443/", "https://login.example"),
            ("http://login.example:8080", "http://login.example:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(root(&parse(written).expect(written)), expected);
        }
    }

    #[test]
    fn what_no_issuer_can_begin_with_is_refused_with_what_to_write() {
        for bad in [
            "https://Login.example/auth",
            "https://login.example/auth/",
            "https://login.example//",
            "https://login.example?a",
            "https://login.example/?",
            "https://login.example/#b",
            "https://me@login.example",
            "https://me:hunter2@login.example/auth",
        ] {
            let error = format!("{:#}", parse(bad).expect_err(bad));
            let expected = "--external-url: write https://login.example with no path, query, fragment or user";
            assert_eq!(error, expected, "{bad}");
        }
        for bad in ["", "login.example", "ftp://login.example", "https://", "mailto:me@login.example"] {
            let error = format!("{:#}", parse(bad).expect_err(bad));
            assert!(error.starts_with("--external-url: write a URL such as https://login.example: "), "{bad}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
