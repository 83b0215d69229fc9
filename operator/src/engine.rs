//! The engine: changes go in, reconciles run, writes go out through [`Cluster`].
//!
//! The Kubernetes watches and the embedded mode feed the same engine. Whoever runs it makes sure
//! that it is the leader, and ends [`Engine::run`] the moment it no longer is.

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::acknowledgement::Frame;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::metrics::Metrics;

/// What the engine must be told of its surroundings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the provider is reached from outside, without a trailing slash: the issuers' root.
    pub external_url: String,
    /// Namespace of ring Secrets.
    pub operator_namespace: String,
    /// Namespace of published Secrets.
    pub published_namespace: String,
    /// How many reconciles run at once.
    pub workers: usize,
}

/// What was seen of an object.
#[derive(Clone, Debug)]
pub enum Seen<T> {
    /// It is there, new or changed or as before.
    Applied(Box<T>),
    /// It is no longer there. A watch that lists anew says so for all that it no longer finds.
    Deleted(ObjectName),
}

/// What a watch tells. The order within one kind is that of the watch; between kinds there is none.
#[derive(Clone, Debug)]
pub enum Change {
    /// A Tenant.
    Tenant(Seen<Tenant>),
    /// An OAuthClient.
    OAuthClient(Seen<OAuthClient>),
    /// A SigningKey.
    SigningKey(Seen<SigningKey>),
    /// A User.
    User(Seen<User>),
    /// A Namespace; the namespace part of a deleted one's name is empty.
    Namespace(Seen<Namespace>),
    /// A Secret of the published namespace, with its data.
    Published(Seen<Secret>),
    /// A Secret of the operator's namespace labelled `claviger.dev/holds=ring`; its data is not
    /// looked at and may be left out.
    Ring(Seen<Secret>),
    /// Every watch has listed everything: decisions that rest on absence may be taken.
    Synced,
}

/// The operator's mind.
pub struct Engine {
    _private: (),
}

impl Engine {
    /// An engine that knows nothing yet and does nothing until [`Engine::run`].
    pub fn new(cluster: Arc<dyn Cluster>, options: Options, clock: Arc<dyn Clock>, metrics: Metrics) -> Arc<Self>;
    /// Takes in what a watch saw. Never blocks on I/O.
    pub fn change(&self, change: Change);
    /// Discovery names a provider pod: `key` tells it from others, `name` is for people.
    pub fn pod_found(&self, key: &str, name: &str);
    /// The pod said something.
    pub fn acknowledge(&self, key: &str, frame: Frame);
    /// The pod's stream ended; it is still waited for.
    pub fn pod_lost(&self, key: &str);
    /// Discovery no longer names the pod.
    pub fn pod_gone(&self, key: &str);
    /// Discovery has named every pod there is, so that the engine knows for whom it waits. Until
    /// then, and until each has reported or ten seconds have passed, no status is written.
    pub fn providers_listed(&self);
    /// Works until `shutdown`, and ends only after every reconcile that was begun.
    pub async fn run(self: &Arc<Self>, shutdown: CancellationToken);
}
