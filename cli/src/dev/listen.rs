//! Where we listen.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_listened_on() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = listen(address.parse().expect("an address")).await.expect_err(address);
            assert!(error.to_string().contains("loopback"), "{error}");
        }
        assert!(listen("127.0.0.1:0".parse().expect("an address")).await.is_ok());
    }
}
