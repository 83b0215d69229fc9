//! Claviger as the chart installs it, on a control plane of its own and without pods: an operator
//! and providers as processes, each with the token of its own ServiceAccount, bound to exactly the
//! Roles of `charts/claviger`. Providers are named to the operator as a static list.

mod access;
mod objects;
mod tokens;

pub use self::access::{OPERATOR_ACCOUNT, PROVIDER_ACCOUNT};
pub use self::objects::KINDS;
pub use self::tokens::ACME;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::api_proxy::ApiProxy;
use crate::claviger::{claviger, program};
use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;
use crate::kubectl::Kubectl;
use crate::ports::free_port;
use crate::process::Process;

/// The operator's own namespace.
pub const OPERATOR: &str = "claviger-system";
/// Where it publishes.
pub const PUBLISHED: &str = "claviger-published";
/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An installation. Everything of it ends when it is dropped.
#[derive(Debug)]
pub struct Installation {
    // Dropped in this order: who depends on others goes first.
    providers: Vec<Provider>,
    proxy: ApiProxy,
    plane: ControlPlane,
}

/// One provider process.
#[derive(Debug)]
pub struct Provider {
    name: String,
    kubeconfig: PathBuf,
    public: u16,
    internal: u16,
    acknowledgements: u16,
    process: Process,
}

impl Installation {
    /// A control plane with the CRDs, the Roles and `providers` running providers; no operator yet.
    ///
    /// # Errors
    /// When any of it does not start.
    pub async fn start(providers: usize) -> Result<Self> {
        let plane = ControlPlane::start(&[]).await?;
        let proxy = ApiProxy::start(plane.cluster()).await?;
        let mut installation = Self { providers: Vec::new(), proxy, plane };
        let kubectl = installation.kubectl();
        kubectl.apply(&crds().await?).await?;
        kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
        kubectl.apply(&access::manifest()?).await?;
        for number in 0..providers {
            installation.add_provider(&format!("provider-{number}")).await?;
        }
        Ok(installation)
    }

    /// The control plane below.
    #[must_use]
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// How to reach the API server.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        self.plane.cluster()
    }

    /// `kubectl` as the platform team.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        self.cluster().kubectl()
    }

    /// What operators speak through: it counts their writes, and can cut them off.
    #[must_use]
    pub fn proxy(&self) -> &ApiProxy {
        &self.proxy
    }

    /// The providers, in the order in which they were started.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The root of every issuer: the first provider's address.
    #[must_use]
    pub fn external_url(&self) -> String {
        self.providers.first().map(Provider::url).unwrap_or_default()
    }

    /// Starts an operator that speaks through [`Installation::proxy`].
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_operator(&self, identity: &str) -> Result<Process> {
        let kubeconfig = self.cluster().kubeconfig_through(self.proxy.url(), OPERATOR, access::OPERATOR_ACCOUNT);
        self.launch_operator(identity, kubeconfig.await?).await
    }

    /// Starts an operator that speaks to the API server itself.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_direct_operator(&self, identity: &str) -> Result<Process> {
        let kubeconfig = self.cluster().kubeconfig_for(OPERATOR, access::OPERATOR_ACCOUNT).await?;
        self.launch_operator(identity, kubeconfig).await
    }

    /// What `operator` counts, in the text format of Prometheus.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn operator_metrics(&self, operator: &Process) -> Result<String> {
        let command = std::fs::read_to_string(format!("/proc/{}/cmdline", operator.pid()))?;
        let listens = command.split('\0').find_map(|word| word.strip_prefix("--internal-listen="));
        let url = format!("http://{}/metrics", listens.context("no --internal-listen")?);
        Ok(reqwest::get(url).await?.error_for_status()?.text().await?)
    }

    async fn launch_operator(&self, identity: &str, kubeconfig: PathBuf) -> Result<Process> {
        let providers = self.providers.iter().map(|provider| format!("127.0.0.1:{}", provider.acknowledgements));
        let providers: Vec<String> = providers.collect();
        claviger()
            .await?
            .args(["operator", "--identity", identity, "--external-url", &self.external_url()])
            .args(["--operator-namespace", OPERATOR, "--published-namespace", PUBLISHED])
            .args(["--provider", &providers.join(",")])
            .arg(format!("--internal-listen=127.0.0.1:{}", free_port()?))
            .env("KUBECONFIG", kubeconfig)
            .start()
    }

    /// Waits until that operator leads.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_until_leading(&self, operator: &Process) -> Result<()> {
        operator.wait_for_line(PATIENCE, "leading").await.map(drop)
    }

    async fn add_provider(&mut self, name: &str) -> Result<()> {
        let kubeconfig = self.cluster().kubeconfig_for(OPERATOR, access::PROVIDER_ACCOUNT).await?;
        let (public, internal, acknowledgements) = (free_port()?, free_port()?, free_port()?);
        let process = launch_provider(name, &kubeconfig, [public, internal, acknowledgements]).await?;
        let name = name.to_owned();
        self.providers.push(Provider { name, kubeconfig, public, internal, acknowledgements, process });
        Ok(())
    }

    /// Kills the provider at `index` and starts it again on the same addresses.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart_provider(&mut self, index: usize) -> Result<()> {
        let provider = self.providers.get_mut(index).context("no such provider")?;
        provider.process.kill().await?;
        let ports = [provider.public, provider.internal, provider.acknowledgements];
        provider.process = launch_provider(&provider.name, &provider.kubeconfig, ports).await?;
        provider.wait_until_ready().await
    }

    /// Gives the provider at `index` a new token for the API server, and restarts it.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn renew_provider(&mut self, index: usize) -> Result<()> {
        let kubeconfig = self.cluster().kubeconfig_for(OPERATOR, access::PROVIDER_ACCOUNT).await?;
        self.providers.get_mut(index).context("no such provider")?.kubeconfig = kubeconfig;
        self.restart_provider(index).await
    }
}

/// What `claviger crds` prints.
///
/// # Errors
/// When it fails.
pub async fn crds() -> Result<String> {
    let output = tokio::process::Command::new(program().await?).arg("crds").output().await?;
    ensure!(output.status.success(), "claviger crds: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

async fn launch_provider(name: &str, kubeconfig: &std::path::Path, ports: [u16; 3]) -> Result<Process> {
    let [public, internal, acknowledgements] = ports.map(|port| format!("127.0.0.1:{port}"));
    claviger()
        .await?
        .args(["provider", "--published-namespace", PUBLISHED, "--pod-name", name])
        .args(["--listen", &public, "--internal-listen", &internal, "--acknowledgement-listen", &acknowledgements])
        .env("KUBECONFIG", kubeconfig)
        .start()
}

impl Provider {
    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// `http://127.0.0.1:…` of the public endpoints.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.public)
    }

    /// Waits until it says that it may get requests.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_until_ready(&self) -> Result<()> {
        self.process.wait_for_http(PATIENCE, &format!("http://127.0.0.1:{}/readyz", self.internal)).await
    }

    /// What it counted.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.internal);
        Ok(tokens::caller()?.get(url).send().await?.error_for_status()?.text().await?)
    }
}
