//! Who may hold a name or a place of a quota, and what does not free it.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::DATA_KEY;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::types;
use claviger_crds::user::User;
use k8s_openapi::ByteString;

use crate::testing::{Harness, PUBLISHED, Resource, fixtures};
use crate::work::Kind;

const LATER: Duration = Duration::from_secs(5);

fn accepted<K: Resource>(harness: &Harness, namespace: &str, name: &str) -> String {
    harness.condition::<K>(namespace, name, ConditionType::Accepted).0
}

fn published(kind: &str, namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(PUBLISHED, names::published_secret(kind, &ObjectName::new(namespace, name)))
}

/// A tenant with a ring, and two namespaces that it selects.
async fn tenant(yaml: &str) -> Harness {
    let mut harness = Harness::start().await;
    for namespace in ["shop", "mart"] {
        harness.world.apply_namespace(namespace, &[("tenant", "acme"), ("named", namespace)]);
    }
    harness.world.apply_namespace("evil", &[]);
    harness.apply::<Tenant>(yaml).await;
    harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
    harness
}

/// The API's YAML in another namespace or under another name.
fn api(namespace: &str, name: &str) -> String {
    fixtures::API.replace("name: api, namespace: shop", &format!("name: {name}, namespace: {namespace}"))
}

/// An API that is accepted, and has no secret to be published with.
fn without_secret(namespace: &str, name: &str) -> String {
    api(namespace, name).replace("secret: {}", "secret: {existingSecretRef: {name: missing, key: password}}")
}

#[tokio::test]
async fn who_is_refused_keeps_no_name_from_those_who_are_not() {
    let mut harness = tenant(fixtures::TENANT).await;
    harness.apply::<OAuthClient>(&api("evil", "x").replace("spec:", "spec:\n  clientId: shop.shop")).await;
    harness.apply::<OAuthClient>(&api("evil", "y")).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "evil", "x"), "False/ClientIdNotAllowed");
    assert_eq!(accepted::<OAuthClient>(&harness, "evil", "y"), "False/NotAllowedByTenant");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn who_is_refused_takes_no_place_of_a_quota() {
    let mut harness = tenant(&fixtures::TENANT.replace("spec:", "spec:\n  ceilings: {clients: 2}")).await;
    for name in ["x", "y"] {
        let client = fixtures::CLIENT.replace("name: shop, namespace: shop", &format!("name: {name}, namespace: evil"));
        harness.apply::<OAuthClient>(&client).await;
    }
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "shop"), "True/Accepted");
}

#[tokio::test]
async fn a_namespace_that_is_no_longer_let_in_leaves_its_names_to_others() {
    let mut harness = tenant(fixtures::TENANT).await;
    harness.apply::<OAuthClient>(&without_secret("mart", "first")).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "mart", "first"), "True/Accepted");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "False/AudienceConflict");
    harness.world.apply_namespace("mart", &[]);
    harness.run().await;
    assert_eq!(accepted::<OAuthClient>(&harness, "mart", "first"), "False/NotAllowedByTenant");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
}

#[tokio::test]
async fn a_tenant_that_lets_others_in_hands_on_their_names() {
    let mut harness = tenant(fixtures::TENANT).await;
    harness.apply::<OAuthClient>(&without_secret("mart", "first")).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("{tenant: acme}", "{named: shop}")).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "mart", "first"), "False/NotAllowedByTenant");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), "True/Accepted");
}

#[tokio::test]
async fn a_client_that_is_withdrawn_leaves_its_place_of_the_quota() {
    let mut harness = tenant(&fixtures::TENANT.replace("spec:", "spec:\n  ceilings: {clients: 1}")).await;
    harness.apply::<OAuthClient>(&fixtures::CLIENT.replace("namespace: shop}", "namespace: mart}")).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "shop"), "False/QuotaExceeded");
    harness.world.apply_namespace("mart", &[]);
    harness.run().await;
    assert_eq!(accepted::<OAuthClient>(&harness, "mart", "shop"), "False/NotAllowedByTenant");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "shop"), "True/Accepted");
}

#[tokio::test]
async fn a_name_that_is_given_up_is_told_to_those_who_wait_for_it() {
    let mut harness = tenant(fixtures::TENANT).await;
    harness.apply::<OAuthClient>(&api("evil", "oldest")).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    harness.apply::<OAuthClient>(&without_secret("mart", "first")).await;
    harness.world.apply_namespace("evil", &[("tenant", "acme")]);
    harness.run().await;
    assert_eq!(accepted::<OAuthClient>(&harness, "evil", "oldest"), "False/AudienceConflict");
    harness.apply::<Tenant>(&fixtures::TENANT.replace("spec:", "spec:\n  ceilings: {clients: 1}")).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "mart", "first"), "False/QuotaExceeded");
    assert_eq!(accepted::<OAuthClient>(&harness, "evil", "oldest"), "False/QuotaExceeded", "the name is free");
}

/// A tenant that came back by its tombstone, and a rival that is older now.
async fn tenant_with_an_older_rival() -> Harness {
    let mut harness = Harness::furnished().await;
    harness.delete::<Tenant>("identity", "acme").await;
    let rival = fixtures::TENANT.replace("name: acme,", "name: rival,").replace("spec:", "spec:\n  slug: acme");
    harness.apply::<Tenant>(&rival).await;
    harness.pass(LATER).await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(LATER).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    harness
}

/// An API, and an older client that wants its audience now.
async fn api_with_an_older_rival() -> Harness {
    let mut harness = tenant(fixtures::TENANT).await;
    let mute = api("shop", "older").replace("  resourceServer:", "  #");
    harness.apply::<OAuthClient>(&mute).await;
    harness.pass(LATER).await;
    harness.apply::<OAuthClient>(fixtures::API).await;
    harness.apply::<OAuthClient>(&api("shop", "older")).await;
    harness.pass(LATER).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "older"), "False/AudienceConflict");
    harness
}

fn spoil(harness: &Harness, at: &ObjectName) {
    let mut spoilt = harness.world.secret(at).unwrap();
    spoilt.data = Some([(DATA_KEY.to_owned(), ByteString(b"{}".to_vec()))].into());
    harness.world.put_secret(spoilt);
}

fn check_tenant(harness: &Harness) {
    assert_eq!(accepted::<Tenant>(harness, "identity", "rival"), "False/SlugConflict");
    assert!(harness.document(Kind::Tenant, "identity", "rival").is_none(), "a rival never becomes the issuer");
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
}

fn check_api(harness: &Harness) {
    assert_eq!(accepted::<OAuthClient>(harness, "shop", "older"), "False/AudienceConflict");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
}

#[tokio::test]
async fn a_document_that_vanishes_leaves_its_names_where_they_are() {
    let mut harness = tenant_with_an_older_rival().await;
    harness.world.remove_secret(&published("Tenant", "identity", "acme"));
    harness.run().await;
    harness.pass(LATER).await;
    check_tenant(&harness);

    let mut harness = api_with_an_older_rival().await;
    harness.world.remove_secret(&published("OAuthClient", "shop", "api"));
    harness.run().await;
    harness.pass(LATER).await;
    check_api(&harness);
}

#[tokio::test]
async fn a_new_leader_that_finds_a_document_lost_or_spoilt_knows_whose_names_these_were() {
    for lost in [true, false] {
        let damage = |harness: &Harness, at: ObjectName| {
            if lost { harness.world.remove_secret(&at) } else { spoil(harness, &at) }
        };
        let mut harness = tenant_with_an_older_rival().await;
        damage(&harness, published("Tenant", "identity", "acme"));
        harness.restart();
        harness.run().await;
        harness.pass(LATER).await;
        check_tenant(&harness);

        let mut harness = api_with_an_older_rival().await;
        damage(&harness, published("OAuthClient", "shop", "api"));
        harness.restart();
        harness.run().await;
        harness.pass(LATER).await;
        check_api(&harness);
    }
}

#[tokio::test]
async fn a_name_whose_owner_and_document_are_gone_is_free_once_their_tombstone_is() {
    for document_first in [true, false] {
        let mut harness = tenant_with_an_older_rival().await;
        let vanish = |harness: &Harness| harness.world.remove_secret(&published("Tenant", "identity", "acme"));
        if document_first {
            vanish(&harness);
        }
        harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
        if !document_first {
            vanish(&harness);
        }
        harness.run().await;
        // Providers serve the old one until they have read its tombstone.
        assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "False/SlugConflict", "{document_first}");
        harness.pass(Duration::from_secs(170 * 3600)).await;
        assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "True/Accepted", "{document_first}");
    }
}

#[tokio::test]
async fn a_user_whose_own_subject_was_declared_by_another_gets_it_when_it_is_free() {
    let mut harness = tenant(fixtures::TENANT).await;
    let ada = types::subject(&"acme".parse().unwrap(), "ada");
    let bob = fixtures::USER
        .replace("name: ada,", "name: bob,")
        .replace("spec:", &format!("spec:\n  subject: {ada}"))
        .replace("  passwordSecretRef", "  #");
    harness.apply::<User>(&bob).await;
    harness.pass(LATER).await;
    harness.apply::<User>(&fixtures::USER.replace("  passwordSecretRef", "  #")).await;
    assert_eq!(accepted::<User>(&harness, "identity", "ada"), "False/SubjectConflict");
    harness.delete::<User>("identity", "bob").await;
    harness.pass(Duration::from_secs(170 * 3600)).await;
    assert!(harness.document(Kind::User, "identity", "bob").is_none());
    assert_eq!(accepted::<User>(&harness, "identity", "ada"), "True/Accepted");
}

#[tokio::test]
async fn an_audience_is_no_others_client_id_and_no_issuer() {
    let mut harness = tenant(fixtures::TENANT).await;
    let at = |audience: &str| fixtures::API.replace("https://api.shop.example", audience);
    assert_ne!(at("x"), fixtures::API);
    for (audience, expected) in [
        ("identity.kubernetes", "False/AudienceNotAllowed"),
        ("orders", "False/AudienceNotAllowed"),
        ("shop.orders", "True/Accepted"),
        ("https://login.example/api/v1/auth/tenants/acme", "False/AudienceNotAllowed"),
        ("HTTPS://Login.Example.:443/api/v1/auth/tenants/acme", "False/AudienceNotAllowed"),
        ("https://login.example?", "False/AudienceNotAllowed"),
        ("https://xn--a.example", "False/AudienceNotAllowed"),
        ("https://login.example:8443", "True/Accepted"),
        ("https://login.example.evil.example", "True/Accepted"),
        ("https://kubernetes.default.svc", "False/AudienceNotAllowed"),
        ("https://Kubernetes.default.svc.cluster.local:443", "False/AudienceNotAllowed"),
        ("https://kubernetes.default.svc:6443/x", "False/AudienceNotAllowed"),
        ("https://kubernetes", "False/AudienceNotAllowed"),
        ("https://kubernetes.example", "True/Accepted"),
        ("https://kubernetes.defaults", "True/Accepted"),
    ] {
        harness.apply::<OAuthClient>(&at(audience)).await;
        assert_eq!(accepted::<OAuthClient>(&harness, "shop", "api"), expected, "{audience}");
        // Who is refused holds no name, so that nobody is granted it.
        let client = fixtures::CLIENT.replace("https://api.shop.example", audience);
        harness.apply::<OAuthClient>(&client).await;
        let granted =
            harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0.starts_with("True");
        assert_eq!(granted, expected.starts_with("True"), "{audience}");
    }
}
