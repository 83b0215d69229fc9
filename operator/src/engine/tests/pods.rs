//! What the provider pods' acknowledgements do to `Programmed`.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;

use crate::testing::{Harness, fixtures};

const ELSEWHERE: &str = "https://shop.example/elsewhere";

fn changed_client() -> String {
    fixtures::CLIENT.replace("https://shop.example/callback", ELSEWHERE)
}

#[tokio::test]
async fn pods_that_join_leave_or_wedge_never_take_programmed_back() {
    let mut harness = Harness::furnished().await;
    harness.world.objects().writes.clear();
    harness.join("pod-b");
    harness.wedge("pod-a", true);
    harness.pass(Duration::from_secs(30)).await;
    harness.leave("pod-a");
    harness.leave("pod-b");
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.world.objects().writes, Vec::<String>::new());
}

#[tokio::test]
async fn a_wedged_pod_is_named_on_what_it_holds_up_and_nowhere_else() {
    let mut harness = Harness::furnished().await;
    harness.join("pod-b");
    harness.wedge("pod-b", true);
    harness.apply::<OAuthClient>(&changed_client()).await;
    let programmed = |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::Programmed);
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(programmed(&harness).0, "False/Pending");
    harness.pass(Duration::from_secs(5)).await;
    let (reason, message) = programmed(&harness);
    assert_eq!(reason, "False/ProviderBehind");
    assert!(message.contains("pod-b") && !message.contains("pod-a"), "{message}");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    harness.wedge("pod-b", false);
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_pod_that_is_gone_is_no_longer_waited_for() {
    let mut harness = Harness::furnished().await;
    harness.join("pod-b");
    harness.wedge("pod-b", true);
    harness.apply::<OAuthClient>(&changed_client()).await;
    harness.pass(Duration::from_secs(7)).await;
    harness.leave("pod-b");
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn no_pod_at_all_is_said() {
    let mut harness = Harness::without_pods();
    harness.engine.providers_listed();
    harness.furnish().await;
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "False/NoProviders");
    harness.join("pod-a");
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_new_leader_writes_no_status_before_the_pods_have_reported() {
    let mut harness = Harness::without_pods();
    harness.furnish().await;
    harness.pass(Duration::from_secs(60)).await;
    let statuses =
        |harness: &Harness| harness.world.objects().writes.iter().filter(|w| w.starts_with("status")).count();
    assert_eq!(statuses(&harness), 0, "discovery has not even said whom to wait for");
    harness.engine.pod_found("pod-a", "pod-a");
    harness.engine.providers_listed();
    harness.pass(Duration::from_secs(9)).await;
    assert_eq!(statuses(&harness), 0);
    harness.pass(Duration::from_secs(2)).await;
    assert!(statuses(&harness) > 0, "ten seconds are enough");
}

#[tokio::test]
async fn a_new_leader_does_not_believe_a_status_that_speaks_of_other_content() {
    let mut harness = Harness::furnished().await;
    harness.wedge("pod-a", true);
    // The old leader publishes, and dies before it could say that a pod is behind.
    harness.world.objects().writes.clear();
    harness.world.objects().writes_left = Some(1);
    harness.apply::<OAuthClient>(&changed_client()).await;
    assert_eq!(harness.world.objects().writes.len(), 1);
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    harness.restart();
    harness.pass(Duration::from_secs(20)).await;
    assert_ne!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
}

#[tokio::test]
async fn an_api_server_whose_clock_is_far_off_blocks_rotation_until_it_is_right_again() {
    let mut harness = Harness::furnished().await;
    let blocked =
        |harness: &Harness| harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    harness.engine.server_clock(-30);
    harness.run().await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    harness.engine.server_clock(31);
    harness.run().await;
    let (reason, message) = blocked(&harness);
    assert_eq!(reason, "True/ClockSkew");
    assert!(message.contains("the API server"), "{message}");
    harness.engine.server_clock(1);
    harness.run().await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
}

#[tokio::test]
async fn a_pod_that_is_quicker_than_the_answer_to_the_write_is_heard() {
    let mut harness = Harness::start().await;
    harness.world.hurry(&harness.engine, "pod-a");
    // What it says, it says once, and before the operator knows that it has written.
    harness.wedge("pod-a", true);
    harness.world.apply_namespace("shop", &[("tenant", "acme")]);
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "False/Pending", "the issuer has no ring yet");
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
}
