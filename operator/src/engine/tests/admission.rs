//! What a client demands of a Tenant, which counts if that has it, and only then.

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ANNOTATION_PAUSED, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;

use super::rotation::{MINUTE, ring, signing_key, status};
use super::sealing::memory;
use super::service_account_issuer::{WORKER, published, say, tenant_of};
use crate::testing::{Harness, PUBLISHED, fixtures, parse};
use crate::work::{Kind, Work};

/// A client of a namespace that the Tenant does not select.
const OUTSIDER: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: outsider, namespace: mart}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {serviceAccounts: [{name: outsider}]}
  lifetimes: {accessToken: 20h, refreshToken: 8000h}
  idTokenSignedResponseAlg: ES256
";

/// A tenant with a ring whose issuer of ServiceAccounts is known, and a namespace that it does not select.
async fn furnished() -> Harness {
    let mut harness = Harness::start().await;
    harness.world.apply_namespace("mart", &[]);
    harness.furnish_with(&signing_key("")).await;
    say(&mut harness, &["a"]).await;
    harness
}

/// From now on the Tenant selects the outsider's namespace, or no longer.
async fn select(harness: &mut Harness, selected: bool) {
    harness.world.apply_namespace("mart", if selected { &[("tenant", "acme")] } else { &[] });
    harness.run().await;
}

/// The Tenant has the outsider.
async fn let_in() -> Harness {
    let mut harness = furnished().await;
    select(&mut harness, true).await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    harness
}

/// The ring is to change its algorithm: whether it may, and who is in the way.
fn blocked(harness: &Harness) -> (String, String) {
    harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked)
}

/// Nothing is written for the client but its status.
fn paused(yaml: &str) -> OAuthClient {
    let mut paused: OAuthClient = parse(yaml);
    paused.metadata.annotations = Some([(ANNOTATION_PAUSED.to_owned(), "true".to_owned())].into());
    paused
}

fn writes_of_tenants(harness: &Harness) -> Vec<String> {
    let writes = harness.world.objects().writes.clone();
    let of_tenant = ["/tenant-", "/sealing-", "/ring-", " Tenant "];
    writes.into_iter().filter(|write| of_tenant.iter().any(|part| write.contains(part))).collect()
}

#[tokio::test]
async fn whoever_a_tenant_refuses_has_nothing_of_it_written() {
    let mut harness = furnished().await;
    harness.world.objects().writes.clear();
    harness.apply::<OAuthClient>(OUTSIDER).await;
    let accepted = harness.condition::<OAuthClient>("mart", "outsider", ConditionType::Accepted).0;
    assert_eq!(accepted, "False/NotAllowedByTenant");
    harness.apply::<OAuthClient>(&OUTSIDER.replace("20h", "21h")).await;
    harness.delete::<OAuthClient>("mart", "outsider").await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    harness.engine.resync();
    harness.run().await;
    assert_eq!(writes_of_tenants(&harness), Vec::<String>::new());
    assert_eq!((published(&harness), ring(&harness).max_token_lifetime), (None, 3600));
    let longest = |harness: &Harness| memory(harness).1;
    assert_eq!(longest(&harness), 720 * 3600);
    select(&mut harness, true).await;
    harness.engine.resync();
    harness.run().await;
    assert_eq!(longest(&harness), 8000 * 3600, "the sealing keys are kept for those who are let in");
}

#[tokio::test]
async fn a_namespace_that_is_let_in_counts_until_it_is_not() {
    let mut harness = furnished().await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    for _ in 0..2 {
        select(&mut harness, true).await;
        assert!(published(&harness).is_some());
        assert_eq!(ring(&harness).max_token_lifetime, 20 * 3600);
        select(&mut harness, false).await;
        assert_eq!(published(&harness), None);
        assert_eq!(ring(&harness).max_token_lifetime, 20 * 3600, "its tokens live still");
    }
}

#[tokio::test]
async fn a_tenant_that_lets_others_in_counts_them_until_it_does_not() {
    let mut harness = furnished().await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    let open = fixtures::TENANT.replace("{from: Selector, selector: {matchLabels: {tenant: acme}}}", "{from: All}");
    for _ in 0..2 {
        harness.apply::<Tenant>(&open).await;
        assert!(published(&harness).is_some());
        assert_eq!(ring(&harness).max_token_lifetime, 20 * 3600);
        harness.apply::<Tenant>(fixtures::TENANT).await;
        assert_eq!(published(&harness), None);
    }
}

#[tokio::test]
async fn the_last_client_that_counts_takes_the_issuer_with_it_whoever_else_is_refused() {
    let mut harness = furnished().await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    let own = OUTSIDER.replace("mart", "shop");
    let another = own.replace("name: outsider,", "name: another,");
    harness.apply::<OAuthClient>(&own).await;
    harness.apply::<OAuthClient>(&another).await;
    harness.world.objects().writes.clear();
    harness.delete::<OAuthClient>("shop", "outsider").await;
    assert!(published(&harness).is_some(), "another needs it");
    assert_eq!(writes_of_tenants(&harness), Vec::<String>::new());
    harness.delete::<OAuthClient>("shop", "another").await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn a_client_counts_while_it_is_served_though_it_is_let_in_no_longer() {
    let mut harness = let_in().await;
    harness.world.apply(paused(OUTSIDER));
    select(&mut harness, false).await;
    let served = harness.document(Kind::OAuthClient, "mart", "outsider").unwrap();
    assert_eq!(served.withdrawn_at, None);
    assert!(published(&harness).is_some(), "nobody could be the client that is served");
    harness.apply::<OAuthClient>(OUTSIDER).await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn whoever_a_tenant_refuses_holds_up_no_change_of_its_algorithm() {
    let mut harness = let_in().await;
    harness.apply::<SigningKey>(&signing_key("").replace("algorithm: ES256", "algorithm: EdDSA")).await;
    assert_eq!(blocked(&harness).0, "True/AlgorithmInUse");
    select(&mut harness, false).await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    harness.pass(15 * MINUTE).await;
    assert_eq!(status(&harness).algorithm.as_deref(), Some("EdDSA"));
}

#[tokio::test]
async fn several_that_are_let_in_together_count_as_one_does() {
    let mut harness = furnished().await;
    let another = OUTSIDER.replace("name: outsider,", "name: another,");
    harness.world.apply(parse::<OAuthClient>(OUTSIDER));
    harness.apply::<OAuthClient>(&another).await;
    for _ in 0..2 {
        select(&mut harness, true).await;
        assert!(published(&harness).is_some());
        assert_eq!(ring(&harness).max_token_lifetime, 20 * 3600);
        select(&mut harness, false).await;
        assert_eq!(published(&harness), None);
    }
}

#[tokio::test]
async fn what_is_served_counts_for_the_tenant_that_serves_it_wherever_its_owner_goes() {
    let mut harness = let_in().await;
    harness.apply::<Tenant>(&fixtures::TENANT.replace("name: acme,", "name: victim,")).await;
    harness.world.delete::<OAuthClient>(&ObjectName::new("mart", "outsider"));
    harness.world.apply_namespace("mart", &[]);
    harness.world.apply(paused(&OUTSIDER.replace("name: acme,", "name: victim,")));
    harness.run().await;
    assert_eq!(harness.document(Kind::OAuthClient, "mart", "outsider").unwrap().withdrawn_at, None);
    assert_eq!(tenant_of(&harness, "victim").service_account_issuer, None, "it refuses the client");
    assert!(published(&harness).is_some(), "it serves the client");
}

#[tokio::test]
async fn what_is_served_counts_as_it_was_published_whatever_is_declared_since() {
    let changed = OUTSIDER
        .replace("serviceAccounts: [{name: outsider}]", "secret: {}")
        .replace("  idTokenSignedResponseAlg: ES256\n", "");
    let invalid = changed.replace("[client_credentials]", "[authorization_code]");
    let declarations = [paused(&changed), parse(&invalid)];
    for declared in declarations {
        let mut harness = let_in().await;
        harness.world.apply(declared);
        harness.run().await;
        harness.apply::<SigningKey>(&signing_key("").replace("algorithm: ES256", "algorithm: EdDSA")).await;
        assert!(published(&harness).is_some());
        let (reason, message) = blocked(&harness);
        assert_eq!(reason, "True/AlgorithmInUse");
        assert!(message.contains("mart/outsider"), "{message}");
        harness.apply::<OAuthClient>(&changed).await;
        assert_eq!(published(&harness), None);
        assert_eq!(blocked(&harness).0, "False/NotBlocked");
    }
}

#[tokio::test]
async fn who_holds_up_a_change_of_algorithm_is_named_whether_it_is_served_or_declared() {
    let mut harness = let_in().await;
    harness.apply::<SigningKey>(&signing_key("").replace("algorithm: ES256", "algorithm: EdDSA")).await;
    let without = OUTSIDER.replace("  idTokenSignedResponseAlg: ES256\n", "");
    harness.world.apply(paused(&without));
    harness.run().await;
    harness.world.apply(paused(&OUTSIDER.replace("name: outsider,", "name: another,")));
    harness.run().await;
    let (_, message) = blocked(&harness);
    assert!(message.contains("mart/outsider") && message.contains("mart/another"), "{message}");
}

#[tokio::test]
async fn what_vanished_counts_until_it_is_withdrawn() {
    let mut harness = let_in().await;
    let document = names::published_secret(Kind::OAuthClient.as_str(), &ObjectName::new("mart", "outsider"));
    harness.world.apply(paused(OUTSIDER));
    harness.run().await;
    harness.world.remove_secret(&ObjectName::new(PUBLISHED, document));
    select(&mut harness, false).await;
    assert!(published(&harness).is_some(), "pods serve it still");
    harness.apply::<OAuthClient>(OUTSIDER).await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn whoever_is_deleted_counts_while_the_withdrawal_is_held_back() {
    let mut harness = furnished().await;
    let names: Vec<String> = (0..6).map(|at| format!("worker-{at}")).collect();
    for name in &names {
        harness.world.apply(parse::<OAuthClient>(&WORKER.replace("name: worker,", &format!("name: {name},"))));
    }
    harness.run().await;
    names.iter().for_each(|name| harness.world.delete::<OAuthClient>(&ObjectName::new("shop", name)));
    harness.run().await;
    assert_eq!(harness.document(Kind::OAuthClient, "shop", "worker-0").unwrap().withdrawn_at, None);
    assert!(published(&harness).is_some(), "pods serve them still");
    harness.pass(2 * MINUTE).await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn whoever_a_tenant_refuses_is_not_woken_by_every_change_of_its_document() {
    let mut harness = furnished().await;
    harness.apply::<OAuthClient>(OUTSIDER).await;
    let document = names::published_secret(Kind::Tenant.as_str(), &ObjectName::new("identity", "acme"));
    let waiting = harness.engine.context().with(|state| state.liveness.wake(&document));
    let outsider = Work::new(Kind::OAuthClient, ObjectName::new("mart", "outsider"));
    assert!(!waiting.contains(&outsider), "{waiting:?}");
}
