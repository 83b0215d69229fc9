//! One term of leadership: everything that a leader does, from its election to its last write.
//!
//! A term has an engine of its own, which knows nothing of earlier ones. It ends when the process
//! is to end or the leadership is lost; then reconciles that were begun are awaited, not cut: after
//! a loss their writes fail at once, before a shutdown they may finish. Called by [`crate::run`].

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::Client;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::cluster::acknowledge::{self, News};
use crate::cluster::authority::Authority;
use crate::cluster::discover;
use crate::cluster::kubernetes::{KubernetesCluster, Turns};
use crate::cluster::lease::Leadership;
use crate::cluster::server_time;
use crate::cluster::service_account_keys::ServiceAccountKeys;
use crate::cluster::watch::Watches;
use crate::engine::{Engine, Options};
use crate::metrics::Metrics;
use crate::settings::Settings;

/// How many reconciles run at once: most of their time is the API server's.
const WORKERS: usize = 16;
/// How often the clocks are compared.
const CLOCKS: Duration = Duration::from_secs(60);
/// Reconciles that were begun end within this: longer than any one call may take.
const LAST_CALLS: Duration = Duration::from_secs(20);

/// Why a term ended that should have gone on. Faults of ours: the process cannot be trusted to
/// lead again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A part ended by itself. All others have ended since.
    Ended(&'static str),
    /// Something did not end, and may still write.
    Hung,
}

/// What a term needs.
pub(crate) struct Term {
    pub(crate) client: Client,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) leadership: Leadership,
}

/// The running parts, each with its name.
struct Parts {
    tasks: JoinSet<&'static str>,
    over: CancellationToken,
}

impl Term {
    /// Leads until `shutdown`, or until the leadership is lost.
    pub(crate) async fn run(self, shutdown: &CancellationToken) -> Result<(), Fault> {
        self.metrics.leads();
        let mut parts = Parts { tasks: JoinSet::new(), over: CancellationToken::new() };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = self.leadership.lost().cancelled() => {}
            () = self.start(&mut parts) => {}
        }
        let ended = tokio::select! {
            biased;
            () = shutdown.cancelled() => Ok(()),
            () = self.leadership.lost().cancelled() => Ok(()),
            ended = parts.ended() => Err(Fault::Ended(ended)),
        };
        let stopped = parts.stop().await;
        self.metrics.leads_no_more();
        if stopped { ended } else { Err(Fault::Hung) }
    }

    async fn start(&self, parts: &mut Parts) {
        let Self { client, settings, clock, metrics, leadership } = self;
        let Settings { operator_namespace, published_namespace, identity, .. } = &**settings;
        let turns = Turns::new(settings.api_rate, metrics.clone());
        let cluster: Arc<dyn Cluster> =
            Arc::new(KubernetesCluster::new(client.clone(), leadership.clone(), turns, identity));
        let options = Options {
            external_url: settings.external_url.clone(),
            operator_namespace: operator_namespace.clone(),
            published_namespace: published_namespace.clone(),
            workers: WORKERS,
        };
        let engine = Engine::new(Arc::clone(&cluster), options, Arc::clone(clock), metrics.clone());
        // Before anything is decided by a time that somebody else wrote.
        compare_clocks(client, clock, &engine).await;
        parts.spawn("the comparison of clocks", clocks(client.clone(), Arc::clone(clock), Arc::clone(&engine)).boxed());

        let mut keys = ServiceAccountKeys::new(client.clone(), Arc::clone(&engine));
        // Likewise: else an issuer that is the cluster's own would be published for a moment.
        keys.read().await;
        parts.spawn("the reading of the cluster's keys", async move { keys.run().await }.boxed());

        let authority = Authority::new(cluster, Arc::clone(clock), operator_namespace, published_namespace);
        let configs = authority.client_config();
        let touched = Arc::new(Notify::new());
        let (over, changed) = (parts.over.clone(), Arc::clone(&touched));
        parts.spawn("the authority", async move { authority.run(&changed, &over).await }.boxed());

        let (seeing, sights) = watch::channel(None);
        let (discoverer, providers) = (client.clone(), settings.providers.clone());
        parts.spawn("discovery", async move { discover::run(discoverer, providers, &seeing).await }.boxed());
        let listener = Arc::clone(&engine);
        let ear = Box::new(move |news| hear(&listener, news));
        parts.spawn("the provider pods' streams", acknowledge::run(sights, configs, ear).boxed());

        let told = Arc::clone(&engine);
        let sink = Arc::new(move |change| told.change(change));
        let (client, over) = (client.clone(), parts.over.clone());
        let mut watches = Watches::start(client, operator_namespace, published_namespace, sink, touched, over);
        let watching = async move {
            watches.synced().await;
            tracing::info!("everything is listed");
            watches.ended().await;
        };
        parts.spawn("a watch", watching.boxed());
        // Last: it is the one that has to end by itself.
        let over = parts.over.clone();
        parts.engine(async move { engine.run(over).await }.boxed());
    }
}

impl Parts {
    /// A part that may be cut off at any time.
    fn spawn(&mut self, name: &'static str, part: BoxFuture<'static, ()>) {
        let over = self.over.clone();
        self.tasks.spawn(async move {
            over.run_until_cancelled(part).await;
            name
        });
    }

    /// A part that ends by itself when it is over.
    fn engine(&mut self, part: BoxFuture<'static, ()>) {
        self.tasks.spawn(async move {
            part.await;
            "the engine"
        });
    }

    /// Waits until a part ends.
    async fn ended(&mut self) -> &'static str {
        match self.tasks.join_next().await {
            Some(Ok(name)) => name,
            Some(Err(_)) => "a part that panicked",
            None => "everything",
        }
    }

    /// Ends all. Whether they did.
    async fn stop(mut self) -> bool {
        self.over.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(LAST_CALLS, all).await.is_ok()
    }
}

fn hear(engine: &Engine, news: News) {
    match news {
        News::Found { key, name } => engine.pod_found(&key, &name),
        News::Said { key, frame } => engine.acknowledge(&key, frame),
        News::Lost { key } => engine.pod_lost(&key),
        News::Gone { key } => engine.pod_gone(&key),
        News::Listed => engine.providers_listed(),
    }
}

async fn clocks(client: Client, clock: Arc<dyn Clock>, engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(CLOCKS).await;
        compare_clocks(&client, &clock, &engine).await;
    }
}

async fn compare_clocks(client: &Client, clock: &Arc<dyn Clock>, engine: &Engine) {
    // An API server that does not say is no reason to stop: it was compared before, or will be.
    let Some(offset) = server_time::offset(client, &**clock).await else { return };
    tracing::debug!(offset, "seconds between the API server's clock and ours");
    engine.server_clock(offset);
}
