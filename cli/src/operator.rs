//! `claviger operator`: settings to the operator's entry point.

use std::process::ExitCode;

use anyhow::ensure;
use claviger_operator::{Providers, Rate, Settings};

use crate::args::OperatorArgs;
use crate::runtime::run_until_signal;
use crate::{external_url, kubernetes};

/// It waits for the network far more than it computes; keys are made on threads of their own.
const THREADS: usize = 2;

/// Runs until a signal ends it.
pub(crate) fn run(args: OperatorArgs) -> anyhow::Result<ExitCode> {
    let settings = settings(args)?;
    run_until_signal(Some(THREADS), async |shutdown| {
        claviger_operator::run(kubernetes::client().await?, settings, shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn settings(args: OperatorArgs) -> anyhow::Result<Settings> {
    let providers = match args.provider_service {
        None => {
            ensure!(!args.provider.is_empty(), "name the providers: --provider-service, or --provider for each");
            Providers::Static(args.provider)
        }
        Some(service) => Providers::Service {
            namespace: service.namespace.unwrap_or_else(|| args.operator_namespace.clone()),
            name: service.name,
        },
    };
    let identity = match args.identity {
        Some(identity) => identity,
        None => format!("claviger-{}", claviger_jose::random::hex128()),
    };
    Ok(Settings {
        external_url: external_url::root(&external_url::parse(&args.external_url)?),
        operator_namespace: args.operator_namespace,
        published_namespace: args.published_namespace,
        identity,
        providers,
        internal_listen: args.internal_listen,
        api_rate: Rate { per_second: args.kube_api_qps, burst: args.kube_api_burst },
    })
}
