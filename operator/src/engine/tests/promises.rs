//! What an object asks for and this release does not do is said, and never passed over in silence.

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, KeyPhase};
use claviger_crds::signing_key::SigningKey;

use crate::testing::{Harness, fixtures};
use crate::work::Kind;

fn ring(harness: &Harness, type_: ConditionType) -> (String, String) {
    harness.condition::<SigningKey>("identity", "acme-es256", type_)
}

fn phases(harness: &Harness) -> Vec<(String, KeyPhase)> {
    let document = harness.document(Kind::SigningKey, "identity", "acme-es256").unwrap();
    let Content::SigningKey(keys) = document.content else { panic!() };
    assert!(document.withdrawn_at.is_none());
    keys.keys.iter().map(|key| (key.kid.to_string(), key.phase)).collect()
}

#[tokio::test]
async fn a_revocation_is_refused_while_the_key_goes_on_being_trusted() {
    let mut harness = Harness::furnished().await;
    let before = phases(&harness);
    let (active, _) = before.iter().find(|(_, phase)| *phase == KeyPhase::Active).unwrap();
    let revoked = format!("algorithm: ES256, revoked: [{{kid: {active}, reason: laptop stolen}}]");
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("algorithm: ES256", &revoked)).await;
    let (accepted, message) = ring(&harness, ConditionType::Accepted);
    assert_eq!(accepted, "False/Unsupported");
    assert!(message.contains(active.as_str()) && message.contains("declare another"), "{message}");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "False/Unsupported");
    assert_eq!(phases(&harness), before, "it is served as it was");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());

    let gone = "algorithm: ES256, revoked: [{kid: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, reason: long gone}]";
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("algorithm: ES256", gone)).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn a_rotation_that_is_asked_for_shows_that_it_waits() {
    let mut harness = Harness::furnished().await;
    let algorithm = |harness: &Harness| {
        let objects = harness.world.objects();
        objects.signing_keys[&ObjectName::new("identity", "acme-es256")].status.clone().unwrap().algorithm
    };
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("ES256}", "ES384}")).await;
    let (blocked, message) = ring(&harness, ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/Unsupported");
    assert!(message.contains("ES384") && message.contains("ES256"), "{message}");
    assert_eq!(algorithm(&harness).as_deref(), Some("ES256"), "that of the key that signs");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready", "a ring that waits still signs");

    let annotated = fixtures::SIGNING_KEY.replace(
        "namespace: identity}",
        "namespace: identity, annotations: {claviger.dev/rotate-at: '2026-03-01T12:00:00Z'}}",
    );
    harness.apply::<SigningKey>(&annotated).await;
    let (blocked, message) = ring(&harness, ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/Unsupported");
    assert!(message.contains("claviger.dev/rotate-at"), "{message}");
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    assert_eq!(ring(&harness, ConditionType::RotationBlocked).0, "False/NotBlocked");
}

#[tokio::test]
async fn an_algorithm_is_there_when_a_key_of_it_is() {
    let mut harness = Harness::furnished().await;
    let client = fixtures::CLIENT.replace("spec:", "spec:\n  idTokenSignedResponseAlg: ES384");
    let resolved =
        |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0;
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("ES256}", "ES384}")).await;
    harness.apply::<OAuthClient>(&client).await;
    assert_eq!(resolved(&harness), "False/SigningKeyNotFound", "what is declared is of keys to come");
    let other = fixtures::SIGNING_KEY.replace("name: acme-es256", "name: acme-es384").replace("ES256}", "ES384}");
    harness.apply::<SigningKey>(&other).await;
    assert_eq!(resolved(&harness), "True/Resolved");
}

#[tokio::test]
async fn a_clients_rotation_that_is_asked_for_is_said_not_to_happen() {
    let mut harness = Harness::furnished().await;
    let rotated = fixtures::API.replace("secret: {}", "secret: {rotation: {interval: 2160h}}");
    harness.apply::<OAuthClient>(&rotated).await;
    let annotated = fixtures::CLIENT
        .replace("namespace: shop}", "namespace: shop, annotations: {claviger.dev/rotate-at: '2026-03-01T12:00:00Z'}}");
    harness.apply::<OAuthClient>(&annotated).await;
    for (name, asked) in [("api", "authentication.secret.rotation"), ("shop", "claviger.dev/rotate-at")] {
        let (ready, message) = harness.condition::<OAuthClient>("shop", name, ConditionType::CredentialsReady);
        assert_eq!(ready, "True/CredentialsReady");
        assert!(message.contains(asked) && message.contains("does not rotate"), "{message}");
        assert_eq!(harness.ready::<OAuthClient>("shop", name), "True/Ready");
    }
}
