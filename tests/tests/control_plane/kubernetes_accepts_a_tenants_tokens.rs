//! kube-apiserver as a relying party: what `claviger authentication-config` prints, as it is printed, lets a
//! person of a tenant use the cluster, and nobody else, and goes on doing so when the tenant's key rotates.

mod logout_tokens;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_tests::control_plane::ControlPlane;
use claviger_tests::dev::Dev;
use claviger_tests::kubectl::Kubectl;
use claviger_tests::temp::TempDir;
use claviger_tests::user_agent::UserAgent;
use claviger_tests::wait::eventually;
use k8s_openapi::jiff::Timestamp;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use url::Url;

/// kube-apiserver fetches a new issuer's keys every ten seconds until it has them.
const LIMIT: Duration = Duration::from_secs(60);
/// What every kubelogin has registered; nothing answers there.
const CALLBACK: &str = "http://127.0.0.1:8000/";
/// The audience of its access tokens.
const KUBERNETES: &str = "https://kubernetes.example";
const PASSWORD: &str = "only-for-this-test";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One tenant in a namespace of its name, with three people, of whom two are in groups that are called as the
/// administrators of a cluster are, and three clients: for the cluster, for something else, and for something
/// else that may also ask for tokens for the cluster. Every tenant's client for a cluster has the same ID.
const TENANT: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: TENANT}
---
apiVersion: claviger.dev/v1alpha1
kind: Tenant
metadata: {name: TENANT, namespace: TENANT}
spec:
  allowedClients: {namespaces: {from: Same}}
  # By a clock that is twenty times as fast.
  lifetimes: {authorizationCode: 10m}
---
apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {name: main, namespace: TENANT, annotations: {}}
spec:
  tenantRef: {name: TENANT}
  rotation: {interval: 2160h, publishAhead: 40s, cacheLifetime: 15s}
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: TENANT}
stringData: {password: only-for-this-test}
---
apiVersion: claviger.dev/v1alpha1
kind: User
metadata: {name: ada, namespace: TENANT}
spec:
  tenantRef: {name: TENANT}
  username: ada
  groups: [engineering, 'system:masters']
  passwordSecretRef: {name: password, key: password}
---
apiVersion: claviger.dev/v1alpha1
kind: User
metadata: {name: grace, namespace: TENANT}
spec:
  tenantRef: {name: TENANT}
  username: grace
  groups: [engineering]
  passwordSecretRef: {name: password, key: password}
---
apiVersion: claviger.dev/v1alpha1
kind: User
metadata: {name: lin, namespace: TENANT}
spec:
  tenantRef: {name: TENANT}
  username: lin
  groups: ['kubeadm:cluster-admins']
  passwordSecretRef: {name: password, key: password}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: kubernetes, namespace: TENANT}
spec:
  tenantRef: {name: TENANT, namespace: TENANT}
  clientId: kubernetes
  applicationType: native
  redirectUris: ['http://127.0.0.1:8000/']
  postLogoutRedirectUris: ['http://127.0.0.1:8000/']
  backchannelLogout: {uri: 'TOLD'}
  scopes: [openid, groups]
  authentication: {none: {}}
  resourceServer: {audience: 'https://kubernetes.example'}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: shop, namespace: TENANT}
spec:
  tenantRef: {name: TENANT, namespace: TENANT}
  clientId: shop
  applicationType: native
  redirectUris: ['http://127.0.0.1:8000/']
  scopes: [openid, groups]
  authentication: {none: {}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: console, namespace: TENANT}
spec:
  tenantRef: {name: TENANT, namespace: TENANT}
  clientId: console
  applicationType: native
  redirectUris: ['http://127.0.0.1:8000/']
  scopes: [openid, groups]
  audiences: ['https://kubernetes.example']
  authentication: {none: {}}
";

/// Two tenants on one provider over https, and a cluster that was told of the first.
struct Stage {
    manifests: TempDir,
    dev: Dev,
    plane: ControlPlane,
}

impl Stage {
    /// `flags` are for what is printed, `arguments` for the provider; `more` is declared too.
    async fn build(flags: &[&str], arguments: &[&str], more: &str) -> Result<Self> {
        Self::build_told_at("https://nobody.example/logout", flags, arguments, more).await
    }

    /// The same, whose clients for a cluster are told of logouts at `uri`.
    async fn build_told_at(uri: &str, flags: &[&str], arguments: &[&str], more: &str) -> Result<Self> {
        let manifests = TempDir::new("two-tenants")?;
        for tenant in ["acme", "globex"] {
            manifests.write(&format!("{tenant}.yaml"), TENANT.replace("TENANT", tenant).replace("TOLD", uri))?;
        }
        manifests.write("more.yaml", more)?;
        let dev = Dev::start(manifests.path(), &[&["--tls"], arguments].concat()).await?;
        let snippet = snippet(&dev.issuer("acme"), &dev.ca(), flags).await?;
        // Not among the manifests.
        let file = dev.state().join("authentication.json");
        std::fs::write(&file, snippet)?;
        let flag = format!("--authentication-config={}", file.display());
        Ok(Self { manifests, plane: ControlPlane::start(&[&flag]).await?, dev })
    }

    /// The ID token that a person gets by a client of a tenant.
    async fn id_token(&self, person: &str, tenant: &str, client: &str) -> Result<String> {
        let tokens = self.tokens(person, tenant, client, &[]).await?;
        Ok(tokens["id_token"].as_str().context("no ID token")?.to_owned())
    }

    /// What a person gets by a client of a tenant that asks so.
    async fn tokens(&self, person: &str, tenant: &str, client: &str, more: &[(&str, &str)]) -> Result<Value> {
        let issuer = self.dev.issuer(tenant);
        let mut url = Url::parse_with_params(
            &format!("{issuer}/oauth/authorize"),
            [
                ("response_type", "code"),
                ("client_id", client),
                ("redirect_uri", CALLBACK),
                ("scope", "openid groups"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
        )?;
        url.query_pairs_mut().extend_pairs(more);
        let mut person = UserAgent::new(&self.dev.ca(), person, PASSWORD)?;
        let arrival = person.open_until(url.as_str(), CALLBACK).await?;
        let code = arrival.parameter("code").with_context(|| arrival.url.to_string())?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let ca = reqwest::Certificate::from_pem(&std::fs::read(self.dev.ca())?)?;
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build()?;
        let answer = http.post(format!("{issuer}/oauth/token")).form(&form).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// `kubectl` of whoever has that token and nothing else.
    fn kubectl(&self, token: &str) -> Result<Kubectl> {
        self.kubectl_of(&kid(token)?, json!({ "token": token }))
    }

    /// `kubectl` with that user in its kubeconfig.
    fn kubectl_of(&self, name: &str, user: Value) -> Result<Kubectl> {
        let admin: Value = serde_saphyr::from_str(&std::fs::read_to_string(self.plane.cluster().kubeconfig())?)?;
        let mut kubeconfig = admin;
        kubeconfig["users"][0]["user"] = user;
        let path = self.dev.state().join(format!("{name}.kubeconfig"));
        std::fs::write(&path, kubeconfig.to_string())?;
        Ok(self.plane.cluster().kubectl().with_kubeconfig(path))
    }

    /// Who the API server says that the bearer of `token` is.
    async fn whoami(&self, token: &str) -> Result<Value> {
        Ok(self.kubectl(token)?.json(&["auth", "whoami"]).await?["status"]["userInfo"].take())
    }

    /// Makes another key sign.
    fn rotate(&self) -> Result<()> {
        let path = self.manifests.path().join("acme.yaml");
        #[allow(clippy::disallowed_methods, reason = "a person looks at the clock")]
        let now = Timestamp::now();
        let annotation = format!("annotations: {{claviger.dev/rotate-at: '{now}'}}");
        Ok(std::fs::write(&path, std::fs::read_to_string(&path)?.replace("annotations: {}", &annotation))?)
    }
}

/// What `claviger authentication-config` prints.
async fn snippet(issuer: &str, ca: &Path, flags: &[&str]) -> Result<Vec<u8>> {
    let output = tokio::process::Command::new(claviger_tests::claviger::program().await?)
        .args(["authentication-config", "--issuer", issuer, "--client-id", "kubernetes", "--ca-bundle"])
        .arg(ca)
        .args(flags)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

fn claims(token: &str) -> Result<Value> {
    let body = token.split('.').nth(1).context("no JWT")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body)?)?)
}

fn kid(token: &str) -> Result<String> {
    jsonwebtoken::decode_header(token)?.kid.context("no kid")
}

/// The API server does not know who that is.
async fn refused(stage: &Stage, token: &str) -> Result<()> {
    let refusal = stage.kubectl(token)?.refused(&["get", "--raw", "/api"]).await?;
    ensure!(refusal.contains("Unauthorized") || refusal.contains("provide credentials"), "{refusal}");
    Ok(())
}

#[tokio::test]
async fn a_person_of_a_tenant_uses_the_cluster_by_name_and_groups_through_a_rotation_of_the_key() -> Result<()> {
    let stage = Stage::build(&[], &["--clock-speed", "20"], "").await?;
    let token = stage.id_token("ada", "acme", "kubernetes").await?;
    let subject = claims(&token)?["sub"].as_str().context("no sub")?.to_owned();
    let who = eventually(LIMIT, "the cluster knows the issuer", async || stage.whoami(&token).await).await?;
    ensure!(who["username"] == format!("acme:{subject}"), "{who}");
    // A group that is called as the cluster's administrators are is none of theirs.
    ensure!(who["groups"] == json!(["acme:engineering", "acme:system:masters", "system:authenticated"]), "{who}");

    let (admin, person) = (stage.plane.cluster().kubectl(), stage.kubectl(&token)?);
    let refusal = person.refused(&["get", "configmaps"]).await?;
    ensure!(refusal.contains("Forbidden"), "{refusal}");
    let binding = ["create", "rolebinding", "engineering", "--clusterrole=view", "--group=acme:engineering"];
    admin.in_namespace("default").run(&binding).await?;
    eventually(LIMIT, "the group's rights work", async || person.run(&["get", "configmaps"]).await).await?;
    person.refused(&["get", "secrets"]).await?;

    for (tenant, client) in [("globex", "kubernetes"), ("acme", "shop")] {
        let other = stage.id_token("ada", tenant, client).await?;
        refused(&stage, &other).await.with_context(|| format!("{client} of {tenant}"))?;
    }

    // One that the API server has not seen: what it has, it keeps in mind for ten seconds.
    let unseen = stage.id_token("ada", "acme", "kubernetes").await?;
    stage.rotate()?;
    let next = eventually(LIMIT, "another key signs", async || {
        let next = stage.id_token("ada", "acme", "kubernetes").await?;
        ensure!(kid(&next)? != kid(&unseen)?, "the same key");
        Ok(next)
    })
    .await?;
    for token in [&next, &unseen] {
        let still = stage.whoami(token).await.context("after the rotation")?;
        ensure!(still["username"] == who["username"] && still["groups"] == who["groups"], "{still}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_prefix_no_group_of_the_clusters_own_can_be_had() -> Result<()> {
    let stage = Stage::build(&["--groups-prefix=", "--api-version=v1beta1"], &[], "").await?;
    let grace = stage.id_token("grace", "acme", "kubernetes").await?;
    let who = eventually(LIMIT, "the cluster knows the issuer", async || stage.whoami(&grace).await).await?;
    ensure!(who["groups"] == json!(["engineering", "system:authenticated"]), "{who}");
    for person in ["ada", "lin"] {
        let token = stage.id_token(person, "acme", "kubernetes").await?;
        refused(&stage, &token).await.context(person)?;
    }
    Ok(())
}

/// A program that proves who it is by a key, as a pod does by the token that is mounted.
struct Deployer {
    key: KeyPair,
}

impl Deployer {
    fn manifest(&self) -> String {
        let point = self.key.public_key_raw(); // 0x04, x, y
        let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "one", "x": coordinate(1..33), "y": coordinate(33..65)});
        json!({
            "apiVersion": "claviger.dev/v1alpha1", "kind": "OAuthClient",
            "metadata": {"name": "deployer", "namespace": "acme"},
            "spec": {
                "tenantRef": {"name": "acme", "namespace": "acme"}, "grantTypes": ["client_credentials"],
                "audiences": [KUBERNETES],
                "authentication": {"privateKeyJwt": {"jwks": {"keys": [jwk]}}},
            },
        })
        .to_string()
    }

    /// Writes a new proof, which is good once.
    fn prove(&self, issuer: &str, path: &Path) -> Result<()> {
        #[allow(clippy::disallowed_methods, reason = "the provider asks the system's clock")]
        let now = Timestamp::now();
        let name = "acme.deployer";
        let claims = json!({
            "iss": name, "sub": name, "aud": issuer, "exp": now.as_second() + 120, "jti": now.as_nanosecond().to_string(),
        });
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some("one".to_owned());
        let key = jsonwebtoken::EncodingKey::from_ec_der(&self.key.serialize_der());
        Ok(std::fs::write(path, jsonwebtoken::encode(&header, &claims, &key)?)?)
    }
}

#[tokio::test]
async fn a_workload_uses_the_cluster_by_the_plugin_of_its_kubeconfig() -> Result<()> {
    let deployer = Deployer { key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)? };
    let flags = ["--client-id", KUBERNETES];
    let stage = Stage::build(&flags, &[], &deployer.manifest()).await?;
    let (issuer, proof) = (stage.dev.issuer("acme"), stage.dev.state().join("proof"));
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": claviger_tests::claviger::program().await?,
        "args": [
            "token", "--exec-credential", "--issuer", issuer, "--audience", KUBERNETES,
            "--token-file", proof, "--ca-bundle", stage.dev.ca(),
        ],
    });
    let kubectl = stage.kubectl_of("plugin", json!({ "exec": exec }))?;
    let who = eventually(LIMIT, "the cluster knows the issuer", async || {
        deployer.prove(&issuer, &proof)?;
        kubectl.json(&["auth", "whoami"]).await
    });
    let who = who.await?["status"]["userInfo"].take();
    ensure!(who["username"] == "acme:acme.deployer", "{who}");
    // A person's access token for the same API is not that person: other clients get those.
    let person = stage.tokens("grace", "acme", "console", &[("resource", KUBERNETES)]).await?;
    let person = person["access_token"].as_str().context("no access token")?;
    let about = claims(person)?;
    ensure!(about["aud"] == KUBERNETES && about["client_id"] == "console" && about["sub"] != "console", "{about}");
    refused(&stage, person).await.context("a person's access token")?;
    stage.whoami(&stage.id_token("grace", "acme", "kubernetes").await?).await.context("a person's ID token")?;
    // What is said on the way is the plugin's.
    std::fs::write(&proof, "not.a.proof")?;
    let refusal = kubectl.refused(&["auth", "whoami"]).await?;
    ensure!(refusal.contains("invalid_client"), "{refusal}");
    Ok(())
}
