//! How tests reach a Kubernetes API server: as its administrator, or as one ServiceAccount.
//!
//! It knows nothing of who started the API server; [`crate::control_plane`] does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;

use crate::kubectl::Kubectl;
use crate::repository::setting;
use crate::temp::TempDir;
use crate::wait::eventually;

static NAMES: AtomicU32 = AtomicU32::new(0);

/// rustls has no default provider of cryptography here; the first who asks installs it.
pub fn install_crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A cluster, seen by its administrator.
#[derive(Debug, Clone)]
pub struct Cluster {
    kubeconfig: PathBuf,
    access: kube::config::Cluster,
    kubectl: Kubectl,
    folder: Arc<TempDir>,
}

impl Cluster {
    /// The cluster that the environment's `KUBECONFIG` names, with the `kubectl` in PATH.
    ///
    /// # Errors
    /// When the variable is not set, or not one readable file with a current context.
    pub fn from_environment() -> Result<Self> {
        let path = setting("KUBECONFIG").context("KUBECONFIG is not set")?;
        Self::new(path.into(), "kubectl".into(), Arc::new(TempDir::new("cluster")?))
    }

    pub(crate) fn new(kubeconfig: PathBuf, kubectl: PathBuf, folder: Arc<TempDir>) -> Result<Self> {
        install_crypto();
        let read = Kubeconfig::read_from(&kubeconfig)?;
        let current = read.current_context.as_deref();
        let named = read.contexts.iter().find(|c| Some(c.name.as_str()) == current);
        let cluster = named.and_then(|named| named.context.as_ref()).map(|c| c.cluster.as_str());
        let entry = read.clusters.iter().find(|c| Some(c.name.as_str()) == cluster);
        let access = entry.and_then(|entry| entry.cluster.clone());
        Ok(Self {
            kubectl: Kubectl::new(kubectl, &kubeconfig),
            access: access.context("the kubeconfig's current context has no cluster")?,
            kubeconfig,
            folder,
        })
    }

    /// Where the API server is: `https://127.0.0.1:…`.
    #[must_use]
    pub fn server(&self) -> &str {
        self.access.server.as_deref().unwrap_or_default()
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The certificate authority of the API server, PEM.
    ///
    /// # Errors
    /// When the kubeconfig does not hold it inline.
    pub fn certificate_authority(&self) -> Result<Vec<u8>> {
        use base64::Engine as _;
        let data = self.access.certificate_authority_data.as_ref();
        let data = data.context("no certificate-authority-data")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(data)?)
    }

    /// `kubectl` as administrator.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        self.kubectl.clone()
    }

    /// `kubectl` as that ServiceAccount.
    ///
    /// # Errors
    /// As [`Cluster::kubeconfig_for`].
    pub async fn kubectl_as(&self, namespace: &str, service_account: &str) -> Result<Kubectl> {
        let kubeconfig = self.kubeconfig_for(namespace, service_account).await?;
        Ok(self.kubectl.with_kubeconfig(kubeconfig))
    }

    /// A client with an administrator's rights. Make one in each test: it lives and dies with the
    /// test's runtime.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn admin_client(&self) -> Result<Client> {
        self.client_with(&self.kubeconfig).await
    }

    /// A client as whoever the kubeconfig stands for.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn client_with(&self, kubeconfig: &Path) -> Result<Client> {
        let read = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }

    /// Makes a namespace that no other test uses, and returns its name. With a controller manager
    /// its default ServiceAccount follows a moment later.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let metadata = ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let all = Api::<Namespace>::all(self.admin_client().await?);
        let made = all.create(&PostParams::default(), &namespace).await?;
        made.metadata.name.context("a namespace without a name")
    }

    /// A token of that ServiceAccount, as a pod's projected volume would hold it. The
    /// ServiceAccount is made if it is not there. No audience means the API server.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn token_for(&self, namespace: &str, service_account: &str, audiences: &[&str]) -> Result<String> {
        let accounts = Api::<ServiceAccount>::namespaced(self.admin_client().await?, namespace);
        if accounts.get_opt(service_account).await?.is_none() {
            let metadata = ObjectMeta { name: Some(service_account.to_owned()), ..ObjectMeta::default() };
            let account = ServiceAccount { metadata, ..ServiceAccount::default() };
            match accounts.create(&PostParams::default(), &account).await {
                Err(kube::Error::Api(refusal)) if refusal.code == 409 => (), // made meanwhile
                other => drop(other?),
            }
        }
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
                // Nobody renews it, and a soak takes hours.
                expiration_seconds: Some(24 * 3600),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let answer = accounts.create_token_request(service_account, &PostParams::default(), &request).await?;
        Ok(answer.status.context("a token request without a status")?.token)
    }

    /// A kubeconfig that is that ServiceAccount, with what RBAC grants it and nothing more. The
    /// ServiceAccount is made if it is not there.
    ///
    /// # Errors
    /// When the API server refuses, or the file cannot be written.
    pub async fn kubeconfig_for(&self, namespace: &str, service_account: &str) -> Result<PathBuf> {
        let access = serde_json::to_value(&self.access)?;
        self.write_kubeconfig(access, namespace, service_account).await
    }

    /// The same through a server in front of the API server, such as [`crate::api_proxy::ApiProxy`].
    ///
    /// # Errors
    /// When the API server refuses, or the file cannot be written.
    pub async fn kubeconfig_through(&self, server: &str, namespace: &str, service_account: &str) -> Result<PathBuf> {
        self.write_kubeconfig(json!({ "server": server }), namespace, service_account).await
    }

    async fn write_kubeconfig(
        &self,
        access: serde_json::Value,
        namespace: &str,
        service_account: &str,
    ) -> Result<PathBuf> {
        let token = self.token_for(namespace, service_account, &[]).await?;
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{namespace}-{service_account}-{number}.kubeconfig");
        self.folder.write(&name, kubeconfig(&access, namespace, &token))
    }

    /// Waits until a ServiceAccount that a controller makes is there.
    ///
    /// # Errors
    /// When it is not there after half a minute.
    pub async fn wait_for_service_account(&self, namespace: &str, name: &str) -> Result<()> {
        let accounts = Api::<ServiceAccount>::namespaced(self.admin_client().await?, namespace);
        let what = format!("ServiceAccount {namespace}/{name}");
        eventually(Duration::from_secs(30), what, async || {
            accounts.get(name).await?;
            Ok(())
        })
        .await
    }
}

/// A kubeconfig file's content: JSON, which is YAML.
pub(crate) fn kubeconfig(access: &serde_json::Value, namespace: &str, token: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": access}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
    })
    .to_string()
}
