//! The operator in a cluster: one internal port, one election, one term after the other.
//!
//! A process that loses the leadership stands by again and may lead again, with everything made
//! anew: to end instead would make an outage of the API server longer by the pauses between
//! restarts. Only a fault of ours ends the process, and then what restarts it begins afresh.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::Client;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::cluster::lease::{Election, Timing};
use crate::internal::{self, Stage};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::term::{Fault, Term};

/// Why an operator ended other than by a shutdown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The internal address cannot be listened on.
    #[error("cannot listen on {address} for health and metrics")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A part of the operator ended by itself.
    #[error("{0} ended by itself")]
    Ended(&'static str),
    /// A call or a computation did not end after the term was over. The lease is not given back:
    /// the next leader waits until it has run out.
    #[error("the last reconciles did not end in time")]
    Hung,
}

/// Stands by, leads, and stands by again, until `shutdown`; then gives the lease back.
///
/// # Errors
/// [`RunError`]; an API server that is away is none.
pub async fn run(client: Client, settings: Settings, shutdown: CancellationToken) -> Result<(), RunError> {
    let address = settings.internal_listen;
    let listener = TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })?;
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let (stage, stages) = watch::channel(Stage::Starting);
    let candidate = Candidate { client, settings: Arc::new(settings), metrics, stage };
    tokio::select! {
        // Told from the first moment on, whatever the rest does to end.
        () = leaving(&candidate.stage, &shutdown) => Ok(()),
        () = internal::serve(listener, stages, Arc::new(registry)) => Err(RunError::Ended("the internal port")),
        result = candidate.run(&shutdown) => result,
    }
}

/// Says that the process leaves, once it does; never ends.
async fn leaving(stage: &watch::Sender<Stage>, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    stage.send_replace(Stage::Leaving);
    std::future::pending().await
}

/// A process that leads at times.
struct Candidate {
    client: Client,
    settings: Arc<Settings>,
    metrics: Metrics,
    stage: watch::Sender<Stage>,
}

impl Candidate {
    async fn run(&self, shutdown: &CancellationToken) -> Result<(), RunError> {
        let Settings { operator_namespace, identity, .. } = &*self.settings;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let timing = Timing::default();
        let mut election =
            Election::new(self.client.clone(), operator_namespace, identity.clone(), timing, Arc::clone(&clock));
        loop {
            let answered = || self.enter(Stage::StandingBy, shutdown);
            let Some(leadership) = election.win(answered, shutdown).await else { return Ok(()) };
            self.enter(Stage::Leading, shutdown);
            let term = Term {
                client: self.client.clone(),
                settings: Arc::clone(&self.settings),
                clock: Arc::clone(&clock),
                metrics: self.metrics.clone(),
                leadership: leadership.clone(),
            };
            // The lease is kept until the last write, also while the term comes to its end.
            let over = CancellationToken::new();
            let term = async {
                let result = term.run(shutdown).await;
                over.cancel();
                result
            };
            let (result, ()) = tokio::join!(term, election.keep(&leadership, &over));
            if result == Err(Fault::Hung) {
                return Err(RunError::Hung);
            }
            if leadership.is_current() {
                election.release(&leadership).await;
            }
            match result {
                Err(Fault::Ended(part)) => return Err(RunError::Ended(part)),
                _ if shutdown.is_cancelled() => return Ok(()),
                _ => {
                    tracing::warn!(identity, "the leadership is lost: standing by");
                    self.enter(Stage::StandingBy, shutdown);
                }
            }
        }
    }

    fn enter(&self, stage: Stage, shutdown: &CancellationToken) {
        // What leaves stays so.
        if !shutdown.is_cancelled() {
            self.stage.send_replace(stage);
        }
    }
}
