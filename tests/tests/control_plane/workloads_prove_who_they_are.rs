//! Clients that are ServiceAccounts of a real cluster: its own tokens, as kubelet would get them, and what is
//! made of them by whoever would like to be somebody else.

mod forged;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, PATIENCE};
use claviger_tests::kubectl::Kubectl;
use claviger_tests::process::Process;
use claviger_tests::token_verifier::verify_token;
use claviger_tests::wait::eventually;
use serde_json::Value;

use self::forged::Forger;

const WORKLOADS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: batch}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: idle, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: night, namespace: batch}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker, namespace: batch}
---
apiVersion: v1
kind: Pod
metadata: {name: worker-0, namespace: shop}
spec:
  serviceAccountName: worker
  containers: [{name: worker, image: example.com/worker}]
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: worker, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  scopes: ["orders:read"]
  audiences: ["https://orders.shop.example"]
  authentication: {serviceAccounts: [{name: worker}, {name: night, namespace: batch}]}
"#;
const WORKER: [&str; 3] = ["oauthclient", "shop", "worker"];
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Stage {
    installation: Installation,
    issuer: String,
    operator: Process,
}

impl Stage {
    async fn set() -> Result<Self> {
        let installation = Installation::start(1).await?;
        let operator = installation.start_operator("one").await?;
        installation.apply_quickstart().await?;
        let kubectl = installation.kubectl();
        // A Pod is admitted only where its ServiceAccount is there already.
        eventually(PATIENCE, "the workloads are applied", async || kubectl.apply(WORKLOADS).await).await?;
        let issuer = format!("{}{ACME}", installation.external_url());
        installation.wait_for_condition(WORKER, "Programmed", ["True", "Programmed"]).await?;
        Ok(Self { installation, issuer, operator })
    }

    fn kubectl(&self, namespace: &str) -> Kubectl {
        self.installation.kubectl().in_namespace(namespace)
    }

    /// A ServiceAccount's token for these audiences, with what else `kubectl create token` is told.
    async fn token_for(&self, account: [&str; 2], audiences: &[&str], more: &[&str]) -> Result<String> {
        let [namespace, name] = account;
        let mut arguments = vec!["create".to_owned(), "token".to_owned(), name.to_owned()];
        arguments.extend(audiences.iter().map(|audience| format!("--audience={audience}")));
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        Ok(self.kubectl(namespace).run(&arguments).await?.trim().to_owned())
    }

    async fn token(&self, namespace: &str, name: &str) -> Result<String> {
        self.token_for([namespace, name], &[&self.issuer], &[]).await
    }

    /// What a pod gets that comes with this token.
    async fn ask(&self, token: &str, client_id: Option<&str>) -> Result<(u16, Value)> {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", token),
        ];
        form.extend(client_id.map(|id| ("client_id", id)));
        self.installation.providers()[0].ask(ACME, &form).await
    }

    async fn granted(&self, token: &str, client_id: Option<&str>) -> Result<Value> {
        let (status, body) = self.ask(token, client_id).await?;
        ensure!(status == 200, "{status}: {body}");
        let granted = body["access_token"].as_str().context("no access_token")?;
        let claims = verify_token(&self.issuer, granted, Some("https://orders.shop.example")).await?;
        ensure!(claims["client_id"] == "shop.worker" && claims["sub"] == "shop.worker", "{claims}");
        Ok(claims)
    }

    /// Whoever comes with this token learns that it is refused, and the audit stream why.
    async fn refused(&self, token: &str, why: &str) -> Result<()> {
        let (status, body) = self.ask(token, None).await?;
        ensure!((status, &body["error"]) == (401, &"invalid_client".into()), "{why}: {status}: {body}");
        // What it calls itself makes it a client's failure, and helps it to nothing.
        let before = self.told().len();
        let (status, body) = self.ask(token, Some("shop.worker")).await?;
        ensure!((status, &body["error"]) == (401, &"invalid_client".into()), "{why}: {status}: {body}");
        let told = eventually(PATIENCE, format!("the audit stream tells of: {why}"), async || {
            self.told().get(before).cloned().context("it does not")
        });
        let told = told.await?;
        ensure!(told.contains(why), "not {why:?}, but: {told}");
        Ok(())
    }

    /// What the audit stream says of clients that did not prove who they are.
    fn told(&self) -> Vec<String> {
        let log = self.installation.providers()[0].process().log();
        log.lines().filter(|line| line.contains("client_authentication")).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_pods_own_token_is_all_that_a_client_needs() -> Result<()> {
    let stage = Stage::set().await?;
    let bound = ["--bound-object-kind=Pod", "--bound-object-name=worker-0", "--duration=10m"];
    let token = stage.token_for(["shop", "worker"], &[&stage.issuer], &bound).await?;
    for client_id in [None, Some("shop.worker"), None] {
        let claims = stage.granted(&token, client_id).await?;
        ensure!(claims["scope"] == "orders:read", "{claims}");
    }
    let metadata = stage.kubectl("shop").run(&["get", "--raw=/.well-known/openid-configuration"]).await?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let keys = stage.kubectl("shop").run(&["get", "--raw=/openid/v1/jwks"]).await?;
    let keys: Value = serde_json::from_str(&keys)?;
    let tenant = stage.kubectl("identity").json(&["get", "tenant", "acme"]).await?;
    let told = &tenant["status"]["serviceAccountIssuer"];
    ensure!(told["issuer"] == metadata["issuer"] && told["kids"][0] == keys["keys"][0]["kid"], "{told}");
    let counted = stage.installation.operator_metrics(&stage.operator).await?;
    let named = format!("claviger_operator_service_account_issuer_info{{issuer={}}} 1", metadata["issuer"]);
    ensure!(counted.contains(&named), "no {named}: {counted}");
    let read = "claviger_operator_service_account_keys_read_timestamp_seconds ";
    let read = counted.lines().find_map(|line| line.strip_prefix(read)).context("not read")?;
    ensure!(read.parse::<i64>()? > 1_700_000_000, "{read}");
    // Nobody asks the API server about it.
    stage.installation.plane().pause_api_server().await?;
    let granted = stage.granted(&token, None).await;
    stage.installation.plane().resume_api_server().await?;
    granted.context("while the API server hangs")?;
    let secrets = stage.kubectl("shop").run(&["get", "secrets", "--output=name"]).await?;
    ensure!(!secrets.contains("worker"), "nothing is stored: {secrets}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_that_accounts_token_for_this_issuer_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let good = stage.token("shop", "worker").await?;
    stage.granted(&good, None).await?;
    let elsewhere = stage.token_for(["shop", "worker"], &["https://elsewhere.example"], &[]).await?;
    stage.refused(&elsewhere, "not for this issuer alone").await?;
    let both = stage.token_for(["shop", "worker"], &[&stage.issuer, "https://elsewhere.example"], &[]).await?;
    stage.refused(&both, "not for this issuer alone").await?;
    stage.refused(&stage.token_for(["shop", "worker"], &[], &[]).await?, "not for this issuer alone").await?;
    // The same name in another namespace, and another name in the same.
    stage.refused(&stage.token("batch", "worker").await?, "no client names the ServiceAccount").await?;
    stage.refused(&stage.token("shop", "idle").await?, "no client names the ServiceAccount").await?;

    let forger = Forger::of(&good, stage.installation.plane().account_key()?)?;
    stage.granted(&forger.signed(|_, _| ())?, None).await.context("what the forger makes is good but for its fault")?;
    let mut wrong = Vec::new();
    for (number, (token, why)) in forger.tokens()?.into_iter().enumerate() {
        wrong.extend(stage.refused(&token, why).await.err().map(|error| format!("{number}: {error:#}")));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    stage.granted(&good, None).await.map(drop)
}

#[tokio::test]
async fn an_account_of_another_namespace_consents_and_one_that_was_made_again_is_another() -> Result<()> {
    let stage = Stage::set().await?;
    let night = stage.token("batch", "night").await?;
    stage.refused(&night, "no client names the ServiceAccount").await?;
    let refused = ["False", "ServiceAccountNotAllowed"];
    let condition = stage.installation.wait_for_condition(WORKER, "ReferencesResolved", refused).await?;
    ensure!(condition["message"].as_str().is_some_and(|message| message.contains("batch/night")), "{condition}");
    stage.granted(&stage.token("shop", "worker").await?, None).await?;

    let batch = stage.kubectl("batch");
    batch.run(&["annotate", "serviceaccount", "night", "claviger.dev/allow-clients=crm/*, shop/worker"]).await?;
    stage.installation.wait_for_condition(WORKER, "Ready", ["True", "Ready"]).await?;
    stage.granted(&night, None).await.context("it consents")?;
    batch.run(&["annotate", "serviceaccount", "night", "claviger.dev/allow-clients-"]).await?;
    stage.installation.wait_for_condition(WORKER, "ReferencesResolved", refused).await?;
    stage.installation.wait_for_condition(WORKER, "Programmed", ["True", "Programmed"]).await?;
    stage.refused(&night, "no client names the ServiceAccount").await?;

    let (shop, first) = (stage.kubectl("shop"), stage.token("shop", "worker").await?);
    shop.run(&["delete", "serviceaccount", "worker"]).await?;
    stage.installation.wait_for_condition(WORKER, "ReferencesResolved", ["False", "ServiceAccountNotFound"]).await?;
    stage.installation.wait_for_condition(WORKER, "Programmed", ["True", "Programmed"]).await?;
    stage.refused(&first, "was deleted since").await?;
    shop.run(&["create", "serviceaccount", "worker"]).await?;
    eventually(PATIENCE, "the new one is the client", async || {
        stage.granted(&stage.token("shop", "worker").await?, None).await
    })
    .await?;
    stage.refused(&first, "was deleted since").await
}

#[tokio::test]
async fn the_clusters_own_rotation_is_followed() -> Result<()> {
    let mut stage = Stage::set().await?;
    let first = stage.token("shop", "worker").await?;
    stage.granted(&first, None).await?;
    stage.installation.plane().rotate_account_key().await?;
    // The first that comes makes the pod tell, and the operator read.
    let second = stage.token("shop", "worker").await?;
    // Once: the next that comes may find the key published already.
    let (status, body) = stage.ask(&second, None).await?;
    ensure!((status, &body["error"]) == (401, &"invalid_client".into()), "{status}: {body}");
    eventually(PATIENCE, "the new key is known", async || stage.granted(&second, None).await).await?;
    stage.granted(&first, None).await.context("the API server still accepts these")?;

    // The operator's and the pod's own tokens are of the old key, too.
    stage.operator = stage.installation.start_operator("two").await?;
    stage.installation.wait_until_leading(&stage.operator).await?;
    stage.installation.renew_provider(0).await?;
    stage.installation.plane().drop_old_account_keys().await?;
    let unknown = Forger::of(&second, stage.installation.plane().account_key()?)?;
    stage.refused(&unknown.signed(|header, _| header["kid"] = "tomorrow's".into())?, "none of the cluster's").await?;
    eventually(PATIENCE, "the old key is forgotten", async || {
        stage.refused(&first, "key is none of the cluster's").await
    })
    .await?;
    stage.granted(&second, None).await?;
    let tenant = stage.kubectl("identity").json(&["get", "tenant", "acme"]).await?;
    let kids = tenant["status"]["serviceAccountIssuer"]["kids"].as_array().context("no kids")?;
    ensure!(kids.len() == 1, "{kids:?}");
    Ok(())
}
