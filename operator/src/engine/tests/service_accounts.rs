//! Clients that are ServiceAccounts: who may be one, and what is said of those who may not.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{ClientAuthentication, Content, ServiceAccountSubject};

use super::service_account_issuer::issuer;
use crate::engine::Change;
use crate::testing::{Harness, PUBLISHED, fixtures};
use crate::work::{Kind, Work};

const WORKER: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: worker, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {serviceAccounts: [{name: worker}, {name: night, namespace: batch}]}
";

/// A tenant with that client, in a cluster that says who issues its tokens, and neither ServiceAccount.
async fn furnished() -> Harness {
    let mut harness = Harness::furnished().await;
    harness.engine.change(Change::ServiceAccountIssuer(issuer(&["a"])));
    harness.apply::<OAuthClient>(WORKER).await;
    harness
}

/// Those that may be the client.
fn accounts(harness: &Harness) -> Vec<String> {
    let there = published(harness).into_iter().filter(|account| !account.uid.is_empty());
    there.map(|account| format!("{}/{} {}", account.namespace, account.name, account.uid)).collect()
}

/// Those of whom no token counts, wherever it is brought.
fn gone(harness: &Harness) -> Vec<String> {
    let gone = published(harness).into_iter().filter(|account| account.uid.is_empty());
    gone.map(|account| format!("{}/{}", account.namespace, account.name)).collect()
}

fn published(harness: &Harness) -> Vec<ServiceAccountSubject> {
    let document = harness.document(Kind::OAuthClient, "shop", "worker").expect("a document");
    let Content::OAuthClient(client) = document.content else { panic!("not a client's") };
    let ClientAuthentication::ServiceAccounts { accounts } = client.authentication else { panic!("another way") };
    accounts
}

fn resolved(harness: &Harness) -> (String, String) {
    harness.condition::<OAuthClient>("shop", "worker", ConditionType::ReferencesResolved)
}

#[tokio::test]
async fn a_client_is_the_service_accounts_that_are_there_and_let_it() {
    let mut harness = furnished().await;
    let own = harness.world.apply_service_account("shop", "worker", "");
    let other = harness.world.apply_service_account("batch", "night", "shop/worker");
    harness.run().await;
    assert_eq!(accounts(&harness), [format!("shop/worker {own}"), format!("batch/night {other}")]);
    assert_eq!(harness.ready::<OAuthClient>("shop", "worker"), "True/Ready");
    let needs_none = harness.condition::<OAuthClient>("shop", "worker", ConditionType::CredentialsReady).0;
    assert_eq!(needs_none, "True/NoCredentialsNeeded");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn one_that_is_not_there_is_told_and_keeps_nobody_else_out() {
    let mut harness = furnished().await;
    assert_eq!(accounts(&harness), Vec::<String>::new());
    assert_eq!(gone(&harness), ["shop/worker"]);
    let uid = harness.world.apply_service_account("batch", "night", "shop/*");
    harness.run().await;
    assert_eq!(accounts(&harness), [format!("batch/night {uid}")]);
    assert_eq!(gone(&harness), ["shop/worker"]);
    let (verdict, message) = resolved(&harness);
    assert_eq!(verdict, "False/ServiceAccountNotFound");
    assert!(message.contains("no ServiceAccount shop/worker: create it"), "{message}");
    assert!(!message.contains("night"), "{message}");
}

#[tokio::test]
async fn one_of_another_namespace_needs_consent_and_loses_it_at_once() {
    let mut harness = furnished().await;
    let own = harness.world.apply_service_account("shop", "worker", "");
    for without in ["", "shop/other", "batch/*", "*"] {
        harness.world.apply_service_account("batch", "night", "shop/worker");
        harness.run().await;
        assert_eq!(accounts(&harness).len(), 2);
        harness.world.apply_service_account("batch", "night", without);
        harness.run().await;
        assert_eq!(accounts(&harness), [format!("shop/worker {own}")], "{without:?}");
        assert_eq!(gone(&harness), [] as [&str; 0], "it is there, and this client has no say in it");
        let (verdict, message) = resolved(&harness);
        assert_eq!(verdict, "False/ServiceAccountNotAllowed");
        assert!(
            message.contains("batch/night") && message.contains("lists shop/worker in its annotation"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn whether_one_of_another_namespace_exists_is_not_told() {
    let mut harness = furnished().await;
    harness.world.apply_service_account("shop", "worker", "");
    harness.run().await;
    let absent = resolved(&harness);
    harness.world.apply_service_account("batch", "night", "");
    harness.run().await;
    assert_eq!(absent, resolved(&harness));
}

#[tokio::test]
async fn a_deleted_one_is_nobody_and_one_made_again_is_another() {
    let mut harness = furnished().await;
    let first = harness.world.apply_service_account("shop", "worker", "");
    harness.run().await;
    harness.world.delete_service_account("shop", "worker");
    harness.run().await;
    assert_eq!(accounts(&harness), Vec::<String>::new());
    assert_eq!(gone(&harness), ["shop/worker"]);
    assert_eq!(resolved(&harness).0, "False/ServiceAccountNotFound");
    let second = harness.world.apply_service_account("shop", "worker", "");
    harness.run().await;
    assert_ne!(first, second);
    assert_eq!(accounts(&harness), [format!("shop/worker {second}")]);
}

#[tokio::test]
async fn an_account_that_no_client_names_makes_no_work() {
    let mut harness = furnished().await;
    harness.world.objects().writes.clear();
    let waiting = |harness: &Harness| harness.engine.context().with(|state| state.ready());
    harness.world.apply_service_account("shop", "somebody", "shop/*");
    harness.world.changes().into_iter().for_each(|change| harness.engine.change(change));
    assert_eq!(waiting(&harness), 0);
    harness.world.apply_service_account("shop", "worker", "");
    harness.world.changes().into_iter().for_each(|change| harness.engine.change(change));
    assert_eq!(waiting(&harness), 1, "that of the client that names it");
    harness.run().await;
}

#[tokio::test]
async fn a_client_that_no_longer_names_an_account_is_no_longer_woken_by_it() {
    let mut harness = furnished().await;
    harness.apply::<OAuthClient>(&WORKER.replace("{name: worker}, ", "")).await;
    harness.world.apply_service_account("shop", "worker", "");
    harness.world.changes().into_iter().for_each(|change| harness.engine.change(change));
    assert_eq!(harness.engine.context().with(|state| state.ready()), 0);
}

#[tokio::test]
async fn a_client_is_not_ready_before_pods_know_whose_tokens_count() {
    let mut harness = Harness::furnished().await;
    harness.world.apply_service_account("shop", "worker", "");
    harness.world.apply_service_account("batch", "night", "shop/worker");
    harness.apply::<OAuthClient>(WORKER).await;
    let (verdict, message) = resolved(&harness);
    assert_eq!(verdict, "False/ServiceAccountIssuerUnknown");
    assert!(message.contains("the operator's log says why"), "{message}");
    harness.engine.change(Change::ServiceAccountIssuer(issuer(&["a"])));
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "worker"), "True/Ready");
}

/// Exchanges the tokens of `kinds`.
fn exchanger(kinds: &str) -> String {
    format!(
        "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {{name: exchanger, namespace: shop}}
spec:
  tenantRef: {{name: acme, namespace: identity}}
  grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange']
  scopes: ['orders:read']
  audiences: ['https://api.shop.example']
  tokenExchange: [{{subjectTokens: [{kinds}]}}]
  authentication: {{secret: {{}}}}
"
    )
}

fn exchanges(harness: &Harness) -> (String, String) {
    harness.condition::<OAuthClient>("shop", "exchanger", ConditionType::ReferencesResolved)
}

#[tokio::test]
async fn a_client_that_exchanges_such_tokens_is_not_ready_before_it_is_known_whose_they_are() {
    let mut harness = Harness::furnished().await;
    harness.apply::<OAuthClient>(&fixtures::exchangeable_api()).await;
    harness.apply::<OAuthClient>(&exchanger("AccessToken, ServiceAccount")).await;
    let (verdict, message) = exchanges(&harness);
    assert_eq!(verdict, "False/ServiceAccountIssuerUnknown");
    assert!(message.starts_with("tokenExchange: ") && message.contains("none can be exchanged"), "{message}");
    harness.engine.change(Change::ServiceAccountIssuer(issuer(&["a"])));
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "exchanger"), "True/Ready");
}

#[tokio::test]
async fn a_client_whose_actors_may_have_such_tokens_is_ready_without_them() {
    let mut harness = Harness::furnished().await;
    harness.apply::<OAuthClient>(&fixtures::exchangeable_api()).await;
    harness.apply::<OAuthClient>(&exchanger("AccessToken")).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "exchanger"), "True/Ready");
}

#[tokio::test]
async fn a_client_is_told_of_apis_that_do_not_let_it_in_by_an_exchange() {
    let mut harness = Harness::furnished().await;
    let other = fixtures::API.replace("name: api,", "name: stock,").replace("api.shop.example", "stock.shop.example");
    harness.apply::<OAuthClient>(&other.replace("'orders:read'", "'stock:read'")).await;
    let both = exchanger("AccessToken").replace("['https://api", "['https://stock.shop.example', 'https://api");
    let each = both.replace(
        "[AccessToken]",
        "[AccessToken], audiences: ['https://api.shop.example', 'https://stock.shop.example']",
    );
    let one = both.replace("[AccessToken]", "[AccessToken], audiences: ['https://api.shop.example']");
    for (client, api, refused) in [
        (&both, fixtures::API.to_owned(), Some("https://api.shop.example, https://stock.shop.example")),
        (&one, fixtures::API.to_owned(), Some("https://api.shop.example")),
        (&both, fixtures::exchangeable_api(), None),
        (&one, fixtures::exchangeable_api(), None),
        (&each, fixtures::exchangeable_api(), Some("https://stock.shop.example")),
        (
            &one.replace("https://api.shop.example']}", "https://stock.shop.example']}"),
            String::new(),
            Some("https://stock.shop.example"),
        ),
    ] {
        harness.apply::<OAuthClient>(client).await;
        if !api.is_empty() {
            harness.apply::<OAuthClient>(&api).await;
        }
        let (verdict, message) = exchanges(&harness);
        match refused {
            None => assert_eq!(verdict, "True/Resolved"),
            Some(refused) => {
                assert_eq!(verdict, "False/ExchangeNotGranted", "{client}");
                assert!(message.ends_with(&format!(": {refused}")), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn that_nobody_knows_whose_tokens_count_hides_no_fault_of_the_client() {
    let mut harness = Harness::furnished().await;
    let client = exchanger("ServiceAccount").replace("scopes: ['orders:read']", "scopes: ['orders:write']");
    harness.apply::<OAuthClient>(&client).await;
    assert_eq!(exchanges(&harness).0, "False/ScopeNotGranted");
}

#[tokio::test]
async fn a_client_is_not_live_before_its_tenants_document_says_whose_tokens_count() {
    let mut harness = Harness::furnished().await;
    harness.engine.change(Change::ServiceAccountIssuer(issuer(&["a"])));
    harness.world.apply_service_account("shop", "worker", "");
    harness.world.apply_service_account("batch", "night", "shop/worker");
    let document = Work::new(Kind::Tenant, ObjectName::new("identity", "acme")).document();
    harness.world.objects().held_back = Some((ObjectName::new(PUBLISHED, document), None));
    harness.apply::<OAuthClient>(WORKER).await;
    let programmed = harness.condition::<OAuthClient>("shop", "worker", ConditionType::Programmed);
    assert_eq!(programmed, ("False/Pending".to_owned(), "its issuer is not published yet".to_owned()));
    harness.world.objects().held_back = None;
    harness.pass(Duration::from_secs(60)).await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "worker"), "True/Ready");
}

#[tokio::test]
async fn a_client_of_another_way_is_not_concerned() {
    let mut harness = Harness::furnished().await;
    harness.world.apply_service_account("shop", "shop", "");
    harness.run().await;
    assert_eq!(harness.ready::<OAuthClient>("shop", "shop"), "True/Ready");
}
