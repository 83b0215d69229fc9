//! `claviger provider`: settings to the provider's entry point.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use claviger_provider::server::Limits;
use claviger_provider::settings::Settings;
use claviger_provider::store::StoreOptions;
use claviger_provider::{ProxyHeader, TrustedProxies};

use crate::args::{ProviderArgs, ProxyHeaderName};
use crate::runtime::run_until_signal;
use crate::{kubernetes, outbound};

/// The store that is gone with the process.
const MEMORY: &str = "sqlite::memory:";

/// Runs until a signal ends it.
pub(crate) fn run(args: ProviderArgs) -> anyhow::Result<ExitCode> {
    if args.store.expose() == MEMORY {
        tracing::warn!(
            "logins and refresh tokens are kept in memory: they end with this pod, and no other pod knows them; \
             --store sqlite:///path/file.db keeps them, --store postgres://… shares them"
        );
    }
    let settings = settings(args)?;
    // Signing is what costs time here: one worker a core.
    run_until_signal(None, async |shutdown| {
        claviger_provider::run(kubernetes::client().await?, settings, shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn settings(args: ProviderArgs) -> anyhow::Result<Settings> {
    // Neither the value nor what could be read of it is told: it holds a password.
    let mut store = StoreOptions::parse(args.store.expose()).context("--store")?;
    store.max_connections = args.store_max_connections.unwrap_or(store.max_connections);
    store.acquire_timeout = Duration::from_secs(args.store_acquire_timeout.as_secs().into());
    store.statement_timeout = Duration::from_secs(args.store_statement_timeout.as_secs().into());
    let header = match args.proxy_header {
        ProxyHeaderName::XForwardedFor => ProxyHeader::XForwardedFor,
        ProxyHeaderName::Forwarded => ProxyHeader::Forwarded,
    };
    let pod_uid = args.pod_uid.unwrap_or_else(claviger_jose::random::hex128);
    Ok(Settings {
        listen: args.listen,
        internal_listen: args.internal_listen,
        acknowledgement_listen: args.acknowledgement_listen,
        published_namespace: args.published_namespace,
        pod_name: args.pod_name.unwrap_or_else(|| format!("provider-{pod_uid}")),
        pod_uid,
        store,
        outbound: outbound::options(args.outbound)?,
        trusted_proxies: TrustedProxies { count: args.trusted_proxies, header },
        limits: Limits::default(),
    })
}
