//! Settings of `claviger dev`, `claviger lint` and `claviger crds`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::OutboundArgs;

/// Serve a folder of YAML on this machine, without a cluster.
///
/// Reads Tenants, OAuthClients, SigningKeys, Users, Secrets and Namespaces from DIR and its
/// sub-folders (*.yaml, *.yml, *.json; hidden ones are left out), and follows every change. The
/// rules and the decisions are those of the operator. Keys, generated client secrets, logins and the
/// audit stream (audit.log) are kept in the state folder and survive a restart. Clients' servers on
/// loopback are called, over plain HTTP too, as if --outbound-allow named 127.0.0.0/8 and ::1.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Folder with the YAML
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Address to listen on; without --tls loopback only. Port 0 takes a free one
    #[arg(long, env = "CLAVIGER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Folder for keys, secrets and logins; made if it is not there, for this user alone
    #[arg(long, env = "CLAVIGER_STATE", value_name = "DIR", default_value = ".claviger")]
    pub(crate) state: PathBuf,
    /// URL under which clients reach this, the start of every issuer
    /// [default: http:// or, with --tls, https:// and the address listened on]
    #[arg(long, env = "CLAVIGER_EXTERNAL_URL", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) external_url: Option<String>,
    /// Serve HTTPS, with a certificate of a CA that is made for this state folder. It is good for
    /// localhost, 127.0.0.1, ::1 and the external URL's host, and for nothing else
    #[arg(long, env = "CLAVIGER_TLS")]
    pub(crate) tls: bool,
    /// Watch keys rotate in fast motion: let the clock run so many times as fast, up to 100000. All that
    /// is served lives by that clock, so tokens, sessions and logins expire as much sooner, and other
    /// programs find their times in the future. The state folder keeps how far it is ahead
    #[arg(
        long, env = "CLAVIGER_CLOCK_SPEED", value_name = "TIMES", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(crate) clock_speed: u32,
    /// Whom outbound calls trust and reach.
    #[command(flatten)]
    pub(crate) outbound: OutboundArgs,
}

/// Check a folder of YAML by every rule that needs no cluster.
///
/// These are the schema, its CEL rules and the rules between objects. Each fault is one line:
/// file:line: object: field: message. Exit code 1 when there are any.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Folder with the YAML
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// Print the CustomResourceDefinitions as YAML.
#[derive(Debug, Args)]
pub(crate) struct CrdsArgs {
    /// Write one file a kind into this folder instead
    #[arg(long, env = "CLAVIGER_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print a page about every field instead, in Markdown
    #[arg(long, env = "CLAVIGER_MARKDOWN", conflicts_with = "out")]
    pub(crate) markdown: bool,
}
