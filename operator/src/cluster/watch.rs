//! The watches: what the API server tells becomes [`Change`]s of the engine.
//!
//! Each lists first and watches then, lists again when it has fallen behind, and says of what it no
//! longer finds that it is deleted. An object that cannot be read costs only itself: what was known
//! of it stays. Reads only. Called by [`crate::run`].

mod follow;
mod known;

use std::sync::Arc;

use claviger_crds::names::{ANNOTATION_ALLOW_CLIENTS, LABEL_HOLDS, ObjectName};
use claviger_crds::published::acknowledgement::TLS_SECRET;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{DeserializeGuard, PartialObjectMeta, Resource};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use self::follow::{Unread, follow};
use crate::engine::{Change, Seen};
use crate::signing_key::ring::HOLDS_RING;
use crate::tenant::sealing::HOLDS_SEALING;

/// A connection that died without a word is noticed after this many seconds and a few.
const WATCH_SECONDS: u32 = 60;

/// Where changes go.
pub(crate) type Sink = Arc<dyn Fn(Change) + Send + Sync>;

/// All watches of the operator, each a task; they end with the set.
pub(crate) struct Watches {
    client: Client,
    sink: Sink,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    listed: Vec<oneshot::Receiver<()>>,
}

impl Watches {
    /// Starts them. `tls_changed` is told when the providers' serving certificate was touched.
    pub(crate) fn start(
        client: Client,
        operator_namespace: &str,
        published_namespace: &str,
        sink: Sink,
        tls_changed: Arc<Notify>,
        shutdown: CancellationToken,
    ) -> Self {
        let mut watches = Self { client, sink, shutdown, tasks: JoinSet::new(), listed: Vec::new() };
        watches.resource("Tenant", Change::Tenant);
        watches.resource("SigningKey", Change::SigningKey);
        watches.resource("OAuthClient", Change::OAuthClient);
        watches.resource("User", Change::User);
        watches.namespaces();
        watches.service_accounts();
        watches.holding(HOLDS_RING, operator_namespace, Change::Ring);
        watches.holding(HOLDS_SEALING, operator_namespace, Change::Sealing);
        watches.published(published_namespace, tls_changed);
        watches
    }

    /// Waits until every watch has listed everything once, then tells the engine.
    pub(crate) async fn synced(&mut self) {
        for listed in std::mem::take(&mut self.listed) {
            // A watch that ended has been told to; then nobody waits for this either.
            if listed.await.is_err() {
                return self.shutdown.cancelled().await;
            }
        }
        (self.sink)(Change::Synced);
    }

    /// Ends when a watch does, which none does by itself.
    pub(crate) async fn ended(&mut self) {
        self.tasks.join_next().await;
    }

    fn resource<K>(&mut self, kind: &'static str, change: fn(Seen<K>) -> Change)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    {
        let api: Api<DeserializeGuard<K>> = Api::all(self.client.clone());
        let make = move || watcher(api.clone(), config()).boxed();
        // Custom resources hold no secrets: the reason may be shown.
        let read = |guard: DeserializeGuard<K>| guard.0.map_err(|invalid| Unread(invalid.error));
        self.watch(kind, make, read, change);
    }

    fn namespaces(&mut self) {
        let api: Api<PartialObjectMeta<Namespace>> = Api::all(self.client.clone());
        let make = move || watcher(api.clone(), config()).boxed();
        let read = |partial: PartialObjectMeta<Namespace>| {
            Ok(Namespace { metadata: partial.metadata, ..Namespace::default() })
        };
        self.watch("Namespace", make, read, Change::Namespace);
    }

    /// Nothing is kept of them but what a client's document rests on: there may be very many.
    fn service_accounts(&mut self) {
        let api: Api<PartialObjectMeta<ServiceAccount>> = Api::all(self.client.clone());
        let make = move || watcher(api.clone(), config()).boxed();
        let read = |partial: PartialObjectMeta<ServiceAccount>| {
            let ObjectMeta { name, namespace, uid, annotations, .. } = partial.metadata;
            let annotations =
                annotations.map(|all| all.into_iter().filter(|(key, _)| key == ANNOTATION_ALLOW_CLIENTS).collect());
            let metadata = ObjectMeta { name, namespace, uid, annotations, ..ObjectMeta::default() };
            Ok(ServiceAccount { metadata, ..ServiceAccount::default() })
        };
        self.watch("ServiceAccount", make, read, Change::ServiceAccount);
    }

    /// Secrets of the operator's namespace that hold `what`: their metadata alone.
    fn holding(&mut self, what: &'static str, namespace: &str, change: fn(Seen<Secret>) -> Change) {
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.client.clone(), namespace);
        let config = config().labels(&format!("{LABEL_HOLDS}={what}"));
        let make = move || watcher(api.clone(), config.clone()).boxed();
        let read = |partial: PartialObjectMeta<Secret>| Ok(Secret { metadata: partial.metadata, ..Secret::default() });
        self.watch(what, make, read, change);
    }

    fn published(&mut self, namespace: &str, tls_changed: Arc<Notify>) {
        let api: Api<DeserializeGuard<Secret>> = Api::namespaced(self.client.clone(), namespace);
        let make = move || watcher(api.clone(), config()).boxed();
        let read = |guard: DeserializeGuard<Secret>| {
            guard.0.map_err(|_| Unread("not shown, for it may quote the content".to_owned()))
        };
        let sink = Arc::clone(&self.sink);
        let tell = move |seen: Seen<Secret>| {
            if name_of(&seen).is_some_and(|name| name == TLS_SECRET) {
                tls_changed.notify_one();
            } else {
                sink(Change::Published(seen));
            }
        };
        self.spawn("published Secret", make, read, tell);
    }

    fn watch<S, O, K>(
        &mut self,
        what: &'static str,
        make: impl Fn() -> S + Send + 'static,
        read: impl Fn(O) -> Result<K, Unread> + Send + 'static,
        change: fn(Seen<K>) -> Change,
    ) where
        S: futures::Stream<Item = watcher::Result<watcher::Event<O>>> + Send + Unpin + 'static,
        O: kube::ResourceExt + Send + 'static,
        K: Send + 'static,
    {
        let sink = Arc::clone(&self.sink);
        self.spawn(what, make, read, move |seen| sink(change(seen)));
    }

    fn spawn<S, O, K>(
        &mut self,
        what: &'static str,
        make: impl Fn() -> S + Send + 'static,
        read: impl Fn(O) -> Result<K, Unread> + Send + 'static,
        tell: impl Fn(Seen<K>) + Send + 'static,
    ) where
        S: futures::Stream<Item = watcher::Result<watcher::Event<O>>> + Send + Unpin + 'static,
        O: kube::ResourceExt + Send + 'static,
        K: Send + 'static,
    {
        let (done, listed) = oneshot::channel();
        self.listed.push(listed);
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let mut done = Some(done);
            let listed = move || {
                if let Some(done) = done.take() {
                    // Nobody may be waiting any more.
                    let _ = done.send(());
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = follow(what, make, read, tell, listed) => {}
            }
        });
    }
}

/// How everything is listed and watched: pages of 500, from the newest version.
pub(crate) fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS).page_size(500)
}

fn name_of(seen: &Seen<Secret>) -> Option<&str> {
    match seen {
        Seen::Applied(secret) => secret.metadata.name.as_deref(),
        Seen::Deleted(ObjectName { name, .. }) => Some(name),
    }
}
