//! Issuers that a Tenant trusts: none is the cluster's own, whoever leads and whatever the API server says.

use claviger_crds::condition::ConditionType;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::tenant::Tenant;

use super::service_account_issuer::{WORKER, issuer, published, say, tenant, tenant_of};
use crate::engine::Change;
use crate::service_account_issuer::ServiceAccountIssuer;
use crate::testing::{Harness, fixtures};
use crate::work::Kind;

const CLUSTER: &str = "https://cluster.example";
const CI: &str = "https://ci.example";

/// The Tenant, which trusts these.
fn trusting(issuers: &[&str]) -> String {
    let entry = |issuer: &&str| {
        format!("  - {{issuer: '{issuer}', jwksUri: '{issuer}/keys', subjectRules: [{{subject: '*'}}]}}\n")
    };
    let entries: String = issuers.iter().map(entry).collect();
    format!("{}\n  trustedIssuers:\n{entries}", fixtures::TENANT.trim_end())
}

/// Those of its document.
fn issuers(harness: &Harness) -> Vec<String> {
    tenant(harness).trusted_issuers.iter().map(|trusted| trusted.issuer.clone()).collect()
}

fn resolved(harness: &Harness) -> (String, String) {
    harness.condition::<Tenant>("identity", "acme", ConditionType::ReferencesResolved)
}

#[tokio::test]
async fn a_trusted_issuer_that_is_the_clusters_own_is_left_out_and_told() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<Tenant>(&trusting(&[CLUSTER, CI])).await;
    assert_eq!(issuers(&harness), [CI]);
    let (verdict, message) = resolved(&harness);
    assert_eq!(verdict, "False/IssuerConflict");
    assert!(message.contains("https://cluster.example is this cluster's own issuer"), "{message}");
    // The cluster is given another name: the entry is somebody else's now.
    let other = ServiceAccountIssuer { issuer: "https://renamed.example".to_owned(), ..issuer(&["a"]) };
    harness.engine.change(Change::ServiceAccountIssuer(other));
    harness.run().await;
    assert_eq!(issuers(&harness), [CLUSTER, CI]);
    assert_eq!(resolved(&harness).0, "True/Resolved");
}

#[tokio::test]
async fn a_tenant_does_not_trust_itself_as_somebody_else() {
    let mut harness = Harness::furnished().await;
    let own = tenant(&harness).issuer;
    harness.apply::<Tenant>(&trusting(&[&own])).await;
    assert_eq!(tenant(&harness).trusted_issuers, []);
    let (verdict, message) = resolved(&harness);
    assert_eq!(verdict, "False/IssuerConflict");
    assert!(message.contains("this Tenant's own issuer"), "{message}");
    // Nor is the cluster taken for it: pods refuse a document in which two have one name.
    harness.apply::<OAuthClient>(WORKER).await;
    let same = ServiceAccountIssuer { issuer: own, ..issuer(&["a"]) };
    harness.engine.change(Change::ServiceAccountIssuer(same));
    harness.run().await;
    assert_eq!(published(&harness), None);
}

#[tokio::test]
async fn a_new_leader_that_cannot_ask_the_api_server_knows_what_the_one_before_knew() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<Tenant>(&trusting(&[CLUSTER, CI])).await;
    harness.restart();
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
    assert_eq!((issuers(&harness), resolved(&harness).0.as_str()), (vec![CI.to_owned()], "False/IssuerConflict"));
    harness.apply::<Tenant>(&trusting(&[CI])).await;
    assert_eq!((published(&harness), resolved(&harness).0.as_str()), (None, "True/Resolved"));
}

#[tokio::test]
async fn a_new_leader_that_cannot_ask_the_api_server_goes_by_other_tenants_documents_too() {
    let mut harness = Harness::furnished().await;
    say(&mut harness, &["a"]).await;
    harness.apply::<OAuthClient>(WORKER).await;
    harness.restart();
    harness.run().await;
    let other = |yaml: &str| yaml.replace("name: acme", "name: other").replace("name: worker,", "name: other-worker,");
    harness.apply::<Tenant>(&other(&trusting(&[CLUSTER]))).await;
    let resolved = harness.condition::<Tenant>("identity", "other", ConditionType::ReferencesResolved).0;
    assert_eq!(resolved, "False/IssuerConflict");
    harness.world.apply_service_account("shop", "worker", "");
    harness.apply::<OAuthClient>(&other(WORKER)).await;
    let resolved = harness.condition::<OAuthClient>("shop", "other-worker", ConditionType::ReferencesResolved).0;
    assert_eq!(resolved, "True/Resolved");
    assert_eq!(tenant_of(&harness, "other").service_account_issuer, published(&harness));
}

#[tokio::test]
async fn what_nobody_knows_yet_to_be_the_clusters_own_is_left_out_when_it_is_known() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&trusting(&[CLUSTER, CI])).await;
    assert_eq!(issuers(&harness), [CLUSTER, CI], "nothing waits for an API server that may never tell");
    say(&mut harness, &["a"]).await;
    assert_eq!(issuers(&harness), [CI]);
}

#[tokio::test]
async fn who_says_no_audience_has_tokens_for_the_tenant() {
    let mut harness = Harness::furnished().await;
    let url = tenant_of(&harness, "acme").issuer;
    let strict = trusting(&[CI]).replace("spec:", "spec:\n  strictAudience: true");
    for (yaml, expected) in
        [(trusting(&[CI]), vec![url.clone(), format!("{url}/oauth/token")]), (strict, vec![url.clone()])]
    {
        harness.apply::<Tenant>(&yaml).await;
        let document = tenant_of(&harness, "acme");
        assert_eq!(document.trusted_issuers[0].audiences, expected);
        assert_eq!(document.strict_audience, expected.len() == 1);
    }
}

const JOB: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: job, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: ['urn:ietf:params:oauth:grant-type:jwt-bearer']
  scopes: ['orders:read']
  audiences: ['https://api.shop.example']
  tokenExchange:
  - {subjectTokens: [TrustedIssuer], trustedIssuers: ['https://ci.example', 'https://cluster.example'], subjects: [x]}
  - {subjectTokens: [TrustedIssuer], trustedIssuers: ['https://ci.example'], subjects: [y]}
  authentication: {none: {}}
";

fn job(harness: &Harness) -> (String, String) {
    harness.condition::<OAuthClient>("shop", "job", ConditionType::ReferencesResolved)
}

#[tokio::test]
async fn a_client_is_told_of_issuers_that_its_tenant_does_not_trust_and_when_it_does() {
    let mut harness = Harness::furnished().await;
    harness.apply::<OAuthClient>(&fixtures::exchangeable_api()).await;
    harness.apply::<OAuthClient>(JOB).await;
    for (trusted, missing) in [
        (&[CI][..], Some("https://cluster.example")),
        (&[CI, CLUSTER], None),
        (&[CLUSTER], Some("https://ci.example")),
        (&["https://else.example"], Some("https://ci.example, https://cluster.example")),
    ] {
        harness.apply::<Tenant>(&trusting(trusted)).await;
        let (verdict, message) = job(&harness);
        match missing {
            None => assert_eq!(verdict, "True/Resolved"),
            Some(missing) => {
                assert_eq!(verdict, "False/IssuerNotTrusted");
                assert!(message.ends_with(&format!(": {missing}")), "{message}");
            }
        }
        let served = harness.document(Kind::OAuthClient, "shop", "job").unwrap();
        assert_eq!(served.withdrawn_at, None, "its other rules count");
    }
}

#[tokio::test]
async fn a_client_is_told_of_an_issuer_that_turns_out_to_be_the_clusters_own() {
    let mut harness = Harness::furnished().await;
    harness.apply::<Tenant>(&trusting(&[CLUSTER, CI])).await;
    harness.apply::<OAuthClient>(&fixtures::exchangeable_api()).await;
    harness.apply::<OAuthClient>(JOB).await;
    assert_eq!(job(&harness).0, "True/Resolved");
    say(&mut harness, &["a"]).await;
    assert_eq!(job(&harness).0, "False/IssuerNotTrusted", "the Tenant's entry is left out");
    let other = ServiceAccountIssuer { issuer: "https://renamed.example".to_owned(), ..issuer(&["a"]) };
    harness.engine.change(Change::ServiceAccountIssuer(other));
    harness.run().await;
    assert_eq!(job(&harness).0, "True/Resolved");
}
