//! The issuer, and what its discovery document says (OpenID Connect Discovery §4).

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use url::{Host, Url};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// An issuer that a token may be sent to.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    text: String,
    discovery: Url,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: Option<String>,
}

impl Issuer {
    /// Reads the value of `--issuer`.
    ///
    /// # Errors
    /// What to write instead. The value is not repeated where it may hold a password.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(text).context("--issuer: write a URL such as https://login.example")?;
        let plain =
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        ensure!(plain, "--issuer: an issuer has no query, fragment, user or password");
        ensure!(
            keeps_secrets(&url),
            "--issuer: {text} is not https, so that others could read the token that is sent there (http is good \
             for loopback alone)"
        );
        // §4.1: a slash at the end is removed first.
        let discovery = Url::parse(&format!("{}{WELL_KNOWN}", text.trim_end_matches('/')))?;
        Ok(Self { text: text.to_owned(), discovery })
    }

    /// Where its discovery document is.
    pub(super) fn discovery(&self) -> &Url {
        &self.discovery
    }

    /// The token endpoint, of the discovery document that was fetched. A document of another issuer's is
    /// refused (§4.3): else whoever can have his own document served at this URL would be sent the token.
    ///
    /// # Errors
    /// When the document cannot be read, is another issuer's, or names no endpoint that may be used.
    pub(super) fn token_endpoint(&self, document: &[u8]) -> anyhow::Result<Url> {
        let at = &self.discovery;
        let document: Document =
            serde_json::from_slice(document).with_context(|| format!("{at} is no discovery document"))?;
        if document.issuer != self.text {
            // Some pages have the other form, with a slash or without: then this says what to write.
            bail!(
                "{at} is the document of the issuer {}, and --issuer says {}: they must be equal, letter by letter",
                super::answer::shown(&document.issuer),
                self.text
            );
        }
        let endpoint = document.token_endpoint.with_context(|| format!("{at} names no token_endpoint"))?;
        let endpoint = Url::parse(&endpoint).with_context(|| format!("{at}: token_endpoint is no URL"))?;
        ensure!(keeps_secrets(&endpoint), "{at}: token_endpoint is not https, so no token is sent there");
        Ok(endpoint)
    }
}

/// Whether what is sent there can be read by nobody else: over TLS, or not over a network.
fn keeps_secrets(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = "https://login.example/api/v1/auth/tenants/acme";

    #[test]
    fn the_discovery_document_is_below_the_issuer_whatever_slash_is_at_its_end() {
        for issuer in [ACME.to_owned(), format!("{ACME}/")] {
            let issuer = Issuer::parse(&issuer).expect("an issuer");
            assert_eq!(issuer.discovery().as_str(), format!("{ACME}/.well-known/openid-configuration"));
        }
        let root = Issuer::parse("https://login.example").expect("an issuer");
        assert_eq!(root.discovery().as_str(), "https://login.example/.well-known/openid-configuration");
    }

    #[test]
    fn only_https_and_loopback_are_sent_a_token() {
        for good in ["https://login.example", "http://127.0.0.1:8080", "http://localhost:1/a", "http://[::1]:8080"] {
            assert!(Issuer::parse(good).is_ok(), "{good}");
        }
        for (bad, reason) in [
            ("http://login.example", "not https"),
            ("http://127.0.0.1.example", "not https"),
            ("http://10.0.0.1", "not https"),
            ("ftp://localhost", "not https"),
            ("login.example", "write a URL"),
            ("https://me:pw@login.example", "no query, fragment, user"),
            ("https://login.example?x", "no query"),
        ] {
            let error = format!("{:#}", Issuer::parse(bad).expect_err(bad));
            assert!(error.contains(reason) && !error.contains("pw@"), "{error}");
        }
    }

    #[test]
    fn a_document_must_be_the_issuers_own_and_name_an_endpoint_that_keeps_secrets() {
        let issuer = Issuer::parse(ACME).expect("an issuer");
        let good = format!(r#"{{"issuer":"{ACME}","token_endpoint":"{ACME}/oauth/token","more":1}}"#);
        let endpoint = issuer.token_endpoint(good.as_bytes()).expect("an endpoint");
        assert_eq!(endpoint.as_str(), format!("{ACME}/oauth/token"));
        for (bad, reason) in [
            (good.replace("tenants/acme\",", "tenants/acme/\","), "letter by letter"),
            (good.replace("\"issuer\":\"https://login", "\"issuer\":\"https://evil"), "letter by letter"),
            (format!(r#"{{"issuer":"{ACME}"}}"#), "names no token_endpoint"),
            (good.replace("\"token_endpoint\":\"https", "\"token_endpoint\":\"http"), "not https"),
            ("<html>".to_owned(), "no discovery document"),
        ] {
            let error = format!("{:#}", issuer.token_endpoint(bad.as_bytes()).expect_err(reason));
            assert!(error.contains(reason), "{error}");
        }
    }
}
