//! Foreign edits, losses, and a cluster restored from a backup.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, DATA_KEY, Document, DocumentKind, Stored};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::ByteString;

use crate::testing::{Harness, OPERATOR, PUBLISHED, fixtures, secret};
use crate::work::Kind;

fn published(kind: &str, namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(PUBLISHED, names::published_secret(kind, &ObjectName::new(namespace, name)))
}

/// A password whose hash was lost is hashed again, with another salt.
fn without_salt(mut document: Document) -> Document {
    if let Content::User(user) = &mut document.content {
        assert!(user.password_hash.take().is_some());
    }
    document
}

fn ring() -> ObjectName {
    ObjectName::new(OPERATOR, names::ring_secret(&ObjectName::new("identity", "acme-es256")))
}

#[tokio::test]
async fn a_document_that_somebody_changed_or_deleted_is_repaired_and_reported() {
    for (kind, document, namespace, name) in [
        ("Tenant", DocumentKind::Tenant, "identity", "acme"),
        ("OAuthClient", DocumentKind::OAuthClient, "shop", "shop"),
        ("SigningKey", DocumentKind::SigningKey, "identity", "acme-es256"),
        ("User", DocumentKind::User, "identity", "ada"),
    ] {
        let mut harness = Harness::furnished().await;
        let at = published(kind, namespace, name);
        let good = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
        let mut spoilt = harness.world.secret(&at).unwrap();
        spoilt.data = Some([(DATA_KEY.to_owned(), ByteString(b"{}".to_vec()))].into());
        harness.world.put_secret(spoilt);
        harness.run().await;
        let repaired = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
        assert_eq!(without_salt(repaired.document), without_salt(good.document), "{kind}");
        assert!(repaired.revision > good.revision, "{kind}");
        assert_eq!(harness.metrics.repairs(document), 1, "{kind}");

        let good_again = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap().document;
        harness.world.remove_secret(&at);
        harness.run().await;
        let restored = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
        assert_eq!(without_salt(restored.document), without_salt(good_again), "{kind}");
        assert!(restored.revision >= repaired.revision, "{kind}");
        assert_eq!(harness.metrics.repairs(document), 2, "{kind}");
        let told = harness.world.objects().events.iter().filter(|event| event.reason == "DocumentRepaired").count();
        assert_eq!(told, 2, "{kind}");
        assert_eq!(harness.writes_of_resync().await, Vec::<String>::new(), "{kind}");
        assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    }
}

#[tokio::test]
async fn labels_that_somebody_took_away_are_put_back() {
    let mut harness = Harness::furnished().await;
    let at = published("OAuthClient", "shop", "shop");
    let mut bare = harness.world.secret(&at).unwrap();
    bare.metadata.labels = None;
    harness.world.put_secret(bare);
    harness.run().await;
    let labels = harness.world.secret(&at).unwrap().metadata.labels.unwrap();
    assert_eq!(labels[names::LABEL_DOCUMENT], "OAuthClient");
    assert_eq!(harness.metrics.repairs(DocumentKind::OAuthClient), 1);
}

#[tokio::test]
async fn a_ring_that_is_older_than_what_pods_serve_is_left_alone_and_said() {
    let mut harness = Harness::furnished().await;
    let (old_ring, old_document) = (harness.world.secret(&ring()), published("SigningKey", "identity", "acme-es256"));
    let old = harness.world.secret(&old_document).unwrap();
    // A later state of the ring: another algorithm.
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("ES256}", "ES384}")).await;
    let later = Stored::from_secret(&harness.world.secret(&old_document).unwrap()).unwrap();
    assert!(later.revision > Stored::from_secret(&old).unwrap().revision);
    // etcd is restored from a backup of before.
    harness.world.put_secret(old_ring.clone().unwrap());
    harness.world.put_secret(old);
    harness.world.changes();
    harness.restart();
    harness.run().await;
    harness.pass(Duration::from_secs(10)).await;
    let (blocked, message) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/RingRolledBack", "{message}");
    assert_eq!(harness.world.secret(&ring()).unwrap().data, old_ring.unwrap().data);
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn documents_of_other_kinds_overtake_what_pods_serve_after_a_restore() {
    let mut harness = Harness::furnished().await;
    let at = published("Tenant", "identity", "acme");
    let old = harness.world.secret(&at).unwrap();
    harness.apply::<Tenant>(&fixtures::TENANT.replace("displayName: Acme", "displayName: Acme Inc")).await;
    let later = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
    harness.world.put_secret(old);
    harness.world.changes();
    harness.restart();
    harness.run().await;
    harness.pass(Duration::from_secs(2)).await;
    let now = Stored::from_secret(&harness.world.secret(&at).unwrap()).unwrap();
    assert!(now.revision > later.revision, "{} is not above {}", now.revision, later.revision);
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn credentials_that_vanish_are_made_anew_and_the_old_secret_works_for_a_day() {
    let mut harness = Harness::furnished().await;
    let hashes = |harness: &Harness| {
        let objects = harness.world.objects();
        objects.clients[&ObjectName::new("shop", "shop")].status.clone().unwrap().secrets
    };
    let before = hashes(&harness);
    harness.world.remove_secret(&ObjectName::new("shop", "shop-oidc"));
    harness.pass(Duration::from_secs(100)).await;
    let after = hashes(&harness);
    assert_eq!(after.len(), 2);
    assert_eq!((after[0].expires_at.is_none(), &after[1].created_at), (true, &before[0].created_at));
    assert_ne!(after[0].fingerprint, before[0].fingerprint);
    harness.pass(Duration::from_secs(24 * 3600)).await;
    assert_eq!(hashes(&harness).len(), 1, "the overlap is over");
}

#[tokio::test]
async fn an_old_leader_that_wakes_up_destroys_nothing() {
    let mut harness = Harness::furnished().await;
    let old = std::sync::Arc::clone(&harness.engine);
    harness.restart();
    harness.apply::<SigningKey>(&fixtures::SIGNING_KEY.replace("ES256}", "ES384}")).await;
    let before: Vec<_> = harness.world.objects().secrets.values().cloned().collect();
    // It believes what it saw when it was paused, and looks everything over.
    old.resync();
    old.drain().await;
    let after: Vec<_> = harness.world.objects().secrets.values().cloned().collect();
    let rings = |secrets: &[k8s_openapi::api::core::v1::Secret]| {
        secrets
            .iter()
            .filter(|s| s.metadata.namespace.as_deref() == Some(OPERATOR))
            .map(|s| s.data.clone())
            .collect::<Vec<_>>()
    };
    let kids = |data: &Vec<Option<std::collections::BTreeMap<String, ByteString>>>| {
        let text: serde_json::Value = serde_json::from_slice(&data[0].as_ref().unwrap()["ring.json"].0).unwrap();
        text["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kids(&rings(&before)), kids(&rings(&after)), "no key is lost or made");
    harness.run().await;
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn a_users_last_good_hash_outlives_its_secret_and_its_document() {
    let hash = |harness: &Harness| {
        let Content::User(user) = harness.document(Kind::User, "identity", "ada")?.content else { panic!() };
        user.password_hash.map(|hash| hash.expose().to_owned())
    };
    let (at, password) = (published("User", "identity", "ada"), ObjectName::new("identity", "ada-password"));
    let mut harness = Harness::furnished().await;
    let before = hash(&harness);
    assert!(before.is_some());
    harness.world.remove_secret(&password);
    harness.pass(Duration::from_secs(100)).await;
    let resolved = harness.condition::<User>("identity", "ada", ConditionType::ReferencesResolved).0;
    assert_eq!((resolved.as_str(), hash(&harness)), ("False/SecretNotFound", before.clone()));
    harness.world.remove_secret(&at);
    harness.run().await;
    assert_eq!(hash(&harness), before);

    // Nobody remembers the hash: what providers have of it is not overwritten with none.
    harness.world.remove_secret(&at);
    harness.restart();
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(harness.document(Kind::User, "identity", "ada"), None);
    assert_eq!(harness.ready::<User>("identity", "ada"), "False/SecretNotFound");
    harness.world.put_secret(secret("identity", "ada-password", &[("password", "another one")]));
    harness.pass(Duration::from_secs(100)).await;
    assert!(hash(&harness).is_some());
    assert_eq!(harness.ready::<User>("identity", "ada"), "True/Ready");
}

#[tokio::test]
async fn a_user_that_is_disabled_is_so_whatever_is_known_of_its_password() {
    let mut harness = Harness::furnished().await;
    harness.world.remove_secret(&ObjectName::new("identity", "ada-password"));
    harness.world.remove_secret(&published("User", "identity", "ada"));
    harness.restart();
    harness.apply::<User>(&fixtures::USER.replace("spec:", "spec:\n  disabled: true")).await;
    let Content::User(user) = harness.document(Kind::User, "identity", "ada").unwrap().content else { panic!() };
    assert!(user.disabled);
}
