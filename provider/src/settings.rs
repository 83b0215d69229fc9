//! Settings of `claviger provider`: values, read by the command line.

use std::net::SocketAddr;

use crate::outbound::OutboundOptions;
use crate::server::Limits;
use crate::store::StoreOptions;
use crate::web::client_address::TrustedProxies;

/// What a provider in a cluster must be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the public endpoints.
    pub listen: SocketAddr,
    /// Address of health, readiness and metrics; never exposed.
    pub internal_listen: SocketAddr,
    /// Address that the operator dials over mutual TLS; never exposed.
    pub acknowledgement_listen: SocketAddr,
    /// Namespace of the published Secrets.
    pub published_namespace: String,
    /// Name of this Pod, or what else tells this provider from others.
    pub pod_name: String,
    /// UID of this Pod, or one that was made up for this process.
    pub pod_uid: String,
    /// What it remembers between requests.
    pub store: StoreOptions,
    /// Whom outbound calls trust and reach beside public https.
    pub outbound: OutboundOptions,
    /// The proxies between clients and this pod.
    pub trusted_proxies: TrustedProxies,
    /// What the public endpoints' clients may take, and how long they drain. Delay and time to
    /// drain together have to fit into the Pod's `terminationGracePeriodSeconds`.
    pub limits: Limits,
}
