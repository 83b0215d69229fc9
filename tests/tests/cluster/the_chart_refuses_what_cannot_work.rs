//! Values that cannot work are refused before anything is installed, in words.

use anyhow::{Result, ensure};

use crate::release::{chart, helm};

const URL: &str = "externalURL=https://login.example.com";

const FILE: &str = "provider.store.url=sqlite:///var/lib/claviger/store.db";
const CLAIM: &str = "provider.store.existingClaim=logins";
const SECRET: &str = "provider.store.existingSecret.name=database";
const CERTIFICATES: &str = "provider.store.certificates.secretName=database-tls";

async fn template(values: &[&str]) -> Result<claviger_tests::kubectl::Outcome> {
    let chart = chart();
    let chart = chart.to_string_lossy();
    let mut line = vec!["template", "claviger", &chart, "--namespace", "claviger-system"];
    line.extend(values.iter().flat_map(|value| ["--set", value]));
    helm(&line).await
}

#[tokio::test]
async fn values_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let cases: [(&[&str], &str); 33] = [
        (&[], "externalURL is not set: it is the URL"),
        (&["externalURL=https://login.example.com/"], "must not end with a slash"),
        (&["externalURL=login.example.com"], "has to be a URL such as"),
        (&["externalURL=ftp://login.example.com"], "has to be a URL such as"),
        (&["externalURL=https://login.example.com/auth"], "must not have a path"),
        (&["externalURL=https://login.example.com?a=b"], "must not have a query"),
        (&["externalURL=https://login.example.com#top"], "must not have a fragment"),
        (&["externalURL=https://ada@login.example.com"], "must not have a user name"),
        (&["externalURL=https://Login.example.com"], "in lower case"),
        (&["externalURL=https://login.example.com:https"], "is no host, nor a host and a port"),
        (&[URL, "publishedNamespace.name=claviger-system"], "holds every private key"),
        (&[URL, "provider.replica=3"], "replica"),
        (&[URL, "provider.replicas=0"], "replicas"),
        (&[URL, "operator.replicas=two"], "replicas"),
        (&[URL, "operator.kubeAPI.qps=0"], "qps"),
        (&[URL, "metrics.prometheusRule.enabled=perhaps"], "prometheusRule"),
        (&[URL, "image.digest=latest"], "digest"),
        (&[URL, "provider.terminationGracePeriodSeconds=5"], "terminationGracePeriodSeconds"),
        (&[URL, "provider.replicas=2"], "without PostgreSQL a login that one pod began is unknown to the others"),
        (&[URL, FILE, CLAIM, "provider.replicas=2"], "an SQLite file is one pod's"),
        (&[URL, FILE, CLAIM, "provider.replicas=2", "provider.store.perPod=true"], "an SQLite file is one pod's"),
        (&[URL, FILE], "without a volume it would be gone"),
        (&[URL, CLAIM, "provider.store.url=sqlite:///tmp/store.db"], "mounted at /var/lib/claviger"),
        (&[URL, CLAIM], "names no file on it"),
        (&[URL, SECRET, "provider.store.url=sqlite::memory:"], "there is one store"),
        (&[URL, "provider.store.url=mysql://db/claviger"], "is no store"),
        (&[URL, "provider.store.url=postgres://claviger:hunter2@db/claviger"], "holds a password"),
        (&[URL, SECRET, "provider.store.maxConnections=many"], "maxConnections"),
        (&[URL, SECRET, "provider.store.acquireTimeout=500ms"], "acquireTimeout"),
        (&[URL, CERTIFICATES], "is for a PostgreSQL, but there is none"),
        (&[URL, FILE, CLAIM, CERTIFICATES], "is for a PostgreSQL, but there is none"),
        (&[URL, "provider.proxies.header=x-real-ip"], "header"),
        (&[URL, "provider.outbound.allow[0]=a b"], "allow"),
    ];
    for (values, reason) in cases {
        let outcome = template(values).await?;
        ensure!(!outcome.success, "{values:?} is accepted");
        ensure!(!outcome.errors.contains("hunter2"), "{}", outcome.errors);
        ensure!(outcome.errors.contains(reason), "{values:?}: {}", outcome.errors);
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_is_taken_away_is_named_or_not_missed() -> Result<()> {
    for value in ["image", "publishedNamespace", "crds", "userRoles", "log", "metrics", "operator", "provider"] {
        missing(value, value).await?;
    }
    missing("provider.disruptionBudget", "disruptionBudget").await?;
    missing("provider.service", "service").await?;
    missing("provider.store", "store").await?;
    missing("provider.store.certificates", "certificates").await?;
    missing("provider.store.statementTimeout", "statementTimeout").await?;
    missing("provider.proxies", "proxies").await?;
    missing("provider.outbound", "outbound").await?;
    missing("image.repository", "repository").await?;
    for value in ["imagePullSecrets", "image.tag", "operator.resources", "provider.service.annotations"] {
        let outcome = template(&[URL, &format!("{value}=null")]).await?;
        ensure!(outcome.success, "{value}: {}", outcome.errors);
    }
    Ok(())
}

async fn missing(value: &str, name: &str) -> Result<()> {
    let outcome = template(&[URL, &format!("{value}=null")]).await?;
    ensure!(!outcome.success, "{value}=null is accepted");
    ensure!(outcome.errors.contains(&format!("missing property '{name}'")), "{value}: {}", outcome.errors);
    Ok(())
}

#[tokio::test]
async fn values_that_work_give_what_they_ask_for() -> Result<()> {
    let cases: [(&[&str], &str, &str); 24] = [
        (&[URL], "helm.sh/resource-policy: keep", "imagePullSecrets"),
        (&[URL, "crds.enabled=false"], "kind: Deployment", "kind: CustomResourceDefinition"),
        (&[URL, "userRoles.create=false"], "kind: ClusterRole", "aggregate-to-edit"),
        (&[URL, "publishedNamespace.create=false"], "kind: Role", "kind: Namespace\n"),
        (&["externalURL=http://localhost"], "value: \"http://localhost\"", "nodeSelector"),
        (&["externalURL=https://[::1]:8443"], "value: \"https://[::1]:8443\"", "nodeSelector"),
        (&[URL], "replicas: 1", "PodDisruptionBudget"),
        (&[URL], "kind: Deployment", "CLAVIGER_STORE"),
        (&[URL, "provider.replicas=2", SECRET], "secretKeyRef: {name: \"database\", key: \"url\"}", "claimName"),
        (&[URL, "provider.replicas=2", "provider.store.perPod=true"], "PodDisruptionBudget", "CLAVIGER_STORE"),
        (&[URL, SECRET], "CLAVIGER_STORE_ACQUIRE_TIMEOUT, value: \"2s\"", "CLAVIGER_STORE_MAX_CONNECTIONS"),
        (
            &[URL, SECRET, "provider.store.maxConnections=25", "provider.store.statementTimeout=10s"],
            "CLAVIGER_STORE_MAX_CONNECTIONS, value: \"25\"",
            "CLAVIGER_STORE_STATEMENT_TIMEOUT, value: \"4s\"",
        ),
        (&[URL, SECRET, CERTIFICATES], "- secret: {name: \"database-tls\"}", "- configMap: {"),
        (
            &[URL, SECRET, "provider.store.certificates.configMapName=database-ca"],
            "- {name: store-certificates, mountPath: /etc/claviger/store, readOnly: true}",
            "- secret: {",
        ),
        (&[URL, FILE, CLAIM], "claimName: \"logins\"", "secretKeyRef"),
        (&[URL, FILE, CLAIM], "strategy: {type: Recreate}", "PodDisruptionBudget"),
        (&[URL], "kind: Deployment", "CLAVIGER_TRUSTED_PROXIES"),
        (&[URL, "provider.proxies.trusted=2"], "CLAVIGER_TRUSTED_PROXIES, value: \"2\"", "CLAVIGER_CA_BUNDLE"),
        (
            &[URL, "provider.outbound.allow={app.shop.svc,10.0.0.0/8}"],
            "CLAVIGER_OUTBOUND_ALLOW, value: \"app.shop.svc,10.0.0.0/8\"",
            "configMap: {",
        ),
        (
            &[URL, "provider.outbound.caBundle.configMapName=cas"],
            "CLAVIGER_CA_BUNDLE, value: \"/etc/claviger/ca/ca.crt\"",
            "CLAVIGER_OUTBOUND_ALLOW",
        ),
        (&[URL], "kind: Deployment", "PrometheusRule"),
        (
            &[URL, "metrics.prometheusRule.enabled=true", "metrics.prometheusRule.labels.release=prometheus"],
            "    release: prometheus\nspec:\n  # Rules",
            "PodDisruptionBudget",
        ),
        (&[URL, "imagePullSecrets[0].name=registry"], "name: registry", "nodeSelector"),
        (
            &[URL, "image.digest=sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "@sha256:0",
            ":0.1.0\"",
        ),
    ];
    for (values, present, absent) in cases {
        let outcome = template(values).await?;
        ensure!(outcome.success, "{values:?}: {}", outcome.errors);
        ensure!(outcome.output.contains(present), "{values:?}: no {present}");
        ensure!(!outcome.output.contains(absent), "{values:?}: {absent}");
    }
    Ok(())
}

#[tokio::test]
async fn the_linter_has_nothing_to_say() -> Result<()> {
    let outcome = helm(&["lint", "--strict", &chart().to_string_lossy(), "--set", URL]).await?;
    ensure!(outcome.success, "{}{}", outcome.output, outcome.errors);
    Ok(())
}
