//! Settings of `claviger operator`: values, read by the command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;

/// What an operator in a cluster must be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the provider is reached from outside, without a trailing slash: the issuers' root.
    pub external_url: String,
    /// Namespace of rings, the lease and the internal CA.
    pub operator_namespace: String,
    /// Namespace of the published Secrets.
    pub published_namespace: String,
    /// Name of this process in the leader election; no other process may bear it at the same time.
    pub identity: String,
    /// Which provider pods there are.
    pub providers: Providers,
    /// Address of health, readiness and metrics; never exposed.
    pub internal_listen: SocketAddr,
    /// How often reconciles may call the API server. Watches and the lease are not held up by it.
    pub api_rate: Rate,
}

/// How provider pods are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Providers {
    /// The `host:port` of each one's acknowledgement port.
    Static(Vec<String>),
    /// The EndpointSlices of a Service name them.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many a second for ever.
    pub per_second: NonZeroU32,
    /// So many at once after a rest.
    pub burst: NonZeroU32,
}
