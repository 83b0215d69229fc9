//! Where we listen.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;

/// Listens on `address`, which must be loopback unless this is HTTPS: tokens and secrets pass.
///
/// # Errors
/// When it is not, or is in use.
pub(super) async fn listen(address: SocketAddr, tls: bool) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() && !tls {
        bail!(
            "--listen {address}: claviger dev serves plain HTTP, so it listens on loopback addresses only; with --tls \
             it listens on others too"
        );
    }
    let another = || format!("cannot listen on {address} (another address: --listen or CLAVIGER_LISTEN)");
    TcpListener::bind(address).await.with_context(another)
}

/// How a person reaches what listens on `address`.
pub(super) fn url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    if address.ip().is_unspecified() {
        // Every address of this machine, which is no name for it.
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_listened_on_without_tls() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = listen(address.parse().expect("an address"), false).await.expect_err(address);
            assert!(error.to_string().contains("loopback"), "{error}");
        }
        assert!(listen("127.0.0.1:0".parse().expect("an address"), false).await.is_ok());
        assert!(listen("0.0.0.0:0".parse().expect("an address"), true).await.is_ok());
    }
}
