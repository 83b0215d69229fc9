//! What makes work run, and when: nothing before everything is listed, what is due when it is due,
//! and everything once in a while.

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, Stored};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Moment};
use crate::engine::{Change, Engine, Options};
use crate::metrics::Metrics;
use crate::queue::Urgency;
use crate::testing::{Harness, ManualClock, OPERATOR, PUBLISHED, World, fixtures, hello, parse, served, serving};
use crate::work::{Kind, Work};

fn engine(world: &World, clock: Arc<dyn Clock>) -> Arc<Engine> {
    let options = Options {
        external_url: "https://login.example".to_owned(),
        operator_namespace: OPERATOR.to_owned(),
        published_namespace: PUBLISHED.to_owned(),
        workers: 2,
    };
    Engine::new(Arc::new(world.clone()), options, clock, Metrics::unregistered())
}

fn client(name: &str) -> Work {
    Work::new(Kind::OAuthClient, ObjectName::new("shop", name))
}

#[tokio::test]
async fn nothing_is_withdrawn_for_a_namespace_that_is_not_listed_yet() {
    let mut harness = Harness::furnished().await;
    let at = ObjectName::new(PUBLISHED, client("shop").document());
    let old = harness.world.secret(&at).unwrap();
    harness.apply::<OAuthClient>(&fixtures::CLIENT.replace("/callback", "/elsewhere")).await;
    let later = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
    // etcd is restored from a backup of before, and a new leader has listed all but the namespaces.
    harness.world.put_secret(old);
    let engine = engine(&harness.world, Arc::new(harness.clock.clone()));
    let late = |change: &Change| matches!(change, Change::Namespace(_) | Change::Synced);
    let (late, listed): (Vec<Change>, Vec<Change>) = harness.world.list().into_iter().partition(late);
    listed.into_iter().for_each(|change| engine.change(change));
    let now = harness.clock.now().wall;
    engine.acknowledge("pod-a", hello("pod-a", now));
    let Stored { name, revision, digest, .. } = later;
    engine.acknowledge("pod-a", serving(served(&name, revision, digest)));
    engine.server_clock(31);
    harness.world.objects().writes.clear();
    assert!(!engine.drain().await, "nothing is worked on");
    late.into_iter().for_each(|change| engine.change(change));
    while engine.drain().await {}
    let now = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
    assert_eq!(now.document.withdrawn_at, None);
    assert!(now.revision > revision, "it overtakes what the pod serves");
    let documents = harness.world.objects().writes.iter().filter(|write| write.ends_with(&at.name)).count();
    assert_eq!(documents, 1, "it was never withdrawn meanwhile");
}

#[tokio::test]
async fn a_client_that_is_judged_first_does_not_make_its_issuer_doubtful() {
    let harness = Harness::furnished().await;
    let engine = engine(&harness.world, Arc::new(harness.clock.clone()));
    harness.world.list().into_iter().for_each(|change| engine.change(change));
    // A new leader hears of the client before it hears of the issuer, and then the pod dies.
    let now = harness.clock.now().wall;
    engine.acknowledge("pod-a", hello("pod-a", now));
    engine.providers_listed();
    harness.world.hurry(&engine, "pod-a");
    harness.world.apply(parse::<OAuthClient>(&fixtures::CLIENT.replace("/callback", "/elsewhere")));
    harness.world.changes().into_iter().for_each(|change| engine.change(change));
    while engine.drain().await {}
    engine.pod_gone("pod-a");
    for _ in 0..15 {
        harness.clock.advance(Duration::from_secs(1));
        engine.tick();
        while engine.drain().await {}
        harness.world.changes().into_iter().for_each(|change| engine.change(change));
    }
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn what_ends_trust_goes_before_all_that_a_new_leader_looks_over() {
    let mut harness = Harness::furnished().await;
    let secret = "secret:\n      revoked: [{fingerprint: 0000-0000-0000, reason: in a log}]";
    let client = |name: &str| fixtures::CLIENT.replace("name: shop,", &format!("name: {name},"));
    harness.apply::<OAuthClient>(&client("a-client")).await;
    harness.apply::<OAuthClient>(&client("z-revokes").replace("secret:", secret)).await;
    let engine = engine(&harness.world, Arc::new(harness.clock.clone()));
    harness.world.list().into_iter().for_each(|change| engine.change(change));
    let taken = || engine.context.with(|state| std::iter::from_fn(|| state.take(Duration::ZERO)).collect::<Vec<_>>());
    let first =
        |taken: Vec<Work>| taken.into_iter().map(|work| (work.kind, work.name.name)).take(2).collect::<Vec<_>>();
    let expected = [(Kind::SigningKey, "acme-es256".to_owned()), (Kind::OAuthClient, "z-revokes".to_owned())];
    assert_eq!(first(taken()), expected);
    engine.context.with(|state| {
        state.index.everything().iter().for_each(|work| state.queue.done(work, false, Duration::ZERO));
        let everything = state.index.everything();
        state.look_over(everything);
    });
    assert_eq!(first(taken()), expected, "nor does a turn that comes anyway delay it");
}

/// The time of tokio, which the test lets pass.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        Moment { wall: jiff::Timestamp::UNIX_EPOCH, monotonic: self.0.elapsed() }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_runs_though_the_worker_that_knew_of_it_is_busy() {
    let began = Instant::now();
    let engine = engine(&World::new(ManualClock::new()), Arc::new(TokioClock(began)));
    engine.change(Change::Synced);
    let shutdown = CancellationToken::new();
    engine.context.with(|state| state.queue.add(client("first"), Urgency::Changed));
    assert_eq!(engine.next(&shutdown).await, Some(client("first")));
    let other = tokio::spawn({
        let (engine, shutdown) = (Arc::clone(&engine), shutdown.clone());
        async move { engine.next(&shutdown).await }
    });
    // It knows of nothing that is due, and naps for long.
    tokio::time::sleep(Duration::from_millis(10)).await;
    engine.context.with(|state| {
        let now = began.elapsed();
        state.queue.done(&client("first"), false, now);
        state.want_at(client("soon"), now + Duration::from_secs(1));
        state.want_at(client("later"), now + Duration::from_secs(2));
    });
    assert_eq!(engine.next(&shutdown).await, Some(client("soon")));
    // This worker is busy with that from here on.
    assert_eq!(other.await.unwrap(), Some(client("later")));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_that_was_lost_is_made_up_for() {
    let mut harness = Harness::furnished().await;
    harness.world.apply(parse::<Tenant>(&fixtures::TENANT.replace("displayName: Acme", "displayName: Acme Inc")));
    harness.world.changes().into_iter().for_each(|change| harness.engine.change(change));
    harness.engine.context.with(|state| {
        while let Some(work) = state.queue.take(Duration::ZERO) {
            state.queue.done(&work, false, Duration::ZERO);
        }
    });
    harness.run().await;
    let name = |harness: &Harness| match harness.document(Kind::Tenant, "identity", "acme").unwrap().content {
        Content::Tenant(tenant) => tenant.display_name,
        _ => panic!(),
    };
    assert_eq!(name(&harness), "Acme");
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, shutdown) = (Arc::clone(&harness.engine), shutdown.clone());
        async move { engine.run(shutdown).await }
    });
    for _ in 0..700 {
        harness.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(name(&harness), "Acme Inc");
}
