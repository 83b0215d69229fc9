//! Settings of `claviger provider`.

use std::convert::Infallible;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use claviger_crds::published::SecretText;
use claviger_crds::types::Duration;

use super::OutboundArgs;

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
    /// What is remembered between requests: sqlite:///path/file.db for one pod with a volume,
    /// postgres://user:password@host/database for any number of pods, over verified TLS unless it ends
    /// in ?sslmode=disable or is on this machine. In memory, logins and refresh tokens end with this pod.
    /// A password belongs into the environment: everybody on the machine sees a command line
    // Not read here: an error of the command line's would show the password.
    #[arg(
        long,
        env = "CLAVIGER_STORE",
        value_name = "URL",
        default_value = "sqlite::memory:",
        hide_env_values = true,
        value_parser = secret,
        help_heading = STORE
    )]
    pub(crate) store: SecretText,
    /// Connections to the store at most [default: 10; 3 for SQLite]
    #[arg(
        long,
        env = "CLAVIGER_STORE_MAX_CONNECTIONS",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = STORE
    )]
    pub(crate) store_max_connections: Option<u32>,
    /// How long a call waits for a connection to the store, such as 2s
    #[arg(
        long,
        env = "CLAVIGER_STORE_ACQUIRE_TIMEOUT",
        value_name = "DURATION",
        default_value = "2s",
        value_parser = positive,
        help_heading = STORE
    )]
    pub(crate) store_acquire_timeout: Duration,
    /// How long the store has for an answer, such as 4s
    #[arg(
        long,
        env = "CLAVIGER_STORE_STATEMENT_TIMEOUT",
        value_name = "DURATION",
        default_value = "4s",
        value_parser = positive,
        help_heading = STORE
    )]
    pub(crate) store_statement_timeout: Duration,
    /// Whom outbound calls trust and reach.
    #[command(flatten)]
    pub(crate) outbound: OutboundArgs,
    /// How many proxies are on every way to this pod. The address of a client, which throttles count
    /// by, is the one that the outermost of them wrote; with 0 it is the peer's
    #[arg(long, env = "CLAVIGER_TRUSTED_PROXIES", value_name = "NUMBER", default_value_t = 0, help_heading = PROXIES)]
    pub(crate) trusted_proxies: usize,
    /// The header that those proxies write
    #[arg(
        long,
        env = "CLAVIGER_PROXY_HEADER",
        value_name = "HEADER",
        default_value = "x-forwarded-for",
        help_heading = PROXIES
    )]
    pub(crate) proxy_header: ProxyHeaderName,
}

const STORE: &str = "Store";
const PROXIES: &str = "Proxies in front";

/// The header that proxies write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProxyHeaderName {
    /// Which most write.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

fn secret(text: &str) -> Result<SecretText, Infallible> {
    Ok(SecretText::new(text))
}

fn positive(text: &str) -> Result<Duration, String> {
    match text.parse::<Duration>() {
        Ok(duration) if duration.as_secs() > 0 => Ok(duration),
        Ok(_) => Err("must be 1s at least".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
