//! The issuer of the cluster's ServiceAccounts in the documents of the tenants that need it.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, ServiceAccountIssuerDocument, TenantDocument};
use claviger_crds::tenant::Tenant;
use serde_json::json;

use crate::service_account_issuer::{ServiceAccountIssuer, read};
use crate::testing::{Harness, PUBLISHED, fixtures};
use crate::work::{Kind, Work};

/// What a cluster says that has these keys.
pub(super) fn issuer(kids: &[&str]) -> ServiceAccountIssuer {
    let key = |kid: &&str| json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": kid, "alg": "ES256", "use": "sig"});
    let keys: Vec<_> = kids.iter().map(key).collect();
    read(br#"{"issuer": "https://cluster.example"}"#, json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

pub(super) const WORKER: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: worker, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {serviceAccounts: [{name: worker}]}
";

const EXCHANGER: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: exchanger, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange']
  audiences: ['https://api.shop.example']
  tokenExchange: [{subjectTokens: [ServiceAccount]}]
  authentication: {secret: {}}
";

const ACTING: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: acting, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange']
  audiences: ['https://api.shop.example']
  tokenExchange: [{subjectTokens: [AccessToken], actorTokens: [ServiceAccount]}]
  authentication: {secret: {}}
";

pub(super) fn tenant(harness: &Harness) -> TenantDocument {
    tenant_of(harness, "acme")
}

pub(super) fn tenant_of(harness: &Harness, name: &str) -> TenantDocument {
    let document = harness.document(Kind::Tenant, "identity", name).expect("a document");
    let Content::Tenant(tenant) = document.content else { panic!("not a Tenant's") };
    tenant
}

pub(super) fn published(harness: &Harness) -> Option<ServiceAccountIssuerDocument> {
    tenant(harness).service_account_issuer
}

fn status(harness: &Harness) -> serde_json::Value {
    let objects = harness.world.objects();
    let tenant = objects.tenants.values().next().unwrap();
    serde_json::to_value(tenant.status.as_ref().unwrap()).unwrap()["serviceAccountIssuer"].clone()
}

pub(super) async fn say(harness: &mut Harness, kids: &[&str]) {
    harness.engine.service_account_keys_read(issuer(kids));
    harness.run().await;
}

#[tokio::test]
async fn it_stands_in_the_document_while_a_client_needs_it() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    assert_eq!(published(&harness), None, "nobody needs it");
    assert_eq!(status(&harness), json!(null));
    for (name, client) in [("worker", WORKER), ("exchanger", EXCHANGER), ("acting", ACTING)] {
        harness.apply::<OAuthClient>(client).await;
        let document = published(&harness).unwrap();
        assert_eq!((document.issuer.as_str(), document.jwks), ("https://cluster.example", issuer(&["a"]).jwks));
        let since = document.since.to_string();
        assert_eq!(status(&harness), json!({"issuer": "https://cluster.example", "kids": ["a"], "since": since}));
        harness.delete::<OAuthClient>("shop", name).await;
        assert_eq!(published(&harness), None, "the last that needs it is gone");
        assert_eq!(status(&harness), json!(null));
    }
}

#[tokio::test]
async fn a_client_that_takes_other_tokens_alone_does_not_need_it() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(&ACTING.replace("[ServiceAccount]", "[AccessToken]")).await;
    assert_eq!(published(&harness), None);
    harness.apply::<OAuthClient>(&ACTING.replace("actorTokens: [ServiceAccount]", "actorToken: Forbidden")).await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn the_same_answer_again_writes_nothing() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a", "b"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    let since = published(&harness).unwrap().since;
    harness.world.objects().writes.clear();
    harness.pass(Duration::from_secs(60)).await;
    say(&mut harness, &["b", "a"]).await;
    assert_eq!(harness.world.objects().writes, Vec::<String>::new());
    assert_eq!(published(&harness).unwrap().since, since);
}

#[tokio::test]
async fn a_rotation_of_the_clusters_keys_reaches_the_document() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    let before = published(&harness).unwrap();
    harness.pass(Duration::from_secs(60)).await;
    say(&mut harness, &["a", "b"]).await;
    let after = published(&harness).unwrap();
    assert_eq!(after.jwks, issuer(&["a", "b"]).jwks);
    assert_eq!(after.since.as_second() - before.since.as_second(), 60);
    say(&mut harness, &["b"]).await;
    assert_eq!(published(&harness).unwrap().jwks, issuer(&["b"]).jwks, "a key that was removed is out");
    assert_eq!(status(&harness)["kids"], json!(["b"]));
}

#[tokio::test]
async fn a_new_leader_keeps_what_is_published_until_the_api_server_answers() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    let before = published(&harness).unwrap();
    harness.pass(Duration::from_secs(60)).await;
    harness.restart();
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    assert_eq!(published(&harness).as_ref(), Some(&before));
    say(&mut harness, &["a"]).await;
    assert_eq!(harness.world.objects().writes, Vec::<String>::new(), "it is the same as it was");
    harness.apply::<Tenant>(&fixtures::TENANT.replace("Acme", "Acme & Co")).await;
    assert_eq!(published(&harness).as_ref(), Some(&before));
}

#[tokio::test]
async fn a_tenant_that_comes_later_learns_since_when_the_keys_are_these() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    let since = published(&harness).unwrap().since;
    harness.pass(Duration::from_secs(60)).await;
    harness.restart();
    say(&mut harness, &["a"]).await;
    let other = |yaml: &str| yaml.replace("name: acme", "name: other").replace("name: worker,", "name: other-worker,");
    harness.apply::<Tenant>(&other(fixtures::TENANT)).await;
    harness.apply::<OAuthClient>(&other(WORKER)).await;
    assert_eq!(tenant_of(&harness, "other").service_account_issuer.unwrap().since, since);
}

/// kube-apiserver takes a new name beside the old one: what is in pods bears that for a while.
#[tokio::test]
async fn what_the_cluster_was_called_before_is_published_for_a_day() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    assert_eq!(published(&harness).unwrap().previous, None);
    let renamed = |kids: &[&str]| ServiceAccountIssuer { issuer: "https://renamed.example".to_owned(), ..issuer(kids) };
    for (kids, hours, expected) in [
        (&["a"][..], 1, Some("https://cluster.example")),
        (&["a", "b"], 20, Some("https://cluster.example")),
        // A day later another key is new.
        (&["b"], 30, None),
    ] {
        harness.pass(Duration::from_secs(hours * 3600)).await;
        harness.engine.service_account_keys_read(renamed(kids));
        harness.run().await;
        let told = published(&harness).unwrap();
        let previous = told.previous.map(|former| former.issuer);
        assert_eq!((told.issuer.as_str(), previous.as_deref()), ("https://renamed.example", expected), "{hours}");
    }
}

#[tokio::test]
async fn a_document_that_vanished_comes_back_with_it() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    let before = published(&harness).unwrap();
    harness.restart();
    harness.run().await;
    let document = Work::new(Kind::Tenant, ObjectName::new("identity", "acme")).document();
    harness.world.remove_secret(&ObjectName::new(PUBLISHED, document));
    harness.run().await;
    assert_eq!(published(&harness), Some(before), "though the API server has not answered this process");
}

#[tokio::test]
async fn no_api_is_called_as_the_cluster_calls_itself_whoever_was_first() {
    let mut harness = Harness::furnished().await;
    let accepted = |harness: &Harness| {
        [("shop", "api"), ("shop", "shop")].map(|(namespace, name)| {
            let kind = if name == "api" { ConditionType::Accepted } else { ConditionType::ReferencesResolved };
            harness.condition::<OAuthClient>(namespace, name, kind).0
        })
    };
    let called = |yaml: &str| yaml.replace("https://api.shop.example", "https://cluster.example");
    harness.apply::<OAuthClient>(&called(fixtures::API)).await;
    harness.apply::<OAuthClient>(&called(fixtures::CLIENT)).await;
    assert_eq!(accepted(&harness), ["True/Accepted", "True/Resolved"]);
    say(&mut harness, &["a"]).await;
    assert_eq!(accepted(&harness), ["False/AudienceNotAllowed", "False/AudienceNotGranted"]);
    let another = br#"{"issuer": "https://another.example"}"#;
    harness.engine.service_account_keys_read(read(another, issuer(&["a"]).jwks.to_string().as_bytes()).unwrap());
    harness.run().await;
    let still = accepted(&harness);
    assert_eq!(
        still,
        ["False/AudienceNotAllowed", "False/AudienceNotGranted"],
        "tokens of every pod have the name before too"
    );
}
