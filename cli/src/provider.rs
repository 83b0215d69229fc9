//! `claviger provider`: settings to the provider's entry point.

use std::process::ExitCode;

use claviger_provider::server::Limits;
use claviger_provider::settings::Settings;

use crate::args::ProviderArgs;
use crate::kubernetes;
use crate::runtime::{runtime, shutdown_on_signal};

/// Runs until a signal ends it.
pub(crate) fn run(args: ProviderArgs) -> anyhow::Result<ExitCode> {
    let pod_uid = args.pod_uid.unwrap_or_else(claviger_jose::random::hex128);
    let settings = Settings {
        listen: args.listen,
        internal_listen: args.internal_listen,
        acknowledgement_listen: args.acknowledgement_listen,
        published_namespace: args.published_namespace,
        pod_name: args.pod_name.unwrap_or_else(|| format!("provider-{pod_uid}")),
        pod_uid,
        limits: Limits::default(),
    };
    // Signing is what costs time here: one worker a core.
    runtime(None)?.block_on(async {
        let shutdown = shutdown_on_signal()?;
        claviger_provider::run(kubernetes::client().await?, settings, shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })
}
