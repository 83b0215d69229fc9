//! What an object asks for and this release does not do is said, and never passed over in silence.

use claviger_crds::condition::ConditionType;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;

use crate::testing::{Harness, fixtures};

#[tokio::test]
async fn an_algorithm_is_there_when_a_key_of_it_is() {
    let mut harness = Harness::furnished().await;
    let client = fixtures::CLIENT.replace("spec:", "spec:\n  idTokenSignedResponseAlg: ES384");
    let resolved =
        |harness: &Harness| harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0;
    harness.apply::<OAuthClient>(&client).await;
    let other = fixtures::SIGNING_KEY.replace("name: acme-es256", "name: acme-es384").replace("ES256}", "ES384}");
    harness.apply::<SigningKey>(&other).await;
    assert_eq!(resolved(&harness), "False/SigningKeyNotFound", "verifiers may not know it yet");
    harness.pass(std::time::Duration::from_secs(31 * 60)).await;
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
