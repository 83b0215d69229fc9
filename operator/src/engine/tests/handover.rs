//! From one ring to another: what verifiers may have cached decides when.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::published::Content;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;

use crate::testing::{Harness, fixtures};
use crate::work::Kind;

const HOUR: Duration = Duration::from_secs(3600);
/// Twice the `max-age`, and a little less than the margin.
const CACHED: Duration = Duration::from_secs(2 * 900 + 8);

fn leaving(harness: &Harness) -> bool {
    let Content::SigningKey(keys) = harness.document(Kind::SigningKey, "identity", "acme-es256").unwrap().content
    else {
        panic!()
    };
    keys.leaving
}

fn default(harness: &Harness) -> String {
    let Content::Tenant(tenant) = harness.document(Kind::Tenant, "identity", "acme").unwrap().content else { panic!() };
    tenant.default_signing_key.unwrap().name
}

/// A pod that is cut off from the operator, and goes on serving what it has.
async fn with_a_pod_cut_off() -> Harness {
    let mut harness = Harness::furnished().await;
    harness.join("pod-b");
    harness.run().await;
    harness.wedge("pod-b", true);
    harness
}

#[tokio::test]
async fn a_pod_that_goes_has_served_without_the_new_ring_until_then() {
    let mut harness = with_a_pod_cut_off().await;
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(2 * HOUR).await;
    assert!(!leaving(&harness), "pod-b has not taken up the other ring");
    harness.leave("pod-b");
    harness.pass(CACHED).await;
    assert!(!leaving(&harness), "what pod-b served is still cached");
    harness.pass(Duration::from_secs(10)).await;
    assert!(leaving(&harness));
}

#[tokio::test]
async fn so_it_is_when_a_new_leader_never_heard_from_that_pod() {
    let mut harness = with_a_pod_cut_off().await;
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(Duration::from_secs(5)).await;
    harness.restart();
    harness.pass(2 * HOUR).await;
    harness.leave("pod-b");
    harness.pass(CACHED).await;
    assert!(!leaving(&harness));
    harness.pass(Duration::from_secs(10)).await;
    assert!(leaving(&harness));
}

#[tokio::test]
async fn another_default_ring_waits_as_long() {
    let mut harness = Harness::start().await;
    let named = |name: &str| format!("{}  signing: {{default: {name}}}\n", fixtures::TENANT);
    harness.world.apply(crate::testing::parse::<Tenant>(&named("acme-es256")));
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    harness.join("pod-b");
    harness.run().await;
    harness.wedge("pod-b", true);
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("name: acme-es256", "name: acme-two")).await;
    harness.apply::<Tenant>(&named("acme-two")).await;
    harness.pass(2 * HOUR).await;
    assert_eq!(default(&harness), "acme-es256");
    harness.leave("pod-b");
    harness.pass(CACHED).await;
    assert_eq!(default(&harness), "acme-es256");
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(default(&harness), "acme-two");
}

#[tokio::test]
async fn a_ring_that_joins_says_for_which_pod_it_waits_and_since_when() {
    let mut harness = with_a_pod_cut_off().await;
    let other = fixtures::SIGNING_KEY.replace("acme-es256", "acme-other");
    harness.apply::<SigningKey>(&other).await;
    let blocked =
        |harness: &Harness| harness.condition::<SigningKey>("identity", "acme-other", ConditionType::RotationBlocked);
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked", "it was published a moment ago");
    harness.pass(Duration::from_secs(4)).await;
    let (why, message) = blocked(&harness);
    assert_eq!(why, "True/WaitingForProviders", "{message}");
    assert!(message.contains("pod-b (since 2026-03-01T12:00:0"), "{message}");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    harness.wedge("pod-b", false);
    harness.run().await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
}
