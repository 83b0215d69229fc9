//! Which `Host` a request may bear.
//!
//! The attack is DNS rebinding: a page that the developer visits has its name point to 127.0.0.1,
//! and the browser takes our answers for that page's own. It cannot choose the `Host` header, so a
//! name that is not ours is refused before anything else looks at the request.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

/// The names that are ours.
#[derive(Debug)]
pub(super) struct Hosts {
    ours: BTreeSet<String>,
    port: u16,
    /// Hosts that Tenants declare as their own.
    declared: RwLock<BTreeSet<String>>,
}

impl Hosts {
    /// The external URL's authority, and the names of loopback with the port listened on.
    pub(super) fn new(external_url: &Url, listening: SocketAddr) -> Self {
        let port = listening.port();
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}"));
        let mut ours: BTreeSet<String> = loopback.into();
        // `127.0.0.2`, say, where that was asked for.
        ours.insert(listening.to_string());
        if let Some(host) = external_url.host_str() {
            // A client leaves the scheme's default port out; `Url` does too.
            ours.insert(external_url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")));
        }
        Self { ours, port, declared: RwLock::default() }
    }

    /// Tenants declare these hosts as their own.
    pub(super) fn declare(&self, hosts: impl IntoIterator<Item = String>) {
        let port = self.port;
        let both = |host: String| [format!("{host}:{port}"), host];
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).flat_map(both).collect();
        *self.declared.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    fn allow(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.ours.contains(&host) || self.declared.read().unwrap_or_else(PoisonError::into_inner).contains(&host)
    }
}

/// Refuses a request that names a foreign host (RFC 9110 §7.4), or none.
pub(super) async fn refuse_foreign(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    // Over HTTP/2 the name is in the URI.
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let mut headers = request.headers().get_all(header::HOST).iter();
    let (host, more) = (headers.next().and_then(|value| value.to_str().ok()), headers.next().is_some());
    let status = match (authority, host) {
        _ if more => StatusCode::BAD_REQUEST,
        (None, None) => StatusCode::BAD_REQUEST,
        (authority, host) if [authority, host].into_iter().flatten().all(|name| hosts.allow(name)) => {
            return next.run(request).await;
        }
        _ => StatusCode::MISDIRECTED_REQUEST,
    };
    (status, "this Host is not served here\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_with_our_port_are_allowed() {
        let url = Url::parse("https://Login.Example.dev/").expect("a URL");
        let hosts = Hosts::new(&url, SocketAddr::from(([127, 0, 0, 1], 8080)));
        for ours in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080", "login.example.dev"] {
            assert!(hosts.allow(ours), "{ours}");
        }
        for foreign in
            ["localhost", "localhost:80", "evil.example:8080", "", "127.0.0.1:8080.evil.example", "acme.example"]
        {
            assert!(!hosts.allow(foreign), "{foreign}");
        }
        hosts.declare(["Acme.example".to_owned()]);
        assert!(hosts.allow("acme.example") && hosts.allow("acme.example:8080"));
        hosts.declare([]);
        assert!(!hosts.allow("acme.example"));
    }
}
