//! Settings of outbound calls to what the provider wants of them.

use anyhow::Context as _;
use claviger_provider::outbound::{CaFile, OutboundOptions};

use crate::args::OutboundArgs;

/// What `args` say, with the CA bundle read.
///
/// # Errors
/// When the bundle cannot be read, or holds what is no CA.
pub(crate) fn options(args: OutboundArgs) -> anyhow::Result<OutboundOptions> {
    let ca_bundle = args.ca_bundle.map(CaFile::read).transpose().context("--ca-bundle")?;
    Ok(OutboundOptions { ca_bundle, allow: args.outbound_allow })
}
