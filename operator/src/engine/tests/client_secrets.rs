//! Clients' secrets that are rotated and used, on an engine with pods.

mod revocation;

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::{OAuthClient, OAuthClientStatus};
use claviger_crds::published::acknowledgement::{Frame, Used};
use claviger_crds::published::{ClientAuthentication, Content, Document, SecretHash};
use claviger_jose::{ClientSecret, ClientSecretHash};

use crate::clock::Clock;
use crate::cluster::ClusterError;
use crate::metrics::Rotation;
use crate::testing::{Harness, PUBLISHED, fixtures, parse, secret};
use crate::work::Kind;

/// When [`ask_for_rotation`] asks for it.
const ASKED: &str = "2026-03-01T12:00:05Z";
const HOUR: Duration = Duration::from_secs(3600);

/// A client whose secret is older than the annotation of [`rotated`].
pub(super) async fn rotatable() -> Harness {
    let mut harness = Harness::furnished().await;
    harness.pass(Duration::from_secs(10)).await;
    harness
}

fn rotated(at: &str) -> String {
    let annotated = format!("namespace: shop, annotations: {{claviger.dev/rotate-at: '{at}'}}}}");
    fixtures::CLIENT.replace("namespace: shop}", &annotated)
}

pub(super) fn ask_for_rotation(harness: &Harness) {
    harness.world.apply(parse::<OAuthClient>(&rotated(ASKED)));
}

fn revoked(fingerprints: &[&str]) -> String {
    let lines: Vec<String> =
        fingerprints.iter().map(|one| format!("{{fingerprint: {one}, reason: in a log, by: ada}}")).collect();
    fixtures::CLIENT.replace("    secret:\n", &format!("    secret:\n      revoked: [{}]\n", lines.join(", ")))
}

pub(super) fn revoke_current(harness: &Harness) {
    let fingerprint = fingerprints(harness, "shop").remove(0);
    harness.world.apply(parse::<OAuthClient>(&revoked(&[&fingerprint])));
}

fn status(harness: &Harness, name: &str) -> OAuthClientStatus {
    harness.world.objects().clients[&ObjectName::new("shop", name)].status.clone().unwrap()
}

pub(super) fn phases(harness: &Harness, name: &str) -> Vec<String> {
    status(harness, name).secrets.iter().map(|secret| format!("{:?}", secret.phase.unwrap())).collect()
}

fn fingerprints(harness: &Harness, name: &str) -> Vec<String> {
    status(harness, name).secrets.into_iter().map(|secret| secret.fingerprint.unwrap()).collect()
}

fn credentials(harness: &Harness) -> std::collections::BTreeMap<String, String> {
    let secret = harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap();
    let text = |value: k8s_openapi::ByteString| String::from_utf8(value.0).unwrap();
    secret.data.unwrap().into_iter().map(|(key, value)| (key, text(value))).collect()
}

fn held(harness: &Harness) -> String {
    credentials(harness)["client_secret"].clone()
}

fn hashes(document: &Document) -> &[SecretHash] {
    let Content::OAuthClient(client) = &document.content else { panic!() };
    let ClientAuthentication::Secret { hashes } = &client.authentication else { panic!() };
    hashes
}

fn accepts(harness: &Harness, document: &Document, value: &str) -> bool {
    let (hash, now) =
        (ClientSecretHash::of(&ClientSecret::new(value.to_owned())).to_string(), harness.clock.now().wall);
    hashes(document).iter().any(|known| known.hash == hash && known.expires_at.is_none_or(|end| now < end))
}

/// Whether every pod accepts `value` from the client.
fn accepted(harness: &Harness, value: &str) -> bool {
    let served = harness.served(Kind::OAuthClient, "shop", "shop");
    assert!(!served.is_empty());
    served.into_iter().all(|(_, document)| accepts(harness, document, value))
}

/// Whatever an application reads out of its Secret now.
pub(super) fn nobody_refuses_what_the_secret_holds(harness: &Harness) {
    let value = held(harness);
    for (pod, document) in harness.served(Kind::OAuthClient, "shop", "shop") {
        assert!(accepts(harness, document, &value), "{pod}: {:#?}", harness.world.objects().writes);
    }
}

fn told(harness: &Harness) -> Vec<&'static str> {
    let of_secrets = |reason: &&str| reason.starts_with("Secret");
    harness.world.objects().events.iter().map(|event| event.reason).filter(of_secrets).collect()
}

fn ready(harness: &Harness, name: &str) -> (String, String) {
    harness.condition::<OAuthClient>("shop", name, ConditionType::CredentialsReady)
}

#[tokio::test]
async fn a_secret_is_made_anew_at_its_interval_and_the_one_before_works_for_the_overlap() {
    let mut harness = rotatable().await;
    harness.watchman = Some(nobody_refuses_what_the_secret_holds);
    let interval = "    secret:\n      rotation: {interval: 10h, overlap: 1h}\n";
    harness.apply::<OAuthClient>(&fixtures::CLIENT.replace("    secret:\n", interval)).await;
    let (before, first) = (held(&harness), fingerprints(&harness, "shop"));
    let next = status(&harness, "shop").next_rotation_at.unwrap().0;
    let left = crate::clock::until(next, harness.clock.now().wall);
    assert!((9 * HOUR..10 * HOUR).contains(&left), "{left:?}");
    harness.pass(left.saturating_sub(Duration::from_secs(60))).await;
    assert_eq!((held(&harness), told(&harness)), (before.clone(), Vec::new()));
    harness.pass(Duration::from_secs(180)).await;
    let after = credentials(&harness);
    assert_ne!(after["client_secret"], before);
    assert!(after["config.json"].contains(&after["client_secret"]), "the templates follow: {}", after["config.json"]);
    assert!(accepted(&harness, &before) && accepted(&harness, &after["client_secret"]));
    assert_eq!(
        (phases(&harness, "shop"), fingerprints(&harness, "shop").pop()),
        (texts(&["Current", "Old"]), first.last().cloned())
    );
    assert_eq!(told(&harness), ["SecretRotationStarted", "SecretRotated"]);
    harness.pass(HOUR + Duration::from_secs(60)).await;
    assert!(!accepted(&harness, &before) && accepted(&harness, &after["client_secret"]));
    assert_eq!(phases(&harness, "shop"), ["Current"]);
    assert_eq!(told(&harness), ["SecretRotationStarted", "SecretRotated", "SecretExpired"]);
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn secrets_age_at_the_speed_of_the_clock() {
    let mut harness = rotatable().await;
    harness.watchman = Some(nobody_refuses_what_the_secret_holds);
    harness.clock.hasten(3600);
    let interval = "    secret:\n      rotation: {interval: 10h, overlap: 2h}\n";
    harness.apply::<OAuthClient>(&fixtures::CLIENT.replace("    secret:\n", interval)).await;
    let before = held(&harness);
    harness.pass(Duration::from_secs(9)).await;
    assert_eq!(held(&harness), before);
    harness.pass(Duration::from_secs(2)).await;
    assert_ne!(held(&harness), before);
    assert_eq!(phases(&harness, "shop"), ["Current", "Old"]);
    harness.clock.jump(3 * HOUR);
    harness.engine.resync();
    harness.run().await;
    assert_eq!(phases(&harness, "shop"), ["Current", "Old"], "a clock that is set forward ends nothing early");
    harness.pass(Duration::from_secs(3)).await;
    assert!(!accepted(&harness, &before));
    assert_eq!(phases(&harness, "shop"), ["Current"], "hours are seconds for the overlap too");
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[tokio::test]
async fn a_rotation_is_few_writes_in_their_order() {
    let mut harness = rotatable().await;
    harness.world.objects().writes.clear();
    ask_for_rotation(&harness);
    harness.run().await;
    harness.pass(Duration::from_secs(30)).await;
    let document = names::published_secret("OAuthClient", &ObjectName::new("shop", "shop"));
    let published = format!("replace secret {PUBLISHED}/{document}");
    let expected = [
        published.as_str(),
        "event SecretRotationStarted shop/shop",
        "replace secret shop/shop-oidc",
        published.as_str(),
        "event SecretRotated shop/shop",
        "status OAuthClient shop/shop",
    ];
    assert_eq!(harness.world.objects().writes, expected);
}

#[tokio::test]
async fn the_annotation_acts_once_per_value_and_waits_for_its_time() {
    let mut harness = rotatable().await;
    let before = held(&harness);
    harness.apply::<OAuthClient>(&rotated("2026-03-01T13:00:00Z")).await;
    harness.pass(Duration::from_secs(30)).await;
    assert_eq!(held(&harness), before);
    assert_eq!(status(&harness, "shop").next_rotation_at.unwrap().0.to_string(), "2026-03-01T13:00:00Z");
    assert_eq!(status(&harness, "shop").observed_rotate_at, None);
    harness.pass(HOUR).await;
    let after = held(&harness);
    assert_ne!(after, before);
    assert_eq!(status(&harness, "shop").observed_rotate_at.unwrap().0.to_string(), "2026-03-01T13:00:00Z");
    harness.restart();
    harness.apply::<OAuthClient>(&rotated("2026-03-01T13:00:00Z")).await;
    harness.pass(10 * HOUR).await;
    assert_eq!(held(&harness), after, "the same value again");
    harness.apply::<OAuthClient>(&rotated("2026-03-01T13:30:00Z")).await;
    harness.pass(Duration::from_secs(30)).await;
    assert_ne!(held(&harness), after);
}

#[tokio::test]
async fn a_pod_that_is_behind_holds_the_secret_back_and_is_named() {
    let mut harness = rotatable().await;
    harness.join("pod-b");
    harness.run().await;
    harness.wedge("pod-b", true);
    harness.watchman = Some(nobody_refuses_what_the_secret_holds);
    let before = held(&harness);
    ask_for_rotation(&harness);
    harness.pass(HOUR).await;
    assert_eq!(held(&harness), before);
    let (reason, message) = ready(&harness, "shop");
    assert_eq!(reason, "True/WaitingForProviders");
    assert!(message.contains("pod-b") && !message.contains("pod-a"), "{message}");
    assert_eq!(phases(&harness, "shop"), ["Pending", "Current"]);
    let due = ASKED.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(harness.metrics.client_secrets(Rotation::Blocked), (1, due));
    harness.wedge("pod-b", false);
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(harness.metrics.client_secrets(Rotation::Blocked), (0, 0));
    assert_eq!(harness.metrics.client_secrets(Rotation::Overlapping), (1, 0));
    assert_ne!(held(&harness), before);
    assert!(accepted(&harness, &before) && accepted(&harness, &held(&harness)));
    assert_eq!(ready(&harness, "shop").0, "True/CredentialsReady");
}

#[tokio::test]
async fn without_any_pod_no_secret_changes() {
    let mut harness = rotatable().await;
    harness.leave("pod-a");
    harness.restart();
    let before = held(&harness);
    ask_for_rotation(&harness);
    harness.run().await;
    harness.pass(Duration::from_secs(60)).await;
    assert_eq!(held(&harness), before);
    assert_eq!(ready(&harness, "shop").0, "True/NoProviders");
    harness.join("pod-b");
    harness.run().await;
    harness.pass(Duration::from_secs(10)).await;
    assert_ne!(held(&harness), before);
}

#[tokio::test]
async fn a_secret_that_may_not_be_written_stays_the_clients() {
    let mut harness = rotatable().await;
    harness.watchman = Some(nobody_refuses_what_the_secret_holds);
    let before = held(&harness);
    let quota = ClusterError::Denied("exceeded quota".to_owned());
    harness.world.objects().refused_in = Some(("shop".to_owned(), quota));
    ask_for_rotation(&harness);
    harness.run().await;
    harness.pass(30 * HOUR).await;
    assert_eq!(held(&harness), before);
    let served = harness.document(Kind::OAuthClient, "shop", "shop").unwrap();
    assert!(hashes(&served).iter().all(|hash| hash.expires_at.is_none()), "its overlap has not begun");
    assert_eq!(ready(&harness, "shop").0, "False/SecretRefused");
    assert_eq!(status(&harness, "shop").observed_rotate_at, None, "nor was the annotation acted upon");
    harness.world.objects().refused_in = None;
    harness.pass(HOUR).await;
    assert_ne!(held(&harness), before);
    assert_eq!(phases(&harness, "shop"), ["Current", "Old"]);
    assert_eq!(status(&harness, "shop").observed_rotate_at.unwrap().0.to_string(), ASKED);
}

fn used(harness: &Harness, fingerprint: &str) -> Frame {
    let name = names::published_secret("OAuthClient", &ObjectName::new("shop", "shop"));
    let used = Used { name, fingerprint: fingerprint.to_owned(), at: harness.clock.now().wall };
    let unknown = Used { name: "client-unknown".to_owned(), ..used.clone() };
    Frame::Used { secrets: vec![unknown, used] }
}

#[tokio::test]
async fn the_last_use_is_shown_and_costs_one_write_an_hour() {
    let mut harness = rotatable().await;
    let fingerprint = fingerprints(&harness, "shop").remove(0);
    let shown = |harness: &Harness| status(harness, "shop").secrets[0].last_used_at.clone().map(|at| at.0);
    assert_eq!(shown(&harness), None);
    harness.world.objects().writes.clear();
    let mut writes = Vec::new();
    for _ in 0..150 {
        harness.engine.acknowledge("pod-a", used(&harness, &fingerprint));
        harness.pass(Duration::from_secs(60)).await;
        writes.push(harness.world.objects().writes.len());
    }
    assert_eq!((writes[0], writes[59], writes[60], writes[149]), (1, 1, 2, 3));
    let last = harness.clock.now().wall;
    harness.engine.acknowledge("pod-a", used(&harness, &fingerprint));
    harness.run().await;
    assert!(shown(&harness).unwrap() < last, "not for its own sake");
    ask_for_rotation(&harness);
    harness.run().await;
    harness.pass(Duration::from_secs(5)).await;
    let old = status(&harness, "shop").secrets.pop().unwrap();
    assert_eq!((old.fingerprint, old.last_used_at.map(|at| at.0)), (Some(fingerprint), Some(last)), "it rides along");
    harness.restart();
    harness.pass(HOUR).await;
    assert_eq!(status(&harness, "shop").secrets.pop().unwrap().last_used_at.map(|at| at.0), Some(last));
}
