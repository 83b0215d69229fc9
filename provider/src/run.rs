//! A provider in a cluster: three ports, two watches, one end.
//!
//! The command line calls [`run`]. The operator and the API server may be away at any time: then
//! the provider goes on serving what it has, and is ready all the same once it has loaded it.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::outbound::{Outbound, SetupError};
use crate::provider::{Options, Provider};
use crate::secrets::Secrets;
use crate::served::Pod;
use crate::server::{Limits, serve};
use crate::settings::Settings;
use crate::tenant::watch;
use crate::tls::ServerTls;
use crate::{acknowledge, internal, store};

/// After a fault of ours in a watch.
const RESTART: Duration = Duration::from_secs(1);

/// Why a provider did not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for {port}")]
    Listen {
        /// What the port is for.
        port: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no store.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// Outbound calls cannot be made.
    #[error(transparent)]
    Outbound(#[from] SetupError),
}

/// Serves what is published in `settings.published_namespace` until `shutdown`, then drains.
///
/// # Errors
/// [`RunError`]; once it serves it fails no more.
pub async fn run(client: kube::Client, settings: Settings, shutdown: CancellationToken) -> Result<(), RunError> {
    let Ports { public, internal, acknowledgements } = Ports::bind(&settings).await?;
    let pod = Pod { name: settings.pod_name, uid: settings.pod_uid };
    let store = store::open(&settings.store).await?;
    let outbound = Arc::new(Outbound::new(settings.outbound)?);
    let provider = Provider::new(Options { pod, store, outbound, trusted_proxies: settings.trusted_proxies });
    let tls = ServerTls::new();
    let _watches = watches(client, &settings.published_namespace, &provider, &tls);

    // What tells of the public port ends after it: the operator waits for what is still served.
    let over = CancellationToken::new();
    let _over_if_dropped = over.clone().drop_guard();
    let mut inside = JoinSet::new();
    let ready = Arc::clone(&provider);
    let router = internal::router(move || ready.readiness(), provider.metrics());
    inside.spawn(serve(internal, router, Limits::internal(), None, over.clone()));
    let told = Arc::clone(&provider);
    let router = acknowledge::router(move || told.acknowledgements(), over.clone());
    inside.spawn(serve(acknowledgements, router, Limits::internal(), Some(tls), over.clone()));

    let mut beside = JoinSet::new();
    beside.spawn(Arc::clone(&provider).work(over.clone()));

    let leave = async {
        shutdown.cancelled().await;
        provider.leave();
    };
    let public = serve(public, provider.service(), settings.limits, None, shutdown.clone());
    let (report, ()) = tokio::join!(public, leave);
    tracing::info!(finished = report.finished, cut = report.cut, "drained");
    over.cancel();
    inside.join_all().await;
    beside.join_all().await;
    Ok(())
}

/// The watches, which end when the set is dropped.
fn watches(client: kube::Client, namespace: &str, provider: &Arc<Provider>, tls: &ServerTls) -> JoinSet<()> {
    let clock = Arc::clone(provider);
    let secrets = Secrets::new(client, namespace, provider.watch_health(), move || clock.now());
    let (provider, tls) = (Arc::clone(provider), tls.clone());
    let mut watches = JoinSet::new();
    let certificates = secrets.clone();
    watches.spawn(for_ever(move || watch::follow(secrets.clone(), Arc::clone(&provider))));
    watches.spawn(for_ever(move || acknowledge::follow(certificates.clone(), tls.clone())));
    watches
}

/// Runs `task` anew when a fault of ours has ended it: without it, changes would go unseen while
/// everything else looks well.
async fn for_ever<T: Future<Output = ()> + Send + 'static>(task: impl Fn() -> T) {
    loop {
        // In a set, so that it ends with this.
        let mut run = JoinSet::new();
        run.spawn(task());
        run.join_next().await;
        tracing::error!("a watch ended, and begins anew");
        tokio::time::sleep(RESTART).await;
    }
}

/// All ports, bound before anything else is done.
struct Ports {
    public: TcpListener,
    internal: TcpListener,
    acknowledgements: TcpListener,
}

impl Ports {
    async fn bind(settings: &Settings) -> Result<Self, RunError> {
        Ok(Self {
            public: bind("the public endpoints", settings.listen).await?,
            internal: bind("health and metrics", settings.internal_listen).await?,
            acknowledgements: bind("acknowledgements", settings.acknowledgement_listen).await?,
        })
    }
}

async fn bind(port: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { port, address, source })
}
