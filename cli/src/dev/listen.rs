//! Where we listen, and under which URL that is known.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::net::TcpListener;
use url::Url;

/// Listens on `address`, which must be loopback: this is plain HTTP, and tokens and secrets pass.
///
/// # Errors
/// When it is not, or is in use.
pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!("--listen {address}: claviger dev serves plain HTTP, so it listens on loopback addresses only");
    }
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// The URL at the start of every issuer: the one that was asked for, or that of the listener.
///
/// # Errors
/// When it cannot be an issuer's (OpenID Connect Discovery 1.0 §2).
pub(super) fn external_url(asked: Option<&str>, listening: SocketAddr) -> anyhow::Result<Url> {
    let Some(text) = asked else { return Ok(Url::parse(&format!("http://{listening}"))?) };
    let url = Url::parse(text).with_context(|| format!("--external-url {text}"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "--external-url {text}: expected http:// or https://");
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    ensure!(plain, "--external-url {text}: may have no query, fragment or user");
    Ok(url)
}

/// The URL as issuers begin with it: without a trailing slash.
pub(super) fn root(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_url_is_one_that_an_issuer_can_have() {
        let listening = SocketAddr::from(([127, 0, 0, 1], 8080));
        let of = |text: Option<&str>| external_url(text, listening).map(|url| root(&url));
        assert_eq!(of(None).expect("the default"), "http://127.0.0.1:8080");
        assert_eq!(of(Some("https://a.example/")).expect("https"), "https://a.example");
        assert_eq!(of(Some("http://a.example:81/b/")).expect("a path"), "http://a.example:81/b");
        for bad in ["a.example", "ftp://a.example", "http://a.example/?b", "http://a.example/#b", "http://u@a.example"]
        {
            assert!(of(Some(bad)).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn only_loopback_is_listened_on() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = listen(address.parse().expect("an address")).await.expect_err(address);
            assert!(error.to_string().contains("loopback"), "{error}");
        }
        assert!(listen("127.0.0.1:0".parse().expect("an address")).await.is_ok());
    }
}
