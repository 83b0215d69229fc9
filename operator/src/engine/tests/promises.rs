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
