//! An engine over a [`World`], with a provider pod that serves what is published, run to quiet by
//! the test itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::acknowledgement::{Frame, PROTOCOL, Refused, Served};
use claviger_crds::published::{Content, Document, RevokedSecret, Stored};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

use super::{ManualClock, OPERATOR, PUBLISHED, Resource, World, fixtures};
use crate::clock::Clock;
use crate::engine::{Change, Engine, Options, Seen};
use crate::metrics::Metrics;
use crate::work::Kind;

/// See the module.
pub(crate) struct Harness {
    pub(crate) clock: ManualClock,
    pub(crate) world: World,
    pub(crate) engine: Arc<Engine>,
    pub(crate) metrics: Metrics,
    /// Looks at everything after each thing that happens.
    pub(crate) watchman: Option<fn(&Harness)>,
    pods: HashMap<String, Pod>,
}

/// A provider pod: what it serves, and whether it answers.
#[derive(Debug, Default)]
struct Pod {
    serving: HashMap<String, (u64, Served)>,
    documents: HashMap<String, Document>,
    wedged: bool,
    /// It has listed everything: a document that comes now was missing before.
    began: bool,
}

impl Harness {
    /// An engine that has seen an empty cluster and one pod, `pod-a`.
    pub(crate) async fn start() -> Self {
        let mut harness = Self::without_pods();
        harness.join("pod-a");
        harness.engine.providers_listed();
        harness.run().await;
        harness
    }

    /// An engine that has seen an empty cluster and no pod.
    pub(crate) fn without_pods() -> Self {
        let clock = ManualClock::new();
        let world = World::new(clock.clone());
        let metrics = Metrics::unregistered();
        let engine = engine(&world, &clock, &metrics);
        let harness = Self { clock, world, engine, metrics, watchman: None, pods: HashMap::new() };
        harness.deliver(harness.world.list());
        harness
    }

    /// Another engine takes over; the pods go on.
    pub(crate) fn restart(&mut self) {
        self.world.objects().writes_left = None;
        self.metrics = Metrics::unregistered();
        self.engine = engine(&self.world, &self.clock, &self.metrics);
        let changes = self.world.list();
        self.see(&changes);
        self.deliver(changes);
        let pods: Vec<String> = self.pods.keys().cloned().collect();
        for pod in pods {
            self.connect(&pod);
        }
        self.engine.providers_listed();
    }

    /// A pod joins and serves what is there.
    pub(crate) fn join(&mut self, pod: &str) {
        self.pods.insert(pod.to_owned(), Pod::default());
        let changes = self.world.list();
        self.see(&changes);
        self.pods.get_mut(pod).unwrap().began = true;
        self.connect(pod);
    }

    pub(crate) fn leave(&mut self, pod: &str) {
        self.pods.remove(pod);
        self.engine.pod_gone(pod);
    }

    /// The pod is there, and neither takes in nor says anything.
    pub(crate) fn wedge(&mut self, pod: &str, wedged: bool) {
        self.pods.get_mut(pod).unwrap().wedged = wedged;
        if !wedged {
            let changes = self.world.list();
            self.see(&changes);
            self.connect(pod);
        }
    }

    fn connect(&mut self, pod: &str) {
        self.engine.pod_found(pod, pod);
        let state = &self.pods[pod];
        if state.wedged {
            return;
        }
        let now = self.clock.now().wall;
        self.engine.acknowledge(pod, hello(pod, now));
        let documents = state.serving.values().map(|(_, served)| served.clone()).collect();
        self.engine.acknowledge(pod, Frame::Serving { documents });
        self.engine.acknowledge(pod, Frame::Synced);
    }

    fn deliver(&self, changes: Vec<Change>) {
        changes.into_iter().for_each(|change| self.engine.change(change));
    }

    /// The pods take in what was published, as providers do.
    fn see(&mut self, changes: &[Change]) -> Vec<(String, Frame)> {
        let mut said = Vec::new();
        for (name, pod) in self.pods.iter_mut().filter(|(_, pod)| !pod.wedged) {
            for change in changes {
                said.extend(pod.see(change).map(|frame| (name.clone(), frame)));
            }
        }
        said
    }

    /// Lets everything happen that can happen without time passing.
    pub(crate) async fn run(&mut self) {
        for round in 0.. {
            assert!(round < 500, "it never comes to rest: {:#?}", self.world.objects().writes);
            let changes = self.world.changes();
            let said = self.see(&changes);
            self.deliver(changes);
            for (pod, frame) in said {
                self.engine.acknowledge(&pod, frame);
            }
            self.watch();
            let worked = self.engine.drain().await;
            self.watch();
            if !worked && self.world.objects().nothing_new() {
                return;
            }
            if self.world.objects().writes_left == Some(0) {
                return;
            }
        }
    }

    fn watch(&self) {
        if let Some(watchman) = self.watchman {
            watchman(self);
        }
    }

    /// What each pod serves of an object, if it serves it.
    pub(crate) fn served(&self, kind: Kind, namespace: &str, name: &str) -> Vec<(&str, &Document)> {
        let document = names::published_secret(kind.as_str(), &ObjectName::new(namespace, name));
        let pods = self.pods.iter();
        pods.filter_map(|(pod, state)| Some((pod.as_str(), state.documents.get(&document)?))).collect()
    }

    /// Time passes in steps of at most a second, with heartbeats, and everything happens that then can.
    pub(crate) async fn pass(&mut self, mut time: Duration) {
        // Long waits in long steps: nothing in between is looked at.
        let step = if time > Duration::from_secs(600) { time / 200 } else { Duration::from_secs(1) };
        while !time.is_zero() {
            let by = time.min(step);
            time -= by;
            self.clock.advance(by);
            let now = self.clock.now().wall;
            for (name, _) in self.pods.iter().filter(|(_, pod)| !pod.wedged) {
                self.engine.acknowledge(name, Frame::Heartbeat { now });
            }
            self.engine.tick();
            self.run().await;
        }
    }

    pub(crate) async fn apply<K: Resource>(&mut self, yaml: &str) {
        self.world.apply(parse::<K>(yaml));
        self.run().await;
    }

    /// A tenant with a ring, a client, the API that it uses and a user, all live.
    pub(crate) async fn furnished() -> Self {
        let mut harness = Self::start().await;
        harness.furnish().await;
        harness
    }

    /// Applies them, all at once.
    pub(crate) async fn furnish(&mut self) {
        self.furnish_with(fixtures::SIGNING_KEY).await;
    }

    /// Applies them, with a SigningKey of its own.
    pub(crate) async fn furnish_with(&mut self, signing_key: &str) {
        self.world.apply_namespace("shop", &[("tenant", "acme")]);
        self.world.put_secret(secret("identity", "ada-password", &[("password", "correct horse battery staple\n")]));
        self.apply_with(signing_key);
        self.run().await;
    }

    /// Applies every custom resource, without letting anything happen.
    pub(crate) fn apply_all(&self) {
        self.apply_with(fixtures::SIGNING_KEY);
    }

    fn apply_with(&self, signing_key: &str) {
        self.world.apply(parse::<User>(fixtures::USER));
        self.world.apply(parse::<OAuthClient>(fixtures::CLIENT));
        self.world.apply(parse::<OAuthClient>(fixtures::API));
        self.world.apply(parse::<SigningKey>(signing_key));
        self.world.apply(parse::<Tenant>(fixtures::TENANT));
    }

    pub(crate) async fn delete<K: Resource>(&mut self, namespace: &str, name: &str) {
        self.world.delete::<K>(&ObjectName::new(namespace, name));
        self.run().await;
    }

    /// How many writes `run` makes from here.
    pub(crate) async fn writes_of_resync(&mut self) -> Vec<String> {
        self.run().await;
        self.world.objects().writes.clear();
        self.engine.resync();
        self.run().await;
        self.world.objects().writes.clone()
    }

    /// The published document of an object.
    pub(crate) fn document(&self, kind: Kind, namespace: &str, name: &str) -> Option<Document> {
        let owner = ObjectName::new(namespace, name);
        let secret = self.world.secret(&ObjectName::new(PUBLISHED, names::published_secret(kind.as_str(), &owner)))?;
        Some(Stored::from_secret(&secret).unwrap().document)
    }

    /// A condition of an object, as `<status>/<reason>`, and its message.
    pub(crate) fn condition<K: Resource>(&self, namespace: &str, name: &str, type_: ConditionType) -> (String, String) {
        let mut objects = self.world.objects();
        let object = K::all(&mut objects).get(&ObjectName::new(namespace, name)).unwrap().clone();
        drop(objects);
        let status = super::part(&object, "status");
        let conditions: Vec<Condition> =
            serde_json::from_value(status.get("conditions").cloned().unwrap_or_default()).unwrap_or_default();
        let condition = conditions.into_iter().find(|condition| condition.type_ == type_.to_string());
        condition.map_or_else(
            || ("none".to_owned(), String::new()),
            |condition| (format!("{}/{}", condition.status, condition.reason), condition.message),
        )
    }

    pub(crate) fn ready<K: Resource>(&self, namespace: &str, name: &str) -> String {
        self.condition::<K>(namespace, name, ConditionType::Ready).0
    }
}

fn engine(world: &World, clock: &ManualClock, metrics: &Metrics) -> Arc<Engine> {
    let options = Options {
        external_url: "https://login.example".to_owned(),
        operator_namespace: OPERATOR.to_owned(),
        published_namespace: PUBLISHED.to_owned(),
        workers: 1,
    };
    Engine::new(Arc::new(world.clone()), options, Arc::new(clock.clone()), metrics.clone())
}

impl Pod {
    fn see(&mut self, change: &Change) -> Option<Frame> {
        let Change::Published(seen) = change else {
            return None;
        };
        match seen {
            Seen::Applied(secret) => self.serve(secret),
            Seen::Deleted(_) => None,
        }
    }

    fn serve(&mut self, secret: &Secret) -> Option<Frame> {
        let name = secret.metadata.name.clone().unwrap();
        match Stored::from_secret(secret) {
            Ok(stored) => {
                let (mut revoked, mut revoked_secrets) = match &stored.document.content {
                    Content::SigningKey(ring) => (ring.revoked.clone(), Vec::new()),
                    Content::OAuthClient(client) => (BTreeSet::new(), client.revoked_secrets.clone()),
                    _ => Default::default(),
                };
                if let Some((revision, served)) = self.serving.get_mut(&name) {
                    let another = *revision == stored.revision && served.digest != stored.digest;
                    let known = served.revoked.len();
                    served.revoked.append(&mut revoked);
                    let news = served.revoked.len() > known;
                    // Of one that is not later nothing counts but what it revokes, unless nothing would sign then.
                    let bereft = news && self.documents.get(&name).is_some_and(|kept| is_bereft(kept, &served.revoked));
                    if (*revision > stored.revision || another) && !bereft {
                        return news.then(|| Frame::Serving { documents: vec![served.clone()] });
                    }
                    revoked.clone_from(&served.revoked);
                    revoked_secrets = RevokedSecret::known([revoked_secrets.as_slice(), &served.revoked_secrets]);
                }
                let fresh = if self.began { 0 } else { stored.revision };
                let first = self.serving.get(&name).map_or(fresh, |(_, before)| before.first);
                let (revision, digest) = (stored.revision, stored.digest);
                let served = Served { name: name.clone(), revision, digest, first, revoked, revoked_secrets };
                self.serving.insert(name.clone(), (stored.revision, served.clone()));
                self.documents.insert(name, stored.document);
                Some(Frame::Serving { documents: vec![served] })
            }
            Err(error) => Some(Frame::Refused { documents: vec![Refused { name, reason: error.to_string() }] }),
        }
    }
}

/// Whether no key of the ring may sign.
fn is_bereft(document: &Document, revoked: &BTreeSet<claviger_jose::Kid>) -> bool {
    let Content::SigningKey(ring) = &document.content else { return false };
    ring.keys.iter().all(|key| key.private_key.is_none() || revoked.contains(&key.kid))
}

/// What a pod says first.
pub(crate) fn hello(pod: &str, now: jiff::Timestamp) -> Frame {
    Frame::Hello { protocol: PROTOCOL, pod: pod.to_owned(), uid: format!("{pod}-uid"), process: String::new(), now }
}

/// A custom resource from YAML.
pub(crate) fn parse<K: Resource>(yaml: &str) -> K {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

/// Whether a text shows a value, as text or as the bytes that derived `Debug`s print.
pub(crate) fn shows(text: &str, value: &[u8]) -> bool {
    let bytes = format!("{value:?}");
    text.contains(&*String::from_utf8_lossy(value)) || text.contains(bytes.trim_matches(['[', ']']))
}

/// A Secret from its entries.
pub(crate) fn secret(namespace: &str, name: &str, entries: &[(&str, &str)]) -> Secret {
    Secret {
        metadata: ObjectMeta {
            namespace: Some(namespace.to_owned()),
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), k8s_openapi::ByteString(value.as_bytes().to_vec())))
                .collect(),
        ),
        ..Secret::default()
    }
}
