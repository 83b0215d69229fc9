//! From `apply` to Ready, and quiet afterwards.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{ClientAuthentication, Content, KeyPhase};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use claviger_jose::{ClientSecret, ClientSecretHash};

use crate::testing::{Harness, fixtures};
use crate::work::Kind;

#[tokio::test]
async fn what_is_applied_becomes_ready_and_live() {
    let harness = Harness::furnished().await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
    assert_eq!(harness.ready::<OAuthClient>("shop", "api"), "True/Ready");
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
    assert_eq!(harness.ready::<User>("identity", "ada"), "True/Ready");

    let Content::Tenant(tenant) = harness.document(Kind::Tenant, "identity", "acme").unwrap().content else { panic!() };
    assert_eq!(tenant.issuer, "https://login.example/api/v1/auth/tenants/acme");
    let Content::SigningKey(ring) = harness.document(Kind::SigningKey, "identity", "acme-es256").unwrap().content
    else {
        panic!()
    };
    let phases: Vec<_> = ring.keys.iter().map(|key| (key.phase, key.private_key.is_some())).collect();
    assert_eq!(phases, [(KeyPhase::Published, true), (KeyPhase::Active, true)]);
}

#[tokio::test]
async fn a_client_gets_a_secret_that_the_provider_knows_by_its_hash_alone() {
    let harness = Harness::furnished().await;
    let secret = harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap();
    let data = secret.data.unwrap();
    let text = |key: &str| String::from_utf8(data[key].0.clone()).unwrap();
    assert_eq!(text("client_id"), "shop.shop");
    assert_eq!(text("issuer"), "https://login.example/api/v1/auth/tenants/acme");
    let value = text("client_secret");
    assert_eq!(text("config.json"), format!(r#"{{"id":"shop.shop","secret":"{value}"}}"#));
    assert!(value.len() >= 43, "256 bits: {} characters", value.len());

    let document = harness.document(Kind::OAuthClient, "shop", "shop").unwrap();
    assert!(!String::from_utf8(document.to_bytes()).unwrap().contains(&value));
    let Content::OAuthClient(client) = document.content else { panic!() };
    let ClientAuthentication::Secret { hashes } = client.authentication else { panic!() };
    assert_eq!(hashes.len(), 1);
    assert_eq!(hashes[0].hash, ClientSecretHash::of(&ClientSecret::new(value)).to_string());
    assert_eq!(client.scopes, ["openid", "employee"]);
    assert_eq!(client.audiences[0].audience, "https://api.shop.example");
    assert_eq!(client.audiences[0].scopes, ["orders:read"]);
}

#[tokio::test]
async fn a_resync_that_changes_nothing_writes_nothing() {
    let mut harness = Harness::furnished().await;
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    harness.restart();
    harness.run().await;
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_leader_that_finds_everything_done_writes_nothing() {
    let mut harness = Harness::furnished().await;
    harness.pass(Duration::from_secs(2)).await;
    harness.world.objects().writes.clear();
    harness.restart();
    harness.run().await;
    harness.pass(Duration::from_secs(90)).await;
    assert_eq!(harness.world.objects().writes, Vec::<String>::new());
}

#[tokio::test]
async fn one_change_costs_one_write_of_the_document_and_one_of_the_status() {
    let mut harness = Harness::furnished().await;
    harness.world.objects().writes.clear();
    harness
        .apply::<OAuthClient>(&fixtures::CLIENT.replace("https://shop.example/callback", "https://shop.example/cb"))
        .await;
    harness.pass(Duration::from_secs(2)).await;
    let writes = harness.world.objects().writes.clone();
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}

#[tokio::test]
async fn a_tenant_without_a_signing_key_gets_a_default_one() {
    let mut harness = Harness::start().await;
    harness.apply::<Tenant>(fixtures::TENANT).await;
    harness.pass(Duration::from_secs(1)).await;
    assert_eq!(harness.ready::<Tenant>("identity", "acme"), "True/Ready");
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-default"), "True/Ready");
    let objects = harness.world.objects();
    let default = &objects.signing_keys[&ObjectName::new("identity", "acme-default")];
    let owner = &default.metadata.owner_references.as_ref().unwrap()[0];
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Tenant", "acme"));
}

#[tokio::test]
async fn a_users_password_is_hashed_once_and_again_only_when_its_secret_changes() {
    let mut harness = Harness::furnished().await;
    let hash = |harness: &Harness| {
        let Content::User(user) = harness.document(Kind::User, "identity", "ada").unwrap().content else { panic!() };
        user.password_hash.unwrap()
    };
    let first = hash(&harness);
    assert!(first.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    harness.pass(Duration::from_secs(200)).await;
    assert_eq!(hash(&harness), first);
    harness.world.put_secret(crate::testing::secret("identity", "ada-password", &[("password", "another")]));
    harness.pass(Duration::from_secs(100)).await;
    assert_ne!(hash(&harness), first);
    harness.world.put_secret(crate::testing::secret("identity", "ada-password", &[("password", "$2b$nothing")]));
    harness.pass(Duration::from_secs(100)).await;
    let (resolved, message) = harness.condition::<User>("identity", "ada", ConditionType::ReferencesResolved);
    assert_eq!(resolved, "False/SecretInvalid", "{message}");
    assert!(!message.contains("nothing"), "no part of the Secret is shown: {message}");
}

#[tokio::test]
async fn a_tenant_that_names_a_ring_to_come_is_waited_for_and_not_for_ever() {
    let mut harness = Harness::start().await;
    let names_it = format!("{}  signing: {{default: acme-es256}}\n", fixtures::TENANT);
    harness.apply::<Tenant>(&names_it).await;
    harness.pass(Duration::from_secs(9)).await;
    assert!(harness.world.objects().signing_keys.is_empty(), "a slow pipeline may still bring it");
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-default"), "True/Ready");
}
