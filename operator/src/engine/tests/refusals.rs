//! What fails for good is said on the object, and tried again all the same.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::Content;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use k8s_openapi::ByteString;

use crate::cluster::ClusterError;
use crate::testing::{Harness, OPERATOR, fixtures};
use crate::work::Kind;

fn refuse(harness: &Harness, namespace: &str) {
    let error = ClusterError::Denied("exceeded quota: secrets".to_owned());
    harness.world.objects().refused_in = Some((namespace.to_owned(), error));
}

fn credentials(harness: &Harness) -> (String, String) {
    harness.condition::<OAuthClient>("shop", "shop", ConditionType::CredentialsReady)
}

fn told(harness: &Harness, reason: &str) -> usize {
    harness.world.objects().events.iter().filter(|event| event.reason == reason).count()
}

#[tokio::test]
async fn credentials_that_a_quota_refuses_are_said_and_made_later() {
    let mut harness = Harness::start().await;
    refuse(&harness, "shop");
    harness.furnish().await;
    harness.pass(Duration::from_secs(5)).await;
    let (ready, message) = credentials(&harness);
    assert_eq!(ready, "False/SecretRefused");
    assert!(message.contains("exceeded quota") && message.contains("shop-oidc"), "{message}");
    assert!(harness.document(Kind::OAuthClient, "shop", "shop").is_none(), "nobody has the secret");
    assert_eq!(told(&harness, "CredentialsNotReady"), 2, "one for each client");
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(100)).await;
    let writes = harness.world.objects().writes.clone();
    assert!(!writes.is_empty() && writes.iter().all(|write| write.starts_with("create secret shop/")), "{writes:?}");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn credentials_that_cannot_be_brought_up_to_date_hold_up_nothing_else() {
    let mut harness = Harness::furnished().await;
    refuse(&harness, "shop");
    let changed = fixtures::CLIENT
        .replace("https://shop.example/callback", "https://shop.example/cb")
        .replace("config.json", "other.json");
    harness.apply::<OAuthClient>(&changed).await;
    harness.pass(Duration::from_secs(3)).await;
    assert_eq!(credentials(&harness).0, "False/SecretRefused");
    let Content::OAuthClient(client) = harness.document(Kind::OAuthClient, "shop", "shop").unwrap().content else {
        panic!()
    };
    assert_eq!(client.redirect_uris, ["https://shop.example/cb"]);
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_is_said_and_left_alone() {
    let mut harness = Harness::furnished().await;
    let at = ObjectName::new(OPERATOR, names::ring_secret(&ObjectName::new("identity", "acme-es256")));
    let good = harness.world.secret(&at).unwrap();
    let status = |harness: &Harness| {
        let objects = harness.world.objects();
        objects.signing_keys[&ObjectName::new("identity", "acme-es256")].status.clone().unwrap()
    };
    let before = (status(&harness).active_kid, harness.document(Kind::SigningKey, "identity", "acme-es256"));
    let mut spoilt = good.clone();
    spoilt.data = Some([("ring.json".to_owned(), ByteString(b"{\"version\":1}".to_vec()))].into());
    harness.world.put_secret(spoilt.clone());
    harness.run().await;
    let condition = |harness: &Harness, type_| harness.condition::<SigningKey>("identity", "acme-es256", type_);
    let (blocked, message) = condition(&harness, ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/RingUnreadable", "{message}");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "False/RingUnreadable");
    assert_eq!(told(&harness, "RotationBlocked"), 1);
    let now = (status(&harness).active_kid, harness.document(Kind::SigningKey, "identity", "acme-es256"));
    assert_eq!(now, before, "it goes on being served");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    assert_eq!(harness.world.secret(&at).unwrap().data, spoilt.data);
    harness.world.put_secret(good);
    harness.run().await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn a_default_ring_whose_name_is_another_tenants_is_not_made_again_and_again() {
    let mut harness = Harness::furnished().await;
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("name: acme-es256", "name: other-default")).await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("name: acme,", "name: other,")).await;
    harness.pass(Duration::from_secs(2)).await;
    let (resolved, message) = harness.condition::<Tenant>("identity", "other", ConditionType::ReferencesResolved);
    assert_eq!(resolved, "False/SigningKeyNotFound");
    assert!(message.contains("identity/other-default"), "{message}");
    assert_eq!(told(&harness, "DefaultRingCreated"), 0);
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(harness.world.objects().writes, Vec::<String>::new());
    harness.delete::<SigningKey>("identity", "other-default").await;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<Tenant>("identity", "other"), "True/Ready");
}

#[tokio::test]
async fn a_ring_that_cannot_be_written_is_said_and_made_later() {
    let mut harness = Harness::start().await;
    refuse(&harness, OPERATOR);
    harness.furnish().await;
    let blocked =
        |harness: &Harness| harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    let (reason, message) = blocked(&harness);
    assert_eq!(reason, "True/RingRefused");
    assert!(message.contains("exceeded quota"), "{message}");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "False/RingRefused");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");

    let before = harness.document(Kind::SigningKey, "identity", "acme-es256");
    refuse(&harness, OPERATOR);
    harness
        .apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("ES256}", "ES256, rotation: {cacheLifetime: 10m}}"))
        .await;
    assert_eq!(blocked(&harness).0, "True/RingRefused");
    assert_eq!(harness.document(Kind::SigningKey, "identity", "acme-es256"), before, "it goes on being served");
}
