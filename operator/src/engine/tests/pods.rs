//! What the provider pods' acknowledgements do to `Programmed`.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;

use crate::testing::{Harness, fixtures, parse};

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
async fn a_pod_that_recovers_is_named_no_longer_while_another_is_still_behind() {
    let mut harness = Harness::furnished().await;
    harness.join("pod-b");
    harness.wedge("pod-a", true);
    harness.wedge("pod-b", true);
    harness.apply::<OAuthClient>(&changed_client()).await;
    let message = |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::Programmed).1;
    harness.pass(Duration::from_secs(7)).await;
    assert_eq!(message(&harness), "not yet served by: pod-a, pod-b");
    harness.wedge("pod-a", false);
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(message(&harness), "not yet served by: pod-b");
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(harness.world.objects().writes, Vec::<String>::new(), "said once");
}

#[tokio::test]
async fn no_providers_is_taken_back_once_a_pod_serves_though_another_never_speaks() {
    let mut harness = Harness::without_pods();
    harness.engine.pod_found("pod-z", "pod-z");
    harness.engine.providers_listed();
    harness.furnish().await;
    harness.pass(Duration::from_secs(20)).await;
    let ready = |harness: &Harness| harness.ready::<OAuthClient>("shop", "shop");
    assert_eq!(ready(&harness), "False/NoProviders");
    harness.join("pod-a");
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(ready(&harness), "False/ProviderBehind");
    for (namespace, name) in [("shop", "shop"), ("shop", "api")] {
        let (_, message) = harness.condition::<OAuthClient>(namespace, name, ConditionType::Programmed);
        assert_eq!(message, "not yet served by: pod-z", "{name}");
    }
    let (_, message) = harness.condition::<Tenant>("identity", "acme", ConditionType::Programmed);
    assert_eq!(message, "not yet served by: pod-z");
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

#[tokio::test]
async fn two_statuses_in_a_row_do_not_conflict_though_the_watch_is_slow() {
    let mut harness = Harness::furnished().await;
    harness.run().await;
    harness.world.objects().writes.clear();
    harness.engine.server_clock(31);
    harness.engine.drain().await;
    let slow = harness.world.changes();
    harness.engine.server_clock(0);
    harness.engine.drain().await;
    let blocked =
        |harness: &Harness| harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked).0;
    assert_eq!(blocked(&harness), "False/NotBlocked");
    // What the watch shows of the first must not hide the second.
    slow.into_iter().for_each(|change| harness.engine.change(change));
    harness.engine.server_clock(31);
    harness.engine.drain().await;
    assert_eq!(blocked(&harness), "True/ClockSkew");
    let statuses = harness.world.objects().writes.iter().filter(|write| write.starts_with("status SigningKey")).count();
    assert_eq!(statuses, 3, "each at the first try");
    harness.run().await;
    assert_eq!(blocked(&harness), "True/ClockSkew");
}

#[tokio::test]
async fn two_documents_in_a_row_do_not_conflict_though_the_watch_is_slow() {
    let mut harness = Harness::furnished().await;
    harness.run().await;
    harness.world.objects().writes.clear();
    let mut slow = Vec::new();
    for uri in ["https://shop.example/one", "https://shop.example/two"] {
        let changed = fixtures::CLIENT.replace("https://shop.example/callback", uri);
        harness.world.apply(parse::<OAuthClient>(&changed));
        harness.world.changes().into_iter().for_each(|change| harness.engine.change(change));
        harness.engine.drain().await;
        slow.extend(harness.world.changes());
    }
    for change in slow {
        harness.engine.change(change);
        harness.engine.drain().await;
    }
    harness.run().await;
    let writes = harness.world.objects().writes.clone();
    assert_eq!(writes.iter().filter(|write| write.starts_with("replace secret")).count(), 2, "{writes:#?}");
}
