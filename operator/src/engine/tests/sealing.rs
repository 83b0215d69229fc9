//! A tenant's sealing keys: made once, kept while anything of the tenant is, and nobody else's.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Content, SealingKeyDocument, SealingPhase, TenantDocument};
use claviger_crds::tenant::Tenant;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use crate::cluster::ClusterError;
use crate::testing::{Harness, OPERATOR, PUBLISHED, fixtures, parse};
use crate::work::Kind;

const HOUR: Duration = Duration::from_secs(3600);
const A_WEEK: Duration = Duration::from_secs(170 * 3600);

fn place(name: &str) -> ObjectName {
    ObjectName::new(OPERATOR, names::sealing_secret(&ObjectName::new("identity", name)))
}

fn published(name: &str) -> ObjectName {
    ObjectName::new(PUBLISHED, names::published_secret("Tenant", &ObjectName::new("identity", name)))
}

fn stored(harness: &Harness, name: &str) -> Option<Secret> {
    harness.world.secret(&place(name))
}

fn tenant(harness: &Harness, name: &str) -> TenantDocument {
    let Content::Tenant(tenant) = harness.document(Kind::Tenant, "identity", name).unwrap().content else { panic!() };
    tenant
}

fn keys(harness: &Harness, name: &str) -> Vec<SealingKeyDocument> {
    tenant(harness, name).sealing_keys
}

fn told(harness: &Harness, reason: &str) -> usize {
    harness.world.objects().events.iter().filter(|event| event.reason == reason).count()
}

fn spoilt(mut secret: Secret) -> Secret {
    secret.data = Some([("sealing.json".to_owned(), ByteString(b"{\"version\":1}".to_vec()))].into());
    secret
}

fn programmed(harness: &Harness) -> (String, String) {
    harness.condition::<Tenant>("identity", "acme", ConditionType::Programmed)
}

#[tokio::test]
async fn a_tenant_has_one_key_that_seals_and_one_that_stands_by_from_its_first_document_on() {
    let harness = Harness::furnished().await;
    let keys = keys(&harness, "acme");
    let phases: Vec<_> = keys.iter().map(|key| key.phase).collect();
    assert_eq!(phases, [SealingPhase::Published, SealingPhase::Active]);
    let text = String::from_utf8(stored(&harness, "acme").unwrap().data.unwrap()["sealing.json"].0.clone()).unwrap();
    assert!(keys.iter().all(|key| text.contains(key.key.expose())), "what is published is what is stored");
    let writes = harness.world.objects().writes.clone();
    let of = |what: &str| writes.iter().filter(|write| write.contains(what)).count();
    assert_eq!((of(&place("acme").to_string()), of("secret claviger-published/tenant-")), (1, 1), "{writes:#?}");
}

#[tokio::test]
async fn keys_that_exist_are_adopted() {
    let other = Harness::furnished().await;
    let mut harness = Harness::start().await;
    harness.world.put_secret(stored(&other, "acme").unwrap());
    harness.furnish().await;
    assert_eq!(keys(&harness, "acme"), keys(&other, "acme"));
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn a_tenant_that_comes_back_within_a_week_opens_what_it_sealed() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.delete::<Tenant>("identity", "acme").await;
    assert_eq!(keys(&harness, "acme"), [], "a tombstone holds no key");
    harness.pass(100 * HOUR).await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert_eq!(keys(&harness, "acme"), before);
}

#[tokio::test]
async fn a_week_later_the_keys_are_gone_and_the_next_tenant_has_others() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(A_WEEK).await;
    assert_eq!(stored(&harness, "acme"), None);
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert!(keys(&harness, "acme").iter().all(|key| !before.contains(key) && key.key != before[1].key));
}

#[tokio::test]
async fn another_tenant_that_gets_the_slug_or_another_slug_of_the_same_name_inherits_nothing() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    let inherits = |keys: Vec<SealingKeyDocument>| {
        assert_eq!(keys.len(), 2);
        keys.iter().any(|key| before.iter().any(|old| old.key == key.key || old.id == key.id))
    };
    let rival = fixtures::TENANT.replace("name: acme,", "name: rival,").replace("spec:", "spec:\n  slug: acme");
    harness.apply::<Tenant>(&rival).await;
    assert_eq!(stored(&harness, "rival"), None, "a waiting rival has no keys");
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(HOUR).await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("spec:", "spec:\n  slug: other")).await;
    assert_eq!(tenant(&harness, "acme").slug, "other");
    assert!(!inherits(keys(&harness, "acme")));
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(tenant(&harness, "rival").slug, "acme");
    assert!(!inherits(keys(&harness, "rival")));
}

#[tokio::test]
async fn keys_that_somebody_deleted_are_made_again_from_what_is_published() {
    let mut harness = Harness::furnished().await;
    let before = (keys(&harness, "acme"), stored(&harness, "acme").unwrap());
    harness.world.remove_secret(&place("acme"));
    harness.run().await;
    assert_eq!(stored(&harness, "acme").unwrap().data, before.1.data);
    assert_eq!(keys(&harness, "acme"), before.0);
    assert_eq!(told(&harness, "SealingKeysRestored"), 1);
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());

    // By a new leader, too.
    harness.world.remove_secret(&place("acme"));
    harness.restart();
    harness.run().await;
    assert_eq!(stored(&harness, "acme").unwrap().data, before.1.data);
}

#[tokio::test]
async fn what_somebody_else_put_into_the_document_is_not_taken_for_the_keys() {
    let mut harness = Harness::furnished().await;
    let at = published("acme");
    let mut document = harness.document(Kind::Tenant, "identity", "acme").unwrap();
    let Content::Tenant(content) = &mut document.content else { panic!() };
    content.sealing_keys[1].key = content.sealing_keys[0].key.clone();
    let known = content.sealing_keys[1].key.clone();
    let mut edited = document.to_secret(PUBLISHED, "uid", 99);
    edited.metadata.uid = harness.world.secret(&at).unwrap().metadata.uid;
    harness.world.remove_secret(&place("acme"));
    harness.world.put_secret(edited);
    harness.run().await;
    let after = keys(&harness, "acme");
    assert!(after.len() == 2 && after.iter().all(|key| key.key != known), "both copies are lost: new ones");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_said_and_left_alone() {
    let mut harness = Harness::furnished().await;
    let (good, before) = (stored(&harness, "acme").unwrap(), harness.document(Kind::Tenant, "identity", "acme"));
    let bad = spoilt(good.clone());
    harness.world.put_secret(bad.clone());
    harness.run().await;
    let (reason, message) = programmed(&harness);
    assert_eq!(reason, "Unknown/SealingKeysUnreadable");
    assert!(message.contains(&place("acme").name), "{message}");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "False/SealingKeysUnreadable");
    assert_eq!(told(&harness, "SealingKeysNotReady"), 1);
    harness.apply::<Tenant>(&fixtures::TENANT.replace("displayName: Acme", "displayName: Other")).await;
    assert_eq!(harness.document(Kind::Tenant, "identity", "acme"), before, "it goes on being served as it was");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    assert_eq!(stored(&harness, "acme").unwrap().data, bad.data);
    harness.world.put_secret(good);
    harness.run().await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(tenant(&harness, "acme").display_name, "Other");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_made_again_once_a_person_deletes_them() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.world.put_secret(spoilt(stored(&harness, "acme").unwrap()));
    harness.run().await;
    harness.world.remove_secret(&place("acme"));
    harness.run().await;
    assert_eq!(keys(&harness, "acme"), before);
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn keys_that_a_quota_refuses_are_said_and_made_later() {
    let mut harness = Harness::start().await;
    let error = ClusterError::Denied("exceeded quota: secrets".to_owned());
    harness.world.objects().refused_in = Some((OPERATOR.to_owned(), error));
    harness.furnish().await;
    let (reason, message) = programmed(&harness);
    assert_eq!(reason, "Unknown/SealingKeysRefused");
    assert!(message.contains("exceeded quota"), "{message}");
    assert_eq!(harness.document(Kind::Tenant, "identity", "acme"), None, "nothing could be sealed");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn the_tombstone_of_a_document_that_vanished_holds_no_key_and_the_tenant_comes_back_with_its_own() {
    let mut harness = Harness::furnished().await;
    let before = (keys(&harness, "acme"), stored(&harness, "acme").unwrap());
    harness.world.remove_secret(&published("acme"));
    harness.delete::<Tenant>("identity", "acme").await;
    let tombstone = harness.document(Kind::Tenant, "identity", "acme").unwrap();
    assert!(tombstone.withdrawn_at.is_some() && !String::from_utf8(tombstone.to_bytes()).unwrap().contains("sealing"));
    assert_eq!(stored(&harness, "acme"), Some(before.1), "the tombstone stands for both");
    harness.pass(100 * HOUR).await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert_eq!(keys(&harness, "acme"), before.0);
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(A_WEEK).await;
    assert_eq!((stored(&harness, "acme"), harness.world.secret(&published("acme"))), (None, None));
}

#[tokio::test]
async fn a_document_that_is_refused_is_said_and_has_the_same_keys_when_it_is_written() {
    let mut harness = Harness::start().await;
    let error = ClusterError::Denied("exceeded quota: secrets".to_owned());
    harness.world.objects().refused_in = Some((PUBLISHED.to_owned(), error));
    harness.furnish().await;
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(programmed(&harness).0, "False/PublicationRefused");
    let made = stored(&harness, "acme").unwrap();
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(stored(&harness, "acme"), Some(made.clone()));
    let text = String::from_utf8(made.data.unwrap()["sealing.json"].0.clone()).unwrap();
    assert!(keys(&harness, "acme").iter().all(|key| text.contains(key.key.expose())));
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn keys_of_a_tenant_of_which_nothing_else_is_left_have_the_time_of_a_tombstone() {
    let mut harness = Harness::start().await;
    // The operator dies between the keys and the document, and the Tenant is gone when it is back.
    harness.world.objects().writes_left = Some(1);
    harness.apply::<Tenant>(fixtures::TENANT).await;
    let made = stored(&harness, "acme").unwrap();
    assert_eq!(harness.document(Kind::Tenant, "identity", "acme"), None);
    harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
    harness.restart();
    harness.pass(100 * HOUR).await;
    assert_eq!(stored(&harness, "acme").unwrap().data, made.data);
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());

    // It comes back, and goes again: only now does the time begin.
    harness.world.apply(parse::<Tenant>(fixtures::TENANT));
    harness.pass(A_WEEK).await;
    assert_eq!(stored(&harness, "acme").unwrap().data, made.data);
    assert_eq!(keys(&harness, "acme").len(), 2);
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(100 * HOUR).await;
    assert!(stored(&harness, "acme").is_some());
    harness.pass(A_WEEK).await;
    assert_eq!(stored(&harness, "acme"), None);
}

#[tokio::test]
async fn a_document_that_comes_back_and_vanishes_beside_withdrawn_keys_is_withdrawn_too() {
    let other = Harness::furnished().await;
    let mut harness = Harness::start().await;
    harness.world.put_secret(stored(&other, "acme").unwrap());
    harness.pass(HOUR).await;
    // Somebody restores a backup, and thinks better of it: providers have read it.
    harness.world.put_secret(other.world.secret(&published("acme")).unwrap());
    harness.world.remove_secret(&published("acme"));
    harness.run().await;
    let tombstone = harness.document(Kind::Tenant, "identity", "acme").unwrap();
    assert!(tombstone.withdrawn_at.is_some());
}

#[tokio::test]
async fn keys_whose_tenant_and_document_are_gone_do_not_stay_for_ever() {
    let mut harness = Harness::start().await;
    harness.world.objects().writes_left = Some(1);
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
    harness.restart();
    harness.pass(A_WEEK).await;
    assert_eq!(stored(&harness, "acme"), None);
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_month_later_the_next_key_seals_and_what_the_first_one_sealed_is_read_until_it_has_expired() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.pass(31 * DAY).await;
    let after = keys(&harness, "acme");
    let phases: Vec<_> = after.iter().map(|key| (key.id.as_str(), key.phase)).collect();
    assert_eq!(phases[1..], [(&*before[0].id, SealingPhase::Active), (&*before[1].id, SealingPhase::Retiring)]);
    assert_eq!(told(&harness, "SealingKeyPromoted"), 1);
    // The tenant's refresh tokens live for thirty days, and the key sealed for at least twenty-seven.
    harness.pass(25 * DAY).await;
    assert!(keys(&harness, "acme").iter().any(|key| key.id == before[1].id));
    harness.pass(10 * DAY).await;
    assert!(!keys(&harness, "acme").iter().any(|key| key.id == before[1].id));
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn a_pod_that_does_not_serve_the_next_sealing_key_holds_it() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.wedge("pod-a", true);
    harness.apply::<Tenant>(&fixtures::TENANT.replace("displayName: Acme", "displayName: Acme Ltd")).await;
    harness.pass(40 * DAY).await;
    assert_eq!(keys(&harness, "acme"), before);
    let blocked = |harness: &Harness| harness.condition::<Tenant>("identity", "acme", ConditionType::RotationBlocked);
    let (why, message) = blocked(&harness);
    assert!(why == "True/WaitingForProviders" && message.contains("pod-a"), "{why}: {message}");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    harness.wedge("pod-a", false);
    harness.run().await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(keys(&harness, "acme")[1].id, before[0].id);
}

/// Until when the keys open that no longer seal, and the longest life of what was sealed.
pub(super) fn memory(harness: &Harness) -> (serde_json::Value, serde_json::Value) {
    let data = stored(harness, "acme").unwrap().data.unwrap();
    let sealing: serde_json::Value = serde_json::from_slice(&data["sealing.json"].0).unwrap();
    (sealing["until"].clone(), sealing["longest"].clone())
}

#[tokio::test]
async fn a_clock_that_is_set_forward_takes_no_key_from_what_it_sealed() {
    let mut harness = Harness::furnished().await;
    let before = keys(&harness, "acme");
    harness.pass(31 * DAY).await;
    let retired = |harness: &Harness| keys(harness, "acme").iter().any(|key| key.id == before[1].id);
    harness.clock.jump(60 * DAY);
    harness.pass(DAY).await;
    harness.engine.resync();
    harness.run().await;
    assert!(retired(&harness));
    harness.pass(31 * DAY).await;
    assert!(!retired(&harness), "its time is over by the clock that cannot be set");
}

#[tokio::test]
async fn keys_of_a_tenant_that_comes_back_end_when_they_were_to_end() {
    let mut harness = Harness::furnished().await;
    harness.pass(31 * DAY).await;
    let before = memory(&harness);
    assert!(before.0.as_object().is_some_and(|until| until.len() == 1), "{before:?}");
    // Nothing is left but the keys: the tombstone is gone too, and the pods that knew it.
    harness.delete::<Tenant>("identity", "acme").await;
    harness.world.remove_secret(&published("acme"));
    harness.leave("pod-a");
    harness.join("pod-b");
    harness.restart();
    harness.pass(HOUR).await;
    let withdrawn = stored(&harness, "acme").unwrap().metadata.annotations.unwrap();
    assert!(withdrawn.contains_key(names::ANNOTATION_WITHDRAWN_AT));
    let shorter = fixtures::TENANT.replace("spec:", "spec:\n  lifetimes: {refreshToken: 24h, refreshTokenIdle: 24h}");
    harness.apply::<Tenant>(&shorter).await;
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(harness.condition::<Tenant>("identity", "acme", ConditionType::Programmed).0, "True/Programmed");
    assert_eq!(memory(&harness), before);
}
