//! Tokens that others issue: this cluster of ServiceAccounts, and a CI system that a tenant trusts.

use claviger_crds::published::{
    ClientAuthentication, ServiceAccountIssuerDocument, ServiceAccountSubject, SubjectRuleDocument, TenantDocument,
    TrustedIssuerDocument,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::assertions::ClientKey;
use crate::fixture::*;

pub(crate) const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";
pub(crate) const CI: &str = "https://ci.example";
/// UID of every ServiceAccount, unless a test says otherwise.
pub(crate) const UID: &str = "3a5d6b5e-0b06-4c7a-8a43-000000000001";

/// Has `tenant` trust the cluster with this key.
pub(crate) fn trust_cluster(tenant: &mut TenantDocument, key: &ClientKey) {
    let since = Timestamp::from_second(NOW).unwrap();
    let issuer = ServiceAccountIssuerDocument { issuer: CLUSTER.to_owned(), jwks: key.jwks(), since, previous: None };
    tenant.service_account_issuer = Some(issuer);
}

/// Has `tenant` trust the CI system with this key, in what it says of the repositories of acme.
pub(crate) fn trust_ci(tenant: &mut TenantDocument, key: &ClientKey) {
    tenant.trusted_issuers.push(TrustedIssuerDocument {
        issuer: CI.to_owned(),
        jwks: Some(key.jwks()),
        jwks_uri: None,
        audiences: vec![tenant.issuer.clone()],
        subject_rules: vec![SubjectRuleDocument {
            subject: "repo:acme/*".to_owned(),
            claims: [("environment".to_owned(), "production".to_owned())].into(),
        }],
        subject_prefix: format!("{CI}#"),
    });
}

/// Authentication by these ServiceAccounts, each as `<namespace>/<name>`.
pub(crate) fn by_accounts(accounts: &[&str]) -> ClientAuthentication {
    let account = |account: &&str| {
        let (namespace, name) = account.split_once('/').unwrap();
        ServiceAccountSubject { namespace: namespace.to_owned(), name: name.to_owned(), uid: UID.to_owned() }
    };
    ClientAuthentication::ServiceAccounts { accounts: accounts.iter().map(account).collect() }
}

/// What kube-apiserver writes into a token of `namespace`/`name` that is bound to a Pod.
pub(crate) fn account(namespace: &str, name: &str, audience: &str) -> Value {
    json!({
        "iss": CLUSTER,
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
        "aud": [audience],
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3607,
        "jti": "6d0d1d1e-0000-4000-8000-000000000000",
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": {"name": name, "uid": UID},
            "pod": {"name": "billing-5d9c", "uid": "3a5d6b5e-0b06-4c7a-8a43-000000000002"},
            "node": {"name": "node-1", "uid": "3a5d6b5e-0b06-4c7a-8a43-000000000003"},
        },
    })
}

/// What the CI system writes into the token of a job of acme's in production.
pub(crate) fn job(audience: &str) -> Value {
    json!({
        "iss": CI, "sub": "repo:acme/shop:environment:production", "aud": audience,
        "iat": NOW, "exp": NOW + 300, "environment": "production",
    })
}

/// `claims` with another `name`.
pub(crate) fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

/// `claims` without `name`.
pub(crate) fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}
