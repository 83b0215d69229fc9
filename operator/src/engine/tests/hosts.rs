//! Hosts: a Tenant's issuer has one, or an API, and nobody takes it from the other.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::tenant::Tenant;

use crate::testing::{Harness, PUBLISHED, Resource, fixtures, parse};
use crate::work::Kind;

const LATER: Duration = Duration::from_secs(5);
/// A tombstone is gone by then.
const LONG_AFTER: Duration = Duration::from_secs(170 * 3600);

fn accepted<K: Resource>(harness: &Harness, namespace: &str, name: &str) -> String {
    harness.condition::<K>(namespace, name, ConditionType::Accepted).0
}

/// Another Tenant, with a host of its own.
fn other_at(host: &str) -> String {
    fixtures::TENANT.replace("acme", "other").replace("spec:", &format!("spec:\n  host: {host}"))
}

fn is_served(harness: &Harness, kind: Kind, namespace: &str, name: &str) -> bool {
    harness.document(kind, namespace, name).is_some_and(|document| document.withdrawn_at.is_none())
}

/// How the API, who asks for it, and the other Tenant stand.
fn standing(harness: &Harness) -> [String; 3] {
    [
        accepted::<OAuthClient>(harness, "shop", "api"),
        harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0,
        accepted::<Tenant>(harness, "identity", "other"),
    ]
}

const API_HOLDS: [&str; 3] = ["True/Accepted", "True/Resolved", "False/HostConflict"];
const TENANT_HOLDS: [&str; 3] = ["False/AudienceNotAllowed", "False/AudienceNotGranted", "True/Accepted"];
const BOTH: [&str; 3] = ["True/Accepted", "True/Resolved", "True/Accepted"];

#[tokio::test]
async fn no_tenant_takes_the_host_where_all_the_others_are() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&other_at("login.example")).await;
    let (accepted, message) = harness.condition::<Tenant>("identity", "other", ConditionType::Accepted);
    assert_eq!(accepted, "False/HostConflict");
    assert!(message.contains("login.example is the external URL's"), "{message}");
    assert!(harness.document(Kind::Tenant, "identity", "other").is_none());
    harness.apply::<Tenant>(&other_at("login.example:8443")).await;
    assert_eq!(self::accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted");
}

#[tokio::test]
async fn an_api_that_is_served_keeps_its_host_from_a_tenant_that_comes_later() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    assert_eq!(standing(&harness), API_HOLDS);
    assert!(is_served(&harness, Kind::OAuthClient, "shop", "api"));
    assert!(harness.document(Kind::Tenant, "identity", "other").is_none(), "a rival never becomes the issuer");
    let (_, message) = harness.condition::<Tenant>("identity", "other", ConditionType::Accepted);
    assert!(message.contains("is held by the API of the OAuthClient shop/api"), "{message}");

    harness.apply::<Tenant>(&other_at("login.other.example")).await;
    assert_eq!(standing(&harness), BOTH);
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    assert_eq!(standing(&harness), API_HOLDS, "a Tenant that is served moves there no more than a new one");

    let elsewhere = |yaml: &str| yaml.replace("https://api.shop.example", "https://orders.shop.example");
    harness.apply::<OAuthClient>(&elsewhere(fixtures::API)).await;
    harness.apply::<OAuthClient>(&elsewhere(fixtures::CLIENT)).await;
    assert_eq!(standing(&harness), BOTH, "the host is free at once");
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    assert_eq!(standing(&harness), TENANT_HOLDS);
}

#[tokio::test]
async fn a_tenant_that_holds_its_host_keeps_apis_from_it_and_they_are_told_when_it_is_free() {
    let mut harness = Harness::furnished().await;
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(standing(&harness), TENANT_HOLDS);
    harness.restart();
    harness.run().await;
    assert_eq!(standing(&harness), TENANT_HOLDS);
    harness.apply::<Tenant>(&other_at("login.other.example")).await;
    assert_eq!(standing(&harness), BOTH);
}

#[tokio::test]
async fn a_host_is_free_once_the_tombstone_of_its_tenant_is_gone() {
    let mut harness = Harness::furnished().await;
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.delete::<Tenant>("identity", "other").await;
    harness.pass(LATER).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), TENANT_HOLDS[0], "the Tenant may come back");
    harness.pass(LONG_AFTER).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), BOTH[0]);
}

#[tokio::test]
async fn an_api_that_is_deleted_keeps_its_host_for_as_long_as_it_may_return() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LATER).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "False/HostConflict");
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(standing(&harness), API_HOLDS);
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted");
}

#[tokio::test]
async fn a_tenant_that_is_refused_keeps_its_host_from_nobody() {
    let mut harness = Harness::start().await;
    harness.furnish().await;
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    let squatter = fixtures::TENANT
        .replace("name: acme,", "name: squatter,")
        .replace("spec:", "spec:\n  slug: acme\n  host: api.shop.example");
    harness.apply::<Tenant>(&squatter).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "squatter"), "False/SlugConflict");
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted", "nor from a Tenant");
}

#[tokio::test]
async fn an_api_is_told_when_a_tenant_that_wants_its_host_gets_its_slug() {
    let mut harness = Harness::furnished().await;
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(LONG_AFTER).await;
    harness.apply::<Tenant>(&other_at("login.other.example")).await;
    let rival =
        other_at("api.shop.example").replace("name: other,", "name: rival,").replace("spec:", "spec:\n  slug: other");
    harness.apply::<Tenant>(&rival).await;
    // Nothing is published of it: it has no secret.
    let without = "secret: {existingSecretRef: {name: missing, key: password}}";
    harness.apply::<OAuthClient>(&fixtures::API.replace("secret: {}", without)).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
    harness.delete::<Tenant>("identity", "other").await;
    harness.pass(LONG_AFTER).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "True/Accepted");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "False/AudienceNotAllowed");
}

#[tokio::test]
async fn a_tenant_does_with_its_own_apis_as_it_likes() {
    let mut harness = Harness::furnished().await;
    let at = fixtures::TENANT.replace("spec:", "spec:\n  host: api.shop.example");
    harness.apply::<Tenant>(&at).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "acme"), "True/Accepted");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "False/AudienceNotAllowed");
    assert!(!is_served(&harness, Kind::OAuthClient, "shop", "api"));
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
}

#[tokio::test]
async fn a_new_leader_knows_who_had_a_host_first_whatever_it_sees_first() {
    let mut harness = Harness::furnished().await;
    harness.restart();
    harness.world.apply::<Tenant>(parse(&other_at("api.shop.example")));
    harness.run().await;
    assert_eq!(standing(&harness), API_HOLDS, "the API's document stands");

    let document = names::published_secret("OAuthClient", &ObjectName::new("shop", "api"));
    harness.world.remove_secret(&ObjectName::new(PUBLISHED, document));
    harness.run().await;
    harness.pass(LATER).await;
    assert_eq!(standing(&harness), API_HOLDS, "a document that vanishes leaves the host where it is");
}

#[tokio::test]
async fn a_new_leader_that_finds_the_document_of_an_api_missing_or_unreadable_leaves_the_host_where_it_was() {
    let at = ObjectName::new(PUBLISHED, names::published_secret("OAuthClient", &ObjectName::new("shop", "api")));
    for missing in [true, false] {
        let mut harness = waited_for().await;
        let mut document = harness.world.secret(&at).unwrap();
        if missing {
            harness.world.remove_secret(&at);
        } else {
            document.data = None;
            harness.world.put_secret(document);
        }
        harness.restart();
        harness.run().await;
        harness.pass(LATER).await;
        assert_eq!(standing(&harness), API_HOLDS, "{missing}");
        harness.delete::<OAuthClient>("shop", "api").await;
        harness.pass(LONG_AFTER).await;
        assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted", "{missing}");
    }
}

/// An API that another Tenant waits for the host of.
async fn waited_for() -> Harness {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&other_at("api.shop.example")).await;
    assert_eq!(standing(&harness), API_HOLDS);
    harness
}

#[tokio::test]
async fn an_api_whose_tenant_no_longer_has_it_keeps_no_host() {
    let mut harness = waited_for().await;
    harness.world.apply_namespace("shop", &[("tenant", "none")]);
    harness.run().await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "False/NotAllowedByTenant");
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted");
    harness.world.apply_namespace("shop", &[("tenant", "acme")]);
    harness.run().await;
    assert_eq!(standing(&harness), TENANT_HOLDS, "it comes too late");
}

#[tokio::test]
async fn an_api_whose_tenant_is_gone_keeps_no_host() {
    let mut harness = waited_for().await;
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(LATER).await;
    assert!(!is_served(&harness, Kind::OAuthClient, "shop", "api"));
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted");
}

#[tokio::test]
async fn an_api_that_is_refused_at_another_host_keeps_not_the_one_where_it_was() {
    let mut harness = waited_for().await;
    let ours = fixtures::API.replace("https://api.shop.example", "https://login.example/api");
    harness.apply::<OAuthClient>(&ours).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "False/AudienceNotAllowed");
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "True/Accepted");
}

#[tokio::test]
async fn an_api_that_only_its_own_tenants_host_keeps_out_returns_before_another_tenant_comes() {
    let mut harness = waited_for().await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("spec:", "spec:\n  host: api.shop.example")).await;
    assert!(!is_served(&harness, Kind::OAuthClient, "shop", "api"));
    assert_eq!(accepted::<Tenant>(&harness, "identity", "other"), "False/HostConflict");
    harness.apply::<Tenant>(fixtures::TENANT).await;
    assert_eq!(standing(&harness), API_HOLDS);
}
