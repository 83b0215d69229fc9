//! The published namespace's Secrets as streams of events that never end.
//!
//! Owns everything that can go wrong between here and the API server: what never answers, errors
//! and their back-off, and the metrics that tell of them. It only reads. A provider goes on serving
//! whatever happens here.

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::client::Body;
use kube::runtime::watcher::{self, Config, DefaultBackoff, Event, watcher};
use kube::{Api, Client};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The API server ends a watch after so many seconds, and so it is known soon when it cannot.
const WATCH_SECONDS: u32 = 30;
/// For the head of an answer: kube itself would wait for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// For a page of a list.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Objects in a page.
const PAGE: u32 = 500;

/// Whether the API server answers. Clones count into the same.
#[derive(Clone, Debug, Default)]
pub struct WatchHealth {
    connected: Gauge,
    last_answer: Gauge,
}

impl WatchHealth {
    /// Shown by `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "watch_connected",
            "1 while the API server answers; at 0 the last good configuration is served",
            self.connected.clone(),
        );
        registry.register(
            "watch_last_answer_timestamp_seconds",
            "When the API server last answered",
            self.last_answer.clone(),
        );
    }

    fn answered(&self, now: Timestamp) {
        self.connected.set(1);
        self.last_answer.set(now.as_second());
    }

    fn failed(&self) {
        self.connected.set(0);
    }

    /// Whether the API server answered when it was last asked.
    pub fn is_connected(&self) -> bool {
        self.connected.get() == 1
    }
}

/// Secrets of one namespace.
#[derive(Clone)]
pub(crate) struct Secrets {
    api: Api<Secret>,
    health: WatchHealth,
}

impl Secrets {
    /// Those of `namespace`. `now` is for the metrics.
    pub(crate) fn new(
        client: Client,
        namespace: &str,
        health: WatchHealth,
        now: impl Fn() -> Timestamp + Clone + Send + 'static,
    ) -> Self {
        let client = impatient(client, health.clone(), now);
        Self { api: Api::namespaced(client, namespace), health }
    }

    /// Those that bear the label `key`, whatever its value.
    pub(crate) fn labelled(&self, key: &str) -> impl Stream<Item = Event<Secret>> + Send + use<> {
        self.events(config().labels(key))
    }

    /// The one called `name`.
    pub(crate) fn named(&self, name: &str) -> impl Stream<Item = Event<Secret>> + Send + use<> {
        self.events(config().fields(&format!("metadata.name={name}")))
    }

    fn events(&self, config: Config) -> impl Stream<Item = Event<Secret>> + Send + use<> {
        let events =
            Events { secrets: self.clone(), config, watcher: None, listing: true, backoff: DefaultBackoff::default() };
        futures::stream::unfold(events, |mut events| async move { Some((events.next().await, events)) })
    }
}

/// List, then watch: a list that is read from a quorum, never from an old cache.
fn config() -> Config {
    Config::default().timeout(WATCH_SECONDS).page_size(PAGE)
}

struct Events {
    secrets: Secrets,
    config: Config,
    watcher: Option<BoxStream<'static, watcher::Result<Event<Secret>>>>,
    listing: bool,
    backoff: DefaultBackoff,
}

impl Events {
    async fn next(&mut self) -> Event<Secret> {
        loop {
            let watcher =
                self.watcher.get_or_insert_with(|| watcher(self.secrets.api.clone(), self.config.clone()).boxed());
            // A watch may be silent and guards itself; a list may not.
            let next = if self.listing {
                tokio::time::timeout(PAGE_TIMEOUT, watcher.next()).await
            } else {
                Ok(watcher.next().await)
            };
            match next {
                Ok(Some(Ok(event))) => {
                    match event {
                        Event::Init => self.listing = true,
                        Event::InitDone => self.listing = false,
                        Event::Apply(_) | Event::Delete(_) | Event::InitApply(_) => {}
                    }
                    return event;
                }
                Ok(Some(Err(error))) => self.failed(&describe(&error)).await,
                Ok(None) | Err(_) => {
                    (self.watcher, self.listing) = (None, true);
                    self.failed("no answer").await;
                }
            }
        }
    }

    /// Tells of it and waits: from 0.2 s to 8 s, at random within, so that pods do not come back
    /// to a recovering API server all at once.
    async fn failed(&mut self, problem: &str) {
        self.secrets.health.failed();
        tracing::warn!(problem, "the published namespace cannot be watched; what was loaded is served");
        let pause = self.backoff.next().unwrap_or(Duration::from_secs(30)) / 4;
        tokio::time::sleep(pause).await;
    }
}

/// The problem without the content of a Secret, which a parser's message could quote.
fn describe(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => match error {
            kube::Error::SerdeError(error) => {
                format!("unreadable answer at line {}, column {}", error.line(), error.column())
            }
            error => error.to_string(),
        },
        error => error.to_string(),
    }
}

/// A client whose calls fail when the head of the answer does not come in time, and that keeps
/// `health`.
fn impatient(client: Client, health: WatchHealth, now: impl Fn() -> Timestamp + Clone + Send + 'static) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (client, health, now) = (client.clone(), health.clone(), now.clone());
        async move {
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, client.send(request)).await;
            match &answer {
                Ok(Ok(answer)) if answer.status().is_success() => health.answered(now()),
                Ok(_) | Err(_) => health.failed(),
            }
            answer.map_err(tower::BoxError::from)?.map_err(tower::BoxError::from)
        }
    });
    Client::new(service, namespace)
}
