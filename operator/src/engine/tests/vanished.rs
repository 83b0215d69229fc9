//! A document vanishes and its owner goes before it is written again: providers must learn of it.

use std::time::Duration;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{ClientAuthentication, Content, DATA_KEY, Document, Stored};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::ByteString;

use crate::testing::{Harness, OPERATOR, PUBLISHED, fixtures, parse};
use crate::work::Kind;

const WEEK: Duration = Duration::from_secs(170 * 3600);
const ALL: [(Kind, &str, &str); 5] = [
    (Kind::Tenant, "identity", "acme"),
    (Kind::SigningKey, "identity", "acme-es256"),
    (Kind::OAuthClient, "shop", "shop"),
    (Kind::OAuthClient, "shop", "api"),
    (Kind::User, "identity", "ada"),
];

fn published(kind: Kind, namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(PUBLISHED, names::published_secret(kind.as_str(), &ObjectName::new(namespace, name)))
}

fn ring() -> ObjectName {
    ObjectName::new(OPERATOR, names::ring_secret(&ObjectName::new("identity", "acme-es256")))
}

fn stored(harness: &Harness, kind: Kind, namespace: &str, name: &str) -> Stored {
    Stored::from_secret(&harness.world.secret(&published(kind, namespace, name)).unwrap()).unwrap()
}

fn delete(harness: &Harness, kind: Kind, namespace: &str, name: &str) {
    let name = ObjectName::new(namespace, name);
    match kind {
        Kind::Tenant => harness.world.delete::<Tenant>(&name),
        Kind::SigningKey => harness.world.delete::<SigningKey>(&name),
        Kind::OAuthClient => harness.world.delete::<OAuthClient>(&name),
        Kind::User => harness.world.delete::<User>(&name),
        Kind::IdentityProvider => panic!(),
    }
}

/// Somebody deletes every document, and everything that they were made of.
fn everything_vanishes(harness: &Harness) {
    for (kind, namespace, name) in ALL {
        harness.world.remove_secret(&published(kind, namespace, name));
        delete(harness, kind, namespace, name);
    }
}

fn withdrawn(harness: &Harness, of: (Kind, &str, &str)) -> bool {
    harness.document(of.0, of.1, of.2).is_some_and(|document| document.withdrawn_at.is_some())
}

fn hashes(document: &Document) -> Vec<String> {
    let Content::OAuthClient(client) = &document.content else { panic!() };
    let ClientAuthentication::Secret { hashes } = &client.authentication else { panic!() };
    hashes.iter().map(|hash| hash.hash.clone()).collect()
}

#[tokio::test]
async fn a_document_that_vanished_before_its_owner_went_is_withdrawn_by_a_new_one() {
    for (kind, namespace, name) in [ALL[0], ALL[2], ALL[4]] {
        for document_first in [true, false] {
            let mut harness = Harness::furnished().await;
            let before = stored(&harness, kind, namespace, name);
            let at = published(kind, namespace, name);
            if document_first {
                harness.world.remove_secret(&at);
            }
            delete(&harness, kind, namespace, name);
            if !document_first {
                harness.world.remove_secret(&at);
            }
            harness.run().await;
            let tombstone = stored(&harness, kind, namespace, name);
            assert!(tombstone.document.withdrawn_at.is_some() && tombstone.revision > before.revision, "{kind}");
            assert_eq!(
                (&tombstone.document.owner, &tombstone.document.tenant),
                (&before.document.owner, &before.document.tenant,)
            );
            assert_eq!(harness.writes_of_resync().await, Vec::<String>::new(), "{kind}");
            harness.pass(WEEK).await;
            assert!(harness.world.secret(&at).is_none(), "{kind}: its time is over like any other's");
        }
    }
}

#[tokio::test]
async fn everything_that_vanished_is_withdrawn_and_comes_back_with_its_keys_and_secrets() {
    let mut harness = Harness::furnished().await;
    let keys = |harness: &Harness| match stored(harness, ALL[1].0, ALL[1].1, ALL[1].2).document.content {
        Content::SigningKey(keys) => keys.keys.into_iter().map(|key| key.kid).collect::<Vec<_>>(),
        _ => panic!(),
    };
    let password = |harness: &Harness| match stored(harness, ALL[4].0, ALL[4].1, ALL[4].2).document.content {
        Content::User(user) => user.password_hash.unwrap().expose().to_owned(),
        _ => panic!(),
    };
    let of_client = |harness: &Harness| hashes(&stored(harness, ALL[2].0, ALL[2].1, ALL[2].2).document);
    let before = (keys(&harness), password(&harness), of_client(&harness));
    everything_vanishes(&harness);
    harness.run().await;
    for of in ALL {
        assert!(withdrawn(&harness, of), "{of:?}");
        let text = String::from_utf8(harness.document(of.0, of.1, of.2).unwrap().to_bytes()).unwrap();
        assert!(!text.contains("privateKey") && !text.contains("callback") && !text.contains("engineering"), "{text}");
    }
    harness.apply_all();
    harness.run().await;
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!((keys(&harness), password(&harness), of_client(&harness)), before);
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(harness.ready::<User>("identity", "ada"), "True/Ready");
}

#[tokio::test]
async fn a_week_later_nothing_is_left_of_what_vanished() {
    let mut harness = Harness::furnished().await;
    everything_vanishes(&harness);
    harness.run().await;
    harness.pass(WEEK).await;
    let left: Vec<String> = harness.world.objects().secrets.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["identity/ada-password"], "only what somebody else made");
}

#[tokio::test]
async fn a_ring_whose_secret_vanished_too_is_withdrawn_without_it() {
    let mut harness = Harness::furnished().await;
    let before = stored(&harness, ALL[1].0, ALL[1].1, ALL[1].2);
    harness.world.remove_secret(&ring());
    everything_vanishes(&harness);
    harness.run().await;
    let tombstone = stored(&harness, ALL[1].0, ALL[1].1, ALL[1].2);
    assert!(tombstone.document.withdrawn_at.is_some() && tombstone.revision > before.revision);
}

#[tokio::test]
async fn many_that_vanished_wait_a_minute_like_any_others() {
    let mut harness = Harness::furnished().await;
    let users: Vec<String> = (0..7).map(|at| format!("user-{at}")).collect();
    for user in &users {
        harness.world.apply(parse::<User>(&fixtures::USER.replace("name: ada,", &format!("name: {user},"))));
    }
    harness.run().await;
    for user in &users {
        harness.world.remove_secret(&published(Kind::User, "identity", user));
        delete(&harness, Kind::User, "identity", user);
    }
    harness.run().await;
    harness.pass(Duration::from_secs(55)).await;
    let tombstones = |harness: &Harness| {
        users.iter().filter(|user| withdrawn(harness, (Kind::User, "identity", user.as_str()))).count()
    };
    assert_eq!(tombstones(&harness), 0);
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(tombstones(&harness), 7);
}

#[tokio::test]
async fn a_write_that_fails_or_whose_answer_is_lost_is_made_good() {
    for at in 0..12 {
        for answer in [true, false] {
            let mut harness = Harness::furnished().await;
            everything_vanishes(&harness);
            if answer {
                harness.world.objects().answer_lost_at = Some(at);
            } else {
                harness.world.objects().writes_left = Some(at);
            }
            harness.run().await;
            harness.world.objects().writes_left = None;
            harness.pass(Duration::from_secs(40)).await;
            for of in ALL {
                assert!(withdrawn(&harness, of), "{of:?} after {at} writes, answer: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_ring_is_withdrawn_wherever_the_operator_is_killed() {
    for left in 0..12 {
        let mut harness = Harness::furnished().await;
        let before = stored(&harness, ALL[1].0, ALL[1].1, ALL[1].2);
        everything_vanishes(&harness);
        harness.world.objects().writes_left = Some(left);
        harness.run().await;
        harness.restart();
        harness.run().await;
        harness.pass(Duration::from_secs(40)).await;
        // The ring itself tells whose it is: this document alone is withdrawn also by who never saw it.
        let tombstone = stored(&harness, ALL[1].0, ALL[1].1, ALL[1].2);
        assert!(tombstone.document.withdrawn_at.is_some() && tombstone.revision > before.revision, "{left}");
    }
}

#[tokio::test]
async fn a_client_that_is_refused_is_withdrawn_though_its_document_vanished() {
    let mut harness = Harness::furnished().await;
    harness.world.apply_namespace("shop", &[("tenant", "other")]);
    harness.world.remove_secret(&published(Kind::OAuthClient, "shop", "shop"));
    harness.run().await;
    assert!(withdrawn(&harness, ALL[2]));
}

#[tokio::test]
async fn what_nobody_could_ever_read_leaves_its_names_when_it_vanishes() {
    let mut harness = Harness::furnished().await;
    let at = published(Kind::Tenant, "identity", "acme");
    let mut spoilt = harness.world.secret(&at).unwrap();
    spoilt.data = Some([(DATA_KEY.to_owned(), ByteString(b"{}".to_vec()))].into());
    harness.world.put_secret(spoilt);
    delete(&harness, Kind::Tenant, "identity", "acme");
    harness.restart();
    harness.run().await;
    harness.world.remove_secret(&at);
    harness.run().await;
    harness
        .apply::<Tenant>(
            &fixtures::TENANT.replace("{name: acme,", "{name: heir,").replace("spec:", "spec:\n  slug: acme"),
        )
        .await;
    harness.pass(Duration::from_secs(2)).await;
    let accepted = harness.condition::<Tenant>("identity", "heir", claviger_crds::condition::ConditionType::Accepted).0;
    assert_eq!(accepted, "True/Accepted");
    assert!(harness.world.secret(&at).is_none());
}

#[tokio::test]
async fn a_new_leader_says_what_pods_serve_that_nobody_can_withdraw() {
    let mut harness = Harness::furnished().await;
    harness.world.remove_secret(&published(Kind::User, "identity", "ada"));
    harness.world.remove_secret(&published(Kind::OAuthClient, "shop", "api"));
    delete(&harness, Kind::User, "identity", "ada");
    // Nobody sees that: the operator was down.
    harness.world.changes();
    harness.restart();
    harness.run().await;
    harness.pass(Duration::from_secs(58)).await;
    let told = |harness: &Harness| harness.engine.context().with(|state| state.strays.told());
    assert_eq!(told(&harness), Vec::<String>::new());
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(told(&harness), [published(Kind::User, "identity", "ada").name], "the client's is written again");
    harness.leave("pod-a");
    harness.pass(Duration::from_secs(1)).await;
    assert_eq!(told(&harness), Vec::<String>::new());
}
