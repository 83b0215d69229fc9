//! The two HTTP clients: over https, and over plain http where that is allowed.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ca_file::CaFile;
use super::error::OutboundError;
use super::resolver::Resolver;

/// Resolving, connecting and the TLS handshake.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection that is not used for so long is closed. It serves bursts: what is fetched is cached.
const IDLE: Duration = Duration::from_secs(10);
/// What a server may send over HTTP/2 before it is read: the smallest window there is (RFC 9113).
const WINDOW: u32 = 65_535;
const USER_AGENT: &str = concat!("claviger/", env!("CARGO_PKG_VERSION"));

/// Connects without TLS, to whom the resolver permits.
pub(super) fn plain(resolver: &Resolver) -> Result<Client, reqwest::Error> {
    builder().dns_resolver(resolver.plain()).tls_certs_only([]).build()
}

/// Connects over https. Made at its first use: the system's certificates, some hundred, take memory
/// and time that a provider whose clients need no calls does not have to spend. Made anew when the CAs that are
/// trusted beside the system's have changed.
#[derive(Debug)]
pub(super) struct Encrypted {
    resolver: Resolver,
    /// How often their file is looked at.
    every: Duration,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    extra: Option<CaFile>,
    looked_at: Instant,
    client: Option<Client>,
}

impl Encrypted {
    pub(super) fn new(resolver: Resolver, extra: Option<CaFile>, every: Duration) -> Self {
        let made = Made { extra, looked_at: Instant::now(), client: None };
        Self { resolver, every, made: Mutex::new(made) }
    }

    pub(super) async fn client(&self) -> Result<Client, OutboundError> {
        let mut made = self.made.lock().await;
        let now = Instant::now();
        let is_due = made.extra.is_some() && now.duration_since(made.looked_at) >= self.every;
        if let Some(client) = made.client.as_ref().filter(|_| !is_due) {
            return Ok(client.clone());
        }
        let (resolver, before, mut extra) = (self.resolver.clone(), made.client.clone(), made.extra.clone());
        let look = move || {
            let has_changed = is_due && extra.as_mut().is_some_and(CaFile::renew);
            let client = match before.filter(|_| !has_changed) {
                Some(client) => Ok(client),
                None => encrypted(&resolver, extra.as_ref().map(CaFile::certificates).unwrap_or_default()),
            };
            (extra, client)
        };
        let (extra, client) = tokio::task::spawn_blocking(look).await.map_err(|_| OutboundError::Broken)?;
        *made = Made { extra, looked_at: now, client: client.as_ref().ok().cloned() };
        Ok(client?)
    }
}

/// Trusts the system's CAs and `extra`.
fn encrypted(resolver: &Resolver, extra: &[Certificate]) -> Result<Client, reqwest::Error> {
    let builder = || builder().https_only(true).dns_resolver(resolver.clone());
    builder().tls_certs_merge(extra.iter().cloned()).build().or_else(|error| {
        // `extra` was checked, so it is that the system has no certificates.
        tracing::warn!(%error, "no CA certificates of the system: outbound calls trust the CA bundle alone");
        builder().tls_certs_only(extra.iter().cloned()).build()
    })
}

/// What holds for every connection. No proxy, whatever the environment says: a proxy would resolve
/// and connect itself, and the policy would judge only the proxy.
pub(super) fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW)
}
