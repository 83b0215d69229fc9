//! `examples/workloads` on a real API server, as `docs/workloads.md` tells it: a ServiceAccount's token becomes an access
//! token by `claviger token`, an API exchanges one for its caller, and the guide's own verifier judges them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::repository::{located_by, root};
use claviger_tests::temp::TempDir;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const ORDERS: &str = "https://orders.acme.example";
const KUBERNETES: &str = "https://kubernetes.acme.example";
const GATEWAY: &str = "https://gateway.acme.example";

/// Somebody who calls the gateway.
const CALLER: &str = r#"
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: caller, namespace: reports}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  scopes: ["orders:read"]
  audiences: ["https://gateway.acme.example"]
  authentication: {serviceAccounts: [{name: caller}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: caller, namespace: reports}
"#;

/// Somebody of the tenant who would like to be a user of the cluster.
const INTRUDER: &str = r#"
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: intruder, namespace: reports}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  audiences: ["https://kubernetes.acme.example"]
  authentication: {serviceAccounts: [{name: caller}]}
"#;

/// The examples, live.
struct Stage {
    installation: Installation,
    issuer: String,
    folder: TempDir,
}

impl Stage {
    async fn build(installation: Installation) -> Result<Self> {
        let examples = root().join("examples/workloads");
        installation.kubectl().run(&["apply", "-f", &examples.to_string_lossy()]).await?;
        // What is for another cluster is not applied by that command.
        installation.kubectl().refused(&["get", "clusterrolebinding", "acme-engineering"]).await?;
        installation.kubectl().apply(CALLER).await?;
        installation.wait_until_all_ready().await?;
        let issuer = format!("{}{ACME}", installation.external_url());
        Ok(Self { installation, issuer, folder: TempDir::new("workloads")? })
    }

    /// What the kubelet would mount into a pod of that ServiceAccount.
    async fn mounted(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let token = self.installation.cluster().token_for(namespace, account, &[&self.issuer]).await?;
        self.folder.write(&format!("{namespace}-{account}"), token)
    }

    /// What `claviger token` prints to a pod of that ServiceAccount.
    async fn token(&self, namespace: &str, account: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new(claviger_tests::claviger::program().await?)
            .args(["token", "--issuer", &self.issuer, "--token-file"])
            .arg(self.mounted(namespace, account).await?)
            .args(arguments)
            .output()
            .await?;
        ensure!(output.status.success(), "{namespace}/{account}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// What the guide's verifier says: the claims, or why it refuses.
    async fn verify(&self, audience: &str, token: &str) -> Result<Value> {
        let mut command = Command::new(located_by("verifier", &[]).await?);
        command.arg(root().join("examples/workloads/verify.py")).args([&self.issuer, audience]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        child.stdin.take().context("no input")?.write_all(token.as_bytes()).await?;
        let output = child.wait_with_output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    async fn refused(&self, audience: &str, token: &str, reason: &str) -> Result<()> {
        let refusal = self.verify(audience, token).await.err().context("it is accepted")?.to_string();
        ensure!(refusal.contains(reason), "{refusal}");
        Ok(())
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn a_pod_calls_an_api_and_an_api_calls_another_one_for_it() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    let stage = Stage::build(installation).await?;

    // Its own ServiceAccount, and one of another namespace that consents.
    for (namespace, account) in [("reports", "reports"), ("batch", "nightly")] {
        let token = stage.token(namespace, account, &["--audience", ORDERS]).await?;
        let claims = stage.verify(ORDERS, &token).await?;
        ensure!(claims["sub"] == "reports.reports" && claims["scope"] == "orders:read", "{claims}");
        stage.refused(GATEWAY, &token, "Audience doesn't match").await?;
        stage.refused(ORDERS, &format!("{token}AA"), "refused: ").await?;
    }

    // A chain: the caller's token is for the gateway, which gets one for the next API.
    let caller = stage.token("reports", "caller", &[]).await?;
    ensure!(stage.verify(GATEWAY, &caller).await?["sub"] == "reports.caller");
    let subject = text(&stage.folder.write("caller.jwt", &caller)?);
    let actor = text(&stage.mounted("gateway", "gateway").await?);
    let exchange = [
        ["--grant", "token-exchange"],
        ["--audience", ORDERS],
        ["--subject-token-file", &subject],
        ["--subject-token-type", "access-token"],
        ["--actor-token-file", &actor],
        ["--actor-token-type", "jwt"],
    ];
    let exchanged = stage.token("gateway", "gateway", exchange.as_flattened()).await?;
    let claims = stage.verify(ORDERS, &exchanged).await?;
    ensure!(claims["sub"] == "reports.caller" && claims["client_id"] == "gateway.gateway", "{claims}");
    ensure!(claims["act"]["sub"] == "system:serviceaccount:gateway:gateway", "{claims}");

    // The cluster's API is for its deployers, and for nobody else of the tenant.
    let deployer = stage.token("deploy", "deployer", &["--audience", KUBERNETES]).await?;
    ensure!(stage.verify(KUBERNETES, &deployer).await?["sub"] == "deploy.deployer");
    stage.installation.kubectl().apply(INTRUDER).await?;
    let intruder = ["oauthclient", "reports", "intruder"];
    let refused = ["False", "AudienceNotGranted"];
    stage.installation.wait_for_condition(intruder, "ReferencesResolved", refused).await?;
    stage.installation.kubectl().in_namespace("reports").run(&["delete", "oauthclient", "intruder"]).await?;

    // What is no access token is not taken for one.
    let plain = r#"{"spec":{"accessTokenType":"JWT"}}"#;
    let reports = stage.installation.kubectl().in_namespace("reports");
    reports.run(&["patch", "oauthclient", "reports", "--type=merge", "-p", plain]).await?;
    stage.installation.wait_until_all_ready().await?;
    let token = stage.token("reports", "reports", &[]).await?;
    stage.refused(ORDERS, &token, "typ is jwt, not at+jwt").await
}
