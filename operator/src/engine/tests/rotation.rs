//! A ring's keys change, through the whole engine.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, KeyPhase, KeysDocument};
use claviger_crds::signing_key::{SigningKey, SigningKeyStatus};
use claviger_crds::tenant::Tenant;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};

use crate::testing::{Harness, Resource as _, fixtures, parse};
use crate::work::Kind;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
const RING: &str = "rotation: {interval: 1h, publishAhead: 10m, cacheLifetime: 1m}";

pub(super) fn signing_key(rest: &str) -> String {
    let spec = format!("spec:\n  tenantRef: {{name: acme}}\n  algorithm: ES256\n  {RING}\n{rest}\n");
    fixtures::SIGNING_KEY.replace("spec: {tenantRef: {name: acme}, algorithm: ES256}", &spec)
}

pub(super) async fn rotating() -> Harness {
    let mut harness = Harness::start().await;
    harness.furnish_with(&signing_key("")).await;
    harness.pass(Duration::from_secs(2)).await;
    harness
}

pub(super) fn ring(harness: &Harness) -> KeysDocument {
    let document = harness.document(Kind::SigningKey, "identity", "acme-es256").unwrap();
    let Content::SigningKey(keys) = document.content else { panic!() };
    keys
}

pub(super) fn kid(harness: &Harness, phase: KeyPhase) -> String {
    let keys = ring(harness).keys;
    let mut of = keys.iter().filter(|key| key.phase == phase).map(|key| key.kid.to_string());
    let kid = of.next().unwrap_or_else(|| panic!("no {phase:?} in {keys:#?}"));
    assert!(phase == KeyPhase::Retiring || of.next().is_none(), "two {phase:?}");
    kid
}

pub(super) fn status(harness: &Harness) -> SigningKeyStatus {
    let mut objects = harness.world.objects();
    let name = names::ObjectName::new("identity", "acme-es256");
    SigningKey::all(&mut objects).get(&name).unwrap().status.clone().unwrap()
}

pub(super) fn told(harness: &Harness, reason: &str) -> Vec<String> {
    let events = &harness.world.objects().events;
    events.iter().filter(|event| event.reason == reason).map(|event| event.note.clone()).collect()
}

#[tokio::test]
async fn keys_take_over_one_after_the_other_and_leave_when_their_tokens_have_expired() {
    let mut harness = rotating().await;
    let first = kid(&harness, KeyPhase::Active);
    let second = kid(&harness, KeyPhase::Published);
    assert_eq!(status(&harness).next_change.unwrap().kid, Some(second.clone()));
    harness.pass(61 * MINUTE).await;
    assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Retiring)), (second.clone(), first.clone()));
    assert_eq!(status(&harness).active_kid, Some(second));
    assert_eq!(told(&harness, "KeyPromoted").len(), 1);
    // The tenant's tokens live for an hour.
    harness.pass(50 * MINUTE).await;
    assert!(ring(&harness).keys.iter().any(|key| key.kid.to_string() == first && key.phase == KeyPhase::Retiring));
    harness.pass(20 * MINUTE).await;
    assert!(ring(&harness).keys.iter().any(|key| key.kid.to_string() == first && key.phase == KeyPhase::VerifyOnly));
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_rotation_is_three_times_a_ring_its_document_and_its_status() {
    let mut harness = rotating().await;
    harness.pass(52 * MINUTE).await;
    let before = kid(&harness, KeyPhase::Active);
    harness.world.objects().writes.clear();
    harness.pass(9 * MINUTE).await;
    assert_ne!(kid(&harness, KeyPhase::Active), before);
    let writes = harness.world.objects().writes.clone();
    let writes: Vec<&String> = writes.iter().filter(|write| !write.starts_with("event")).collect();
    assert_eq!(writes.len(), 3, "{writes:#?}");
}

#[tokio::test]
async fn a_pod_that_is_behind_holds_a_take_over_and_is_named_and_one_that_is_gone_does_not() {
    let mut harness = rotating().await;
    harness.join("pod-b");
    harness.run().await;
    harness.pass(50 * MINUTE).await;
    let before = kid(&harness, KeyPhase::Active);
    harness.wedge("pod-b", true);
    harness.pass(30 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), before);
    let (blocked, message) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/WaitingForProviders");
    assert!(message.contains("pod-b"), "{message}");
    harness.leave("pod-b");
    harness.run().await;
    harness.pass(5 * MINUTE).await;
    assert_ne!(kid(&harness, KeyPhase::Active), before);
    let (blocked, _) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "False/NotBlocked");
}

#[tokio::test]
async fn without_any_pod_nothing_takes_over() {
    let mut harness = rotating().await;
    let before = kid(&harness, KeyPhase::Active);
    harness.leave("pod-a");
    harness.pass(120 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), before);
    let (blocked, _) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/WaitingForProviders");
}

#[tokio::test]
async fn a_new_leader_counts_from_its_own_beginning() {
    let mut harness = rotating().await;
    let before = kid(&harness, KeyPhase::Active);
    // Paused, so that what is due stays undone until the new leader comes.
    let paused = signing_key("").replace("metadata: {", "metadata: {annotations: {claviger.dev/paused: 'true'}, ");
    harness.apply::<SigningKey>(&paused).await;
    harness.pass(70 * MINUTE).await;
    harness.restart();
    harness.apply::<SigningKey>(&signing_key("")).await;
    harness.pass(2 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), before, "a pod that nobody saw may have served without the standby");
    harness.pass(Duration::from_secs(11)).await;
    assert_ne!(kid(&harness, KeyPhase::Active), before);
}

#[tokio::test]
async fn a_rotation_is_asked_for_by_an_annotation_once() {
    let mut harness = rotating().await;
    let before = kid(&harness, KeyPhase::Active);
    let yaml = signing_key("");
    let asked =
        yaml.replace("metadata: {", "metadata: {annotations: {claviger.dev/rotate-at: \"2026-03-01T12:00:00Z\"}, ");
    assert_ne!(yaml, asked);
    harness.apply::<SigningKey>(&asked).await;
    harness.pass(8 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), before, "publishAhead is not over");
    assert!(status(&harness).next_change.is_some());
    harness.pass(3 * MINUTE).await;
    let second = kid(&harness, KeyPhase::Active);
    assert_ne!(second, before);
    assert_eq!(status(&harness).observed_rotate_at.as_deref(), Some("2026-03-01T12:00:00Z"));
    harness.apply::<SigningKey>(&asked).await;
    harness.pass(30 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), second, "once for each value");
}

#[tokio::test]
async fn a_revoked_key_is_out_at_once_and_everywhere_it_is_said_who_when_and_why() {
    let mut harness = rotating().await;
    let (first, second) = (kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published));
    harness.pass(5 * MINUTE).await;
    let yaml = signing_key(&format!("  revoked: [{{kid: {first}, reason: laptop stolen}}]"));
    let mut object = parse::<SigningKey>(&yaml);
    let key = format!("k:{{\"kid\":\"{first}\"}}");
    object.metadata.managed_fields = Some(vec![ManagedFieldsEntry {
        manager: Some("argocd-controller".to_owned()),
        fields_v1: Some(FieldsV1(serde_json::json!({"f:spec": {"f:revoked": {key: {}}}}))),
        ..ManagedFieldsEntry::default()
    }]);
    harness.world.apply(object);
    harness.run().await;
    assert_eq!(kid(&harness, KeyPhase::Active), second);
    assert_eq!(kid(&harness, KeyPhase::Revoked), first);
    harness.pass(Duration::from_secs(2)).await;
    let key = status(&harness).keys.into_iter().find(|key| key.kid == first).unwrap();
    assert_eq!(key.revoked_by.as_deref(), Some("argocd-controller"));
    assert_eq!(key.revoked_reason.as_deref(), Some("laptop stolen"));
    assert!(key.trusted_until.is_some() && key.revoked_at.is_some());
    let notes = told(&harness, "KeyRevoked");
    assert!(notes.len() == 1 && notes[0].contains("argocd-controller"), "{notes:?}");
    harness.apply::<SigningKey>(&signing_key("")).await;
    harness.restart();
    harness.run().await;
    harness.pass(5 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Revoked), first, "the line is gone, the revocation is not");
}

#[tokio::test]
async fn a_revocation_is_told_though_the_answer_to_its_write_is_lost() {
    for is_lost in [true, false] {
        let mut harness = rotating().await;
        let first = kid(&harness, KeyPhase::Active);
        harness.world.objects().answer_lost_at = is_lost.then_some(0);
        harness.apply::<SigningKey>(&signing_key(&format!("  revoked: [{{kid: {first}, reason: stolen}}]"))).await;
        harness.pass(Duration::from_secs(20)).await;
        assert_eq!(kid(&harness, KeyPhase::Revoked), first);
        // With each comes the line of the audit stream.
        assert_eq!(harness.metrics.revocations(), 1, "{is_lost}");
    }
}

#[tokio::test]
async fn of_two_keys_that_are_made_at_once_each_is_told_by_its_own_name() {
    let mut harness = rotating().await;
    let (first, second) = (kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published));
    harness.world.objects().events.clear();
    let revoked = format!("  revoked: [{{kid: {first}, reason: stolen}}, {{kid: {second}, reason: stolen}}]");
    harness.apply::<SigningKey>(&signing_key(&revoked)).await;
    let [signs, standby] = [kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)];
    let made = told(&harness, "KeyPublished");
    assert!(made.len() == 2 && made[0].contains(&signs) && made[1].contains(&standby), "{made:?}");
    let promoted = told(&harness, "KeyPromotedEarly");
    assert!(promoted.len() == 1 && promoted[0].contains(&signs), "{promoted:?}");
    let parts = harness.world.objects().events.iter().filter_map(|event| event.part.clone()).collect::<Vec<_>>();
    let expected = [&signs, &signs, &standby].map(|kid| format!("status.keys{{{kid}}}"));
    assert_eq!(parts[2..], expected);
}

#[tokio::test]
async fn a_key_is_revoked_though_its_tenant_is_not_accepted() {
    let mut harness = rotating().await;
    let first = kid(&harness, KeyPhase::Active);
    harness.apply::<Tenant>(&fixtures::TENANT.replace("spec:", "spec:\n  slug: A_B")).await;
    harness.apply::<SigningKey>(&signing_key(&format!("  revoked: [{{kid: {first}, reason: stolen}}]"))).await;
    assert_eq!(kid(&harness, KeyPhase::Revoked), first, "pods go on serving the ring");
    assert_eq!(ring(&harness).keys.iter().filter(|key| key.phase == KeyPhase::Active).count(), 1);
}

#[tokio::test]
async fn a_key_stays_revoked_where_the_cluster_was_restored_from_before() {
    let mut harness = rotating().await;
    let first = kid(&harness, KeyPhase::Active);
    let secrets = harness.world.objects().secrets.clone();
    harness.apply::<SigningKey>(&signing_key(&format!("  revoked: [{{kid: {first}, reason: stolen}}]"))).await;
    harness.pass(Duration::from_secs(2)).await;
    harness.world.apply(parse::<SigningKey>(&signing_key("")));
    harness.world.objects().secrets = secrets;
    harness.restart();
    harness.run().await;
    harness.pass(Duration::from_secs(20)).await;
    assert_eq!(kid(&harness, KeyPhase::Revoked), first, "for pods that begin now");
    let (blocked, _) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/RingRolledBack");
}

#[tokio::test]
async fn an_algorithm_that_a_client_asks_for_is_kept_until_another_ring_has_it() {
    let mut harness = rotating().await;
    let client = fixtures::CLIENT.trim_end().to_owned() + "\n  idTokenSignedResponseAlg: ES256\n";
    harness.apply::<OAuthClient>(&client).await;
    let other = signing_key("").replace("algorithm: ES256", "algorithm: EdDSA");
    harness.apply::<SigningKey>(&other).await;
    harness.pass(30 * MINUTE).await;
    let (blocked, message) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/AlgorithmInUse", "{message}");
    assert!(message.contains("shop/shop"), "{message}");
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    harness.pass(15 * MINUTE).await;
    assert_eq!(status(&harness).algorithm.as_deref(), Some("EdDSA"));
}

#[tokio::test]
async fn an_algorithm_is_there_when_a_key_of_it_is() {
    let mut harness = Harness::furnished().await;
    let client = fixtures::CLIENT.replace("spec:", "spec:\n  idTokenSignedResponseAlg: ES384");
    let resolved =
        |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0;
    harness.apply::<OAuthClient>(&client).await;
    assert_eq!(resolved(&harness), "False/SigningKeyNotFound");
    let other = fixtures::SIGNING_KEY.replace("name: acme-es256", "name: acme-es384").replace("ES256}", "ES384}");
    harness.apply::<SigningKey>(&other).await;
    assert_eq!(resolved(&harness), "False/SigningKeyNotReady", "verifiers may not know it yet");
    harness.pass(31 * MINUTE).await;
    assert_eq!(resolved(&harness), "True/Resolved");
}

#[tokio::test]
async fn a_key_that_stands_by_signs_nothing_yet() {
    let mut harness = rotating().await;
    let client = fixtures::CLIENT.trim_end().to_owned() + "\n  idTokenSignedResponseAlg: EdDSA\n";
    harness.apply::<OAuthClient>(&client).await;
    let other = signing_key("").replace("algorithm: ES256", "algorithm: EdDSA");
    harness.apply::<SigningKey>(&other).await;
    let resolved =
        |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0;
    assert_eq!(resolved(&harness), "False/SigningKeyNotReady");
    harness.pass(45 * MINUTE).await;
    assert_eq!(status(&harness).algorithm.as_deref(), Some("EdDSA"));
    assert_eq!(resolved(&harness), "True/Resolved");
}
