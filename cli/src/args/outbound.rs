//! Settings of outbound calls, for whatever serves.

use std::path::PathBuf;

use clap::Args;
use claviger_provider::outbound::Allow;

const HEADING: &str = "Outbound calls";

/// Calls to clients' own servers: their keys (`jwks_uri`), and logouts that they are told of.
#[derive(Debug, Args)]
pub(crate) struct OutboundArgs {
    /// Certificates (PEM) of CAs that clients' servers may have besides the system's; read again when the file
    /// changes
    #[arg(long, env = "CLAVIGER_CA_BUNDLE", value_name = "FILE", help_heading = HEADING)]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// What may be called though it is not public or not over https: a host name, an address or a
    /// network; may be repeated. Whoever writes an OAuthClient may then have it called
    #[arg(
        long,
        env = "CLAVIGER_OUTBOUND_ALLOW",
        value_name = "HOST|CIDR",
        value_delimiter = ',',
        help_heading = HEADING
    )]
    pub(crate) outbound_allow: Vec<Allow>,
}
