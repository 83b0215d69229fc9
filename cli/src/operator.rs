//! `claviger operator`: settings to the operator's entry point.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use claviger_operator::{Providers, Settings};
use url::Url;

use crate::args::OperatorArgs;
use crate::runtime::{api, runtime, shutdown_on_signal};

/// It waits for the network far more than it computes; keys are made on threads of their own.
const THREADS: usize = 2;

/// Runs until a signal ends it.
pub(crate) fn run(args: OperatorArgs) -> anyhow::Result<ExitCode> {
    let settings = settings(args)?;
    runtime(Some(THREADS))?.block_on(async {
        let shutdown = shutdown_on_signal()?;
        claviger_operator::run(api().await?, settings, shutdown).await?;
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
        external_url: external_url(&args.external_url)?,
        operator_namespace: args.operator_namespace,
        published_namespace: args.published_namespace,
        identity,
        providers,
        internal_listen: args.internal_listen,
    })
}

/// The URL as issuers begin with it: without a trailing slash.
fn external_url(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).with_context(|| format!("--external-url {text}"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "--external-url {text}: expected http:// or https://");
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    ensure!(plain, "--external-url {text}: may have no query, fragment or user");
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_url_is_one_that_an_issuer_can_have() {
        assert_eq!(external_url("https://login.example/").unwrap(), "https://login.example");
        assert_eq!(external_url("https://login.example/auth/").unwrap(), "https://login.example/auth");
        for bad in ["", "login.example", "ftp://login.example", "https://login.example?a", "https://me@login.example"] {
            assert!(external_url(bad).is_err(), "{bad}");
        }
    }
}
