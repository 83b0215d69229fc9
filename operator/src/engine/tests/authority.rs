//! Nobody grants himself anything, and a name has one holder.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::Content;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;

use crate::testing::{Harness, fixtures, secret};
use crate::work::Kind;

fn accepted<K: crate::testing::Resource>(harness: &Harness, namespace: &str, name: &str) -> String {
    harness.condition::<K>(namespace, name, ConditionType::Accepted).0
}

#[tokio::test]
async fn a_client_is_served_only_while_both_sides_agree() {
    let mut harness = Harness::furnished().await;
    harness.world.apply_namespace("shop", &[]);
    harness.run().await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "shop"), "False/NotAllowedByTenant");
    assert_eq!(harness.condition::<OAuthClient>("shop", "shop", ConditionType::Programmed).0, "False/NotServed");
    assert!(harness.document(Kind::OAuthClient, "shop", "shop").unwrap().withdrawn_at.is_some());
    let credentials = harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap();
    harness.world.apply_namespace("shop", &[("tenant", "acme")]);
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap(), credentials);
}

#[tokio::test]
async fn a_slug_stays_with_its_holder_even_when_that_is_gone() {
    let mut harness = Harness::furnished().await;
    let rival = fixtures::TENANT.replace("name: acme,", "name: rival,").replace("spec:", "spec:\n  slug: acme");
    harness.apply::<Tenant>(&rival).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "False/SlugConflict");
    harness.delete::<Tenant>("identity", "acme").await;
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "False/SlugConflict");
    assert!(harness.document(Kind::Tenant, "identity", "rival").is_none());
    harness.pass(Duration::from_secs(170 * 3600)).await;
    assert_eq!(accepted::<Tenant>(&harness, "identity", "rival"), "True/Accepted", "the tombstone's time is over");
}

#[tokio::test]
async fn a_client_id_of_another_namespace_is_refused() {
    let mut harness = Harness::furnished().await;
    let impostor =
        fixtures::API.replace("name: api", "name: impostor").replace("spec:", "spec:\n  clientId: bank.bank");
    harness.apply::<OAuthClient>(&impostor).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "impostor"), "False/ClientIdNotAllowed");
}

#[tokio::test]
async fn an_audience_has_one_holder_and_only_its_owner_lets_others_in() {
    let mut harness = Harness::furnished().await;
    harness.apply::<OAuthClient>(&fixtures::API.replace("name: api", "name: another")).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "another"), "False/AudienceConflict");

    harness.world.apply_namespace("blog", &[("tenant", "acme")]);
    let blog = fixtures::CLIENT.replace("namespace: shop}", "namespace: blog}");
    harness.apply::<OAuthClient>(&blog).await;
    let (resolved, message) = harness.condition::<OAuthClient>("blog", "shop", ConditionType::ReferencesResolved);
    assert_eq!(resolved, "False/AudienceNotGranted", "{message}");
    let granted = |harness: &Harness| {
        let document = harness.document(Kind::OAuthClient, "blog", "shop").unwrap();
        let Content::OAuthClient(client) = document.content else { panic!() };
        client.audiences.len()
    };
    assert_eq!(granted(&harness), 0);
    let open = fixtures::API.replace("scopes: [{", "allowedClients: {namespaces: {from: All}}, scopes: [{");
    harness.apply::<OAuthClient>(&open).await;
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(granted(&harness), 1);
    assert_eq!(harness.ready::<OAuthClient>("blog", "shop"), "True/Ready");
    harness.apply::<OAuthClient>(fixtures::API).await;
    assert_eq!(granted(&harness), 0, "what was let in is let out again");
}

#[tokio::test]
async fn a_user_name_has_one_holder() {
    let mut harness = Harness::furnished().await;
    let other = fixtures::USER.replace("name: ada,", "name: other,").replace("spec:", "spec:\n  username: ada");
    harness.apply::<User>(&other).await;
    assert_eq!(accepted::<User>(&harness, "identity", "other"), "False/UsernameConflict");
    assert_eq!(harness.ready::<User>("identity", "ada"), "True/Ready");
}

#[tokio::test]
async fn a_quota_keeps_those_that_are_served() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("spec:", "spec:\n  ceilings: {clients: 2}")).await;
    harness.apply::<OAuthClient>(&fixtures::CLIENT.replace("name: shop,", "name: a-third,")).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "a-third"), "False/QuotaExceeded");
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "shop"), "True/Accepted");
    harness.delete::<OAuthClient>("shop", "api").await;
    harness.pass(Duration::from_secs(3)).await;
    assert_eq!(accepted::<OAuthClient>(&harness, "shop", "a-third"), "True/Accepted");
}

#[tokio::test]
async fn a_secret_that_is_not_ours_is_never_written() {
    let mut harness = Harness::start().await;
    let theirs = secret("shop", "shop-oidc", &[("client_secret", "theirs")]);
    harness.world.put_secret(theirs.clone());
    harness.furnish().await;
    let (ready, _) = harness.condition::<OAuthClient>("shop", "shop", ConditionType::CredentialsReady);
    assert_eq!(ready, "False/SecretNotOwned");
    assert_eq!(harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap().data, theirs.data);
    harness.world.remove_secret(&ObjectName::new("shop", "shop-oidc"));
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_secret_of_someone_elses_is_taken_if_it_is_long_enough() {
    let mut harness = Harness::furnished().await;
    let client = fixtures::API
        .replace("name: api", "name: sealed")
        .replace("  resourceServer:", "  #")
        .replace("secret: {}", "secret: {existingSecretRef: {name: given, key: password}}");
    harness.apply::<OAuthClient>(&client).await;
    let ready = |harness: &Harness| harness.condition::<OAuthClient>("shop", "sealed", ConditionType::CredentialsReady);
    assert_eq!(ready(&harness).0, "False/SecretNotFound");
    harness.world.put_secret(secret("shop", "given", &[("password", "short-and-guessable")]));
    harness.pass(Duration::from_secs(100)).await;
    let (reason, message) = ready(&harness);
    assert_eq!(reason, "False/SecretTooShort");
    assert!(message.contains("32") && !message.contains("guessable"), "{message}");
    harness.world.put_secret(secret("shop", "given", &[("password", &"x".repeat(1025))]));
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(ready(&harness).0, "False/SecretInvalid", "no provider would take it");
    harness.world.put_secret(secret("shop", "given", &[("password", "0123456789abcdef0123456789abcdef")]));
    harness.pass(Duration::from_secs(100)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "sealed"), "True/Ready");
}

#[tokio::test]
async fn a_paused_object_gets_no_write_but_its_status() {
    let mut harness = Harness::furnished().await;
    let paused = fixtures::CLIENT
        .replace(
            "name: shop, namespace: shop",
            "name: shop, namespace: shop, annotations: {claviger.dev/paused: 'true'}",
        )
        .replace("https://shop.example/callback", "https://shop.example/cb");
    harness.world.objects().writes.clear();
    harness.apply::<OAuthClient>(&paused).await;
    harness.pass(Duration::from_secs(3)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "False/Paused");
    assert_eq!(harness.world.objects().writes, ["status OAuthClient shop/shop"]);
}
