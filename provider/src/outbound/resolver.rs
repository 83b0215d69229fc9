//! Names become addresses here, and only addresses that the policy permits come out.
//!
//! The connection is made to what this returns, without asking DNS again: a name that answers with a
//! public address first and a private one next (DNS rebinding) gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::policy::Policy;

/// Lookups at once. Each takes a thread for as long as the name's servers like, longer than the call
/// that wanted it.
const LOOKUPS: usize = 32;
/// Addresses that are tried for one name.
const ADDRESSES: usize = 8;

/// Asks for the addresses of a name, and blocks.
pub(super) type Lookup = fn(&str) -> io::Result<Vec<IpAddr>>;

/// Why a name has no address for us.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("the name has no address that may be called")]
    Refused,
    #[error("the name cannot be resolved")]
    Unresolved,
}

/// Resolves as the policy permits.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    policy: Arc<Policy>,
    lookup: Lookup,
    lookups: Arc<Semaphore>,
    plain: bool,
}

impl Resolver {
    /// For connections over https.
    pub(super) fn new(policy: Arc<Policy>, lookup: Lookup) -> Self {
        Self { policy, lookup, lookups: Arc::new(Semaphore::new(LOOKUPS)), plain: false }
    }

    /// For connections over plain http, with the same bound.
    pub(super) fn plain(&self) -> Self {
        Self { plain: true, ..self.clone() }
    }

    async fn addresses(self, host: String) -> Result<Vec<SocketAddr>, ResolveError> {
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(|_| ResolveError::Unresolved)?;
        let (lookup, name) = (self.lookup, host.clone());
        let blocking = tokio::task::spawn_blocking(move || {
            // Held by the thread: the one who asks may have gone.
            let _held = permit;
            lookup(&name)
        });
        let found = blocking.await.ok().and_then(Result::ok).filter(|found| !found.is_empty());
        let found = found.ok_or(ResolveError::Unresolved)?;
        let permitted = found.into_iter().filter(|address| match self.plain {
            true => self.policy.allows(&host, *address),
            false => self.policy.permits(&host, *address),
        });
        // Port 0: the URL's port.
        let permitted: Vec<_> = permitted.take(ADDRESSES).map(|address| SocketAddr::new(address, 0)).collect();
        if permitted.is_empty() { Err(ResolveError::Refused) } else { Ok(permitted) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Addrs = Box::new(addresses.await?.into_iter());
            Ok(addresses)
        })
    }
}

/// As the system resolves, `/etc/hosts` and search domains included.
pub(super) fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}
