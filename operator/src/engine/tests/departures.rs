//! Deletion without finalizers: the sweep, tombstones, and rings that leave in order.

use std::time::Duration;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, Document, KeyPhase, KeysDocument};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;

use crate::testing::{Harness, OPERATOR, fixtures, parse};
use crate::work::Kind;

const HOUR: Duration = Duration::from_secs(3600);

fn keys(harness: &Harness, name: &str) -> (Document, KeysDocument) {
    let document = harness.document(Kind::SigningKey, "identity", name).unwrap();
    let Content::SigningKey(keys) = document.content.clone() else { panic!() };
    (document, keys)
}

fn kids(keys: &KeysDocument) -> Vec<(String, KeyPhase)> {
    keys.keys.iter().map(|key| (key.kid.to_string(), key.phase)).collect()
}

async fn delete_everything(harness: &mut Harness) {
    for (namespace, name) in [("shop", "shop"), ("shop", "api")] {
        harness.world.delete::<OAuthClient>(&ObjectName::new(namespace, name));
    }
    harness.world.delete::<User>(&ObjectName::new("identity", "ada"));
    harness.world.delete::<SigningKey>(&ObjectName::new("identity", "acme-es256"));
    harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
    harness.run().await;
}

#[tokio::test]
async fn a_deleted_tenant_stops_being_served_at_once_and_so_does_all_of_it() {
    let mut harness = Harness::furnished().await;
    harness.delete::<Tenant>("identity", "acme").await;
    for (kind, namespace, name) in [
        (Kind::Tenant, "identity", "acme"),
        (Kind::OAuthClient, "shop", "shop"),
        (Kind::SigningKey, "identity", "acme-es256"),
        (Kind::User, "identity", "ada"),
    ] {
        let document = harness.document(kind, namespace, name).unwrap();
        assert!(document.withdrawn_at.is_some(), "{kind}");
        assert!(!String::from_utf8(document.to_bytes()).unwrap().contains("privateKey"), "{kind}");
    }
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "False/TenantNotFound");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_yaml_again_brings_back_the_same_keys_and_the_same_secrets() {
    let mut harness = Harness::furnished().await;
    let before = kids(&keys(&harness, "acme-es256").1);
    let secret = harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap();
    delete_everything(&mut harness).await;
    harness.pass(100 * HOUR).await;
    assert!(keys(&harness, "acme-es256").0.withdrawn_at.is_some());
    harness.apply_all();
    harness.run().await;
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(kids(&keys(&harness, "acme-es256").1), before);
    assert_eq!(harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap().data, secret.data);
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn a_week_later_nothing_is_left() {
    let mut harness = Harness::furnished().await;
    delete_everything(&mut harness).await;
    harness.pass(170 * HOUR).await;
    let left: Vec<String> = harness.world.objects().secrets.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["identity/ada-password"], "only what somebody else made");
}

#[tokio::test]
async fn many_at_once_wait_a_minute() {
    let mut harness = Harness::furnished().await;
    for at in 0..7 {
        harness.apply::<User>(&fixtures::USER.replace("name: ada,", &format!("name: user-{at},"))).await;
    }
    let users = || (0..7).map(|at| format!("user-{at}"));
    for user in users() {
        harness.world.delete::<User>(&ObjectName::new("identity", user));
    }
    harness.run().await;
    harness.pass(Duration::from_secs(55)).await;
    let withdrawn = |harness: &Harness| {
        users().filter(|user| harness.document(Kind::User, "identity", user).unwrap().withdrawn_at.is_some()).count()
    };
    assert_eq!(withdrawn(&harness), 0);
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(withdrawn(&harness), 7);
}

#[tokio::test]
async fn what_comes_back_within_the_minute_was_never_gone() {
    let mut harness = Harness::furnished().await;
    let user = |at: usize| fixtures::USER.replace("name: ada,", &format!("name: user-{at},"));
    for at in 0..7 {
        harness.apply::<User>(&user(at)).await;
    }
    for at in 0..7 {
        harness.world.delete::<User>(&ObjectName::new("identity", format!("user-{at}")));
    }
    harness.run().await;
    harness.pass(Duration::from_secs(30)).await;
    for at in 0..7 {
        harness.apply::<User>(&user(at)).await;
    }
    harness.pass(Duration::from_secs(100)).await;
    assert!(harness.document(Kind::User, "identity", "user-3").unwrap().withdrawn_at.is_none());
}

#[tokio::test]
async fn the_sweep_asks_the_api_server_before_it_believes_its_cache() {
    let mut harness = Harness::furnished().await;
    // The watch says that the user is gone; the API server has it.
    harness
        .engine
        .change(crate::engine::Change::User(crate::engine::Seen::Deleted(ObjectName::new("identity", "ada"))));
    harness.pass(Duration::from_secs(120)).await;
    assert!(harness.document(Kind::User, "identity", "ada").unwrap().withdrawn_at.is_none());
}

#[tokio::test]
async fn a_ring_whose_signing_key_is_gone_leaves_in_order() {
    let mut harness = Harness::furnished().await;
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(Duration::from_secs(5)).await;
    // The default ring stands in, but no verifier may have cached its keys yet.
    assert!(harness.document(Kind::SigningKey, "identity", "acme-default").is_some());
    let (_, ring) = keys(&harness, "acme-es256");
    assert!(!ring.leaving && ring.keys.iter().any(|key| key.phase == KeyPhase::Active));
    harness.pass(Duration::from_secs(2 * 900)).await;
    assert!(!keys(&harness, "acme-es256").1.leaving, "twice the max-age and ten seconds are not over");
    harness.pass(Duration::from_secs(60)).await;
    let (document, ring) = keys(&harness, "acme-es256");
    assert!(ring.leaving && document.withdrawn_at.is_none());
    assert!(ring.keys.iter().any(|key| key.phase == KeyPhase::Retiring), "it stays in the JWK Set while tokens live");
    harness.pass(Duration::from_secs(3600)).await;
    assert!(keys(&harness, "acme-es256").0.withdrawn_at.is_none());
    harness.pass(Duration::from_secs(200)).await;
    assert!(keys(&harness, "acme-es256").0.withdrawn_at.is_some());
    harness.pass(170 * HOUR).await;
    let ring = ObjectName::new(OPERATOR, names::ring_secret(&ObjectName::new("identity", "acme-es256")));
    assert!(harness.world.secret(&ring).is_none());
}

#[tokio::test]
async fn a_leaving_ring_that_comes_back_signs_with_the_same_key() {
    let mut harness = Harness::furnished().await;
    let before = kids(&keys(&harness, "acme-es256").1);
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(Duration::from_secs(2000)).await;
    assert!(keys(&harness, "acme-es256").1.leaving);
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    let (_, ring) = keys(&harness, "acme-es256");
    assert!(!ring.leaving);
    assert_eq!(kids(&ring), before);
}

#[tokio::test]
async fn a_default_ring_leaves_when_a_declared_one_is_live() {
    let mut harness = Harness::start().await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_secs(2)).await;
    assert!(harness.world.objects().signing_keys.contains_key(&ObjectName::new("identity", "acme-default")));
    harness.world.apply(parse::<SigningKey>(fixtures::SIGNING_KEY));
    harness.run().await;
    let declared = |harness: &Harness| {
        harness.world.objects().signing_keys.contains_key(&ObjectName::new("identity", "acme-default"))
    };
    harness.pass(Duration::from_secs(29 * 60)).await;
    assert!(declared(&harness) && keys(&harness, "acme-es256").1.joining, "verifiers may not know the other");
    harness.pass(Duration::from_secs(3 * 60)).await;
    assert!(!declared(&harness) && !keys(&harness, "acme-es256").1.joining);
    harness.pass(4 * HOUR).await;
    assert!(keys(&harness, "acme-default").0.withdrawn_at.is_some());
}

#[tokio::test]
async fn where_every_ring_is_deleted_the_next_one_waits_until_verifiers_know_it() {
    let mut harness = Harness::furnished().await;
    let other = fixtures::SIGNING_KEY.replace("name: acme-es256", "name: acme-second");
    harness.apply::<SigningKey>(&other).await;
    harness.pass(HOUR).await;
    for name in ["acme-es256", "acme-second"] {
        harness.world.delete::<SigningKey>(&ObjectName::new("identity", name));
    }
    harness.run().await;
    harness.pass(Duration::from_secs(2)).await;
    assert!(keys(&harness, "acme-default").1.joining, "pods sign with those that leave");
    harness.pass(12 * HOUR).await;
    assert!(!keys(&harness, "acme-default").1.joining);
    for name in ["acme-es256", "acme-second"] {
        assert!(keys(&harness, name).0.withdrawn_at.is_some(), "{name}");
    }
}

#[tokio::test]
async fn the_same_keys_sign_again_though_the_tenant_comes_back_first() {
    let mut harness = Harness::furnished().await;
    let before = kids(&keys(&harness, "acme-es256").1);
    harness.world.delete::<SigningKey>(&ObjectName::new("identity", "acme-es256"));
    harness.run().await;
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(HOUR).await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_secs(8)).await;
    assert!(harness.world.objects().signing_keys.is_empty(), "its ring may come back with its keys");
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(kids(&keys(&harness, "acme-es256").1), before);
    assert!(harness.document(Kind::SigningKey, "identity", "acme-default").is_none());
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

#[tokio::test]
async fn a_tenant_whose_ring_does_not_come_back_gets_a_default_one() {
    let mut harness = Harness::furnished().await;
    delete_everything(&mut harness).await;
    harness.pass(HOUR).await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_secs(12)).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-default"), "True/Ready");
}

#[tokio::test]
async fn a_tenant_that_is_made_anew_waits_for_its_signing_key_anew() {
    let mut harness = Harness::furnished().await;
    delete_everything(&mut harness).await;
    harness.pass(170 * HOUR).await;
    for gap in [HOUR, Duration::ZERO] {
        harness.apply::<Tenant>(fixtures::TENANT).await;
        harness.pass(Duration::from_millis(200)).await;
        assert!(harness.world.objects().signing_keys.is_empty(), "the SigningKey may be on its way");
        // Without a gap, the operator never sees that there was none.
        harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
        if !gap.is_zero() {
            harness.pass(gap).await;
        }
    }
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_millis(200)).await;
    assert!(harness.world.objects().signing_keys.is_empty());
}
