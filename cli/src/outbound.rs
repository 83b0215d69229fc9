//! Settings of outbound calls to what the provider wants of them.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use claviger_provider::outbound::OutboundOptions;

use crate::args::OutboundArgs;

/// What `args` say, with the CA bundle read.
///
/// # Errors
/// When the bundle cannot be read.
pub(crate) fn options(args: OutboundArgs) -> anyhow::Result<OutboundOptions> {
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("--ca-bundle: cannot read {}", path.display()));
    Ok(OutboundOptions { ca_bundle: args.ca_bundle.map(read).transpose()?, allow: args.outbound_allow })
}
