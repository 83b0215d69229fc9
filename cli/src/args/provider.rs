//! Settings of `claviger provider`.

use std::net::SocketAddr;

use clap::Args;

/// Run a provider: published configuration to OpenID Connect.
///
/// Finds the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the Pod's ServiceAccount.
#[derive(Debug, Args)]
pub(crate) struct ProviderArgs {
    /// Address of the public endpoints
    #[arg(long, env = "CLAVIGER_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,
    /// Address of health, readiness and metrics; never exposed
    #[arg(long, env = "CLAVIGER_INTERNAL_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    pub(crate) internal_listen: SocketAddr,
    /// Address that the operator dials over mutual TLS; never exposed
    #[arg(long, env = "CLAVIGER_ACKNOWLEDGEMENT_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:9443")]
    pub(crate) acknowledgement_listen: SocketAddr,
    /// Namespace of the published Secrets
    #[arg(long, env = "CLAVIGER_PUBLISHED_NAMESPACE", value_name = "NAME", default_value = "claviger-published")]
    pub(crate) published_namespace: String,
    /// Name of this Pod [default: made up]
    #[arg(long, env = "CLAVIGER_POD_NAME", value_name = "NAME")]
    pub(crate) pod_name: Option<String>,
    /// UID of this Pod [default: made up]
    #[arg(long, env = "CLAVIGER_POD_UID", value_name = "UID")]
    pub(crate) pod_uid: Option<String>,
}
