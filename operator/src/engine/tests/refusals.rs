//! What fails for good is said on the object, and tried again all the same.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::Content;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::ByteString;

use crate::cluster::ClusterError;
use crate::testing::{Harness, OPERATOR, PUBLISHED, Resource, fixtures};
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

fn programmed<K: Resource>(harness: &Harness, namespace: &str, name: &str) -> (String, String) {
    harness.condition::<K>(namespace, name, ConditionType::Programmed)
}

fn all_programmed(harness: &Harness) -> [(String, String); 4] {
    [
        programmed::<Tenant>(harness, "identity", "acme"),
        programmed::<SigningKey>(harness, "identity", "acme-es256"),
        programmed::<OAuthClient>(harness, "shop", "shop"),
        programmed::<User>(harness, "identity", "ada"),
    ]
}

#[tokio::test]
async fn documents_that_a_quota_refuses_are_said_once_and_written_later() {
    let mut harness = Harness::start().await;
    refuse(&harness, PUBLISHED);
    harness.furnish().await;
    harness.pass(Duration::from_secs(5)).await;
    for (programmed, message) in all_programmed(&harness) {
        assert_eq!(programmed, "False/PublicationRefused");
        assert!(message.contains("exceeded quota") && message.contains("nothing of it is served"), "{message}");
    }
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "False/PublicationRefused");
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(100)).await;
    let writes = harness.world.objects().writes.clone();
    let published = format!("create secret {PUBLISHED}/");
    assert!(!writes.is_empty() && writes.iter().all(|write| write.starts_with(&published)), "{writes:?}");
    assert_eq!(told(&harness, "PublicationRefused"), 5, "one for each object");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    for (programmed, message) in all_programmed(&harness) {
        assert_eq!(programmed, "True/Programmed", "{message}");
    }
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_change_that_is_refused_is_said_and_what_was_published_goes_on() {
    let mut harness = Harness::furnished().await;
    let before = harness.document(Kind::Tenant, "identity", "acme");
    refuse(&harness, PUBLISHED);
    let tenant = fixtures::TENANT.replace("displayName: Acme", "displayName: Acme Inc");
    harness.apply::<Tenant>(&tenant).await;
    harness.apply::<User>(&fixtures::USER.replace("engineering", "sales")).await;
    for (programmed, message) in
        [programmed::<Tenant>(&harness, "identity", "acme"), programmed::<User>(&harness, "identity", "ada")]
    {
        assert_eq!(programmed, "False/PublicationRefused");
        assert!(message.contains("what was published before goes on being served"), "{message}");
    }
    assert_eq!(harness.document(Kind::Tenant, "identity", "acme"), before);
    // Back to what is served: nothing has to be written.
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    harness.apply::<Tenant>(&tenant).await;
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_ne!(harness.document(Kind::Tenant, "identity", "acme"), before);
    assert_eq!(harness.ready::<User>("identity", "ada"), "True/Ready");
}

#[tokio::test]
async fn a_withdrawal_that_is_refused_is_said_and_done_later() {
    let mut harness = Harness::furnished().await;
    refuse(&harness, PUBLISHED);
    harness.world.apply_namespace("shop", &[("tenant", "other")]);
    harness.pass(Duration::from_secs(5)).await;
    let (refused, message) = programmed::<OAuthClient>(&harness, "shop", "shop");
    assert_eq!(refused, "False/PublicationRefused");
    assert!(message.contains("withdrawing") && message.contains("goes on being served"), "{message}");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(programmed::<OAuthClient>(&harness, "shop", "shop").0, "False/NotServed");
    assert!(harness.document(Kind::OAuthClient, "shop", "shop").unwrap().withdrawn_at.is_some());
}

#[tokio::test]
async fn credentials_of_an_earlier_name_stay_while_the_document_that_names_them_does() {
    let mut harness = Harness::furnished().await;
    refuse(&harness, PUBLISHED);
    let renamed = fixtures::CLIENT.replace("    secret:\n", "    secret:\n      name: other\n");
    harness.apply::<OAuthClient>(&renamed).await;
    let stands = |harness: &Harness, name| harness.world.secret(&ObjectName::new("shop", name)).is_some();
    assert!(stands(&harness, "shop-oidc") && stands(&harness, "other"));
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert!(!stands(&harness, "shop-oidc") && stands(&harness, "other"));
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_default_ring_that_is_refused_is_said_and_made_later() {
    let mut harness = Harness::start().await;
    refuse(&harness, "identity");
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_secs(5)).await;
    let (resolved, message) = harness.condition::<Tenant>("identity", "acme", ConditionType::ReferencesResolved);
    assert_eq!(resolved, "False/SigningKeyNotFound");
    assert!(message.contains("exceeded quota") && message.contains("no SigningKey"), "{message}");
    assert_eq!(told(&harness, "ReferencesNotResolved"), 1);
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(100)).await;
    let writes = harness.world.objects().writes.clone();
    assert!(!writes.is_empty() && writes.iter().all(|write| write.starts_with("create SigningKey ")), "{writes:?}");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(40)).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}
