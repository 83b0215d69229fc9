//! A real Kubernetes control plane without nodes: etcd, kube-apiserver, kube-controller-manager.
//!
//! [`shared`] is the one of the whole test binary: keep to namespaces of your own there, and leave
//! it alone otherwise, which is why it comes as a [`Cluster`] that can do nothing else. A test that
//! stops or pauses the API server, or needs a flag of its own, has its own [`ControlPlane`].

mod certificates;
mod components;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rcgen::KeyPair;
use serde_json::json;
use tokio::sync::{Mutex, OnceCell};

use self::certificates::{ACCOUNT_KEY, ACCOUNT_KEYS, Certificates};
use self::components::Settings;
use crate::cluster::{Cluster, kubeconfig};
use crate::ports::free_port;
use crate::process::Process;
use crate::repository::located_by;
use crate::temp::TempDir;

const STARTING: Duration = Duration::from_secs(90);

/// The test binary's control plane, started by the first test that asks for it.
///
/// # Errors
/// When it cannot be built or does not become ready; then every test that asks gets the reason.
pub async fn shared() -> Result<&'static Cluster> {
    static SHARED: OnceCell<Result<ControlPlane, String>> = OnceCell::const_new();
    let started = SHARED.get_or_init(async || ControlPlane::start(&[]).await.map_err(|e| format!("{e:#}"))).await;
    match started {
        Ok(plane) => Ok(plane.cluster()),
        Err(reason) => anyhow::bail!("no control plane: {reason}"),
    }
}

/// A control plane of one's own. Everything of it ends when it is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: who depends on others goes first.
    _controller_manager: Process,
    api_server: Mutex<Process>,
    _etcd: Process,
    settings: Settings,
    cluster: Cluster,
}

impl ControlPlane {
    /// Starts one. `api_server_flags` are added to those of kube-apiserver
    /// (`--authentication-config=FILE`). The programs are built if they are not there.
    ///
    /// # Errors
    /// When the programs cannot be built, or it is not ready after 90 seconds.
    pub async fn start(api_server_flags: &[&str]) -> Result<Self> {
        let programs = located_by("controlplane", &["core"]).await?;
        let first = Self::try_start(programs.clone(), api_server_flags).await;
        let Err(reason) = first else { return first };
        // Between our look for a free port and the server's bind somebody else may take it.
        progress(&format!("control plane: once more, since {reason:#}"));
        Self::try_start(programs, api_server_flags).await
    }

    async fn try_start(programs: PathBuf, api_server_flags: &[&str]) -> Result<Self> {
        let begun = Instant::now();
        let folder = Arc::new(TempDir::new("controlplane")?);
        let certificates = Certificates::write(&folder)?;
        let kubectl = programs.join("kubectl");
        let settings = Settings {
            programs,
            folder: folder.path().to_path_buf(),
            etcd: free_port()?,
            etcd_peer: free_port()?,
            api: free_port()?,
            api_server_flags: api_server_flags.iter().map(|&flag| flag.to_owned()).collect(),
        };
        let access = json!({
            "server": format!("https://127.0.0.1:{}", settings.api),
            "certificate-authority-data": certificates.authority_base64(),
        });
        let admin = kubeconfig(&access, "default", &certificates.admin_token);
        let admin = folder.write("admin.kubeconfig", admin)?;
        let etcd = settings.etcd().start()?;
        let api_server = settings.api_server().start()?;
        let cluster = Cluster::new(admin.clone(), kubectl, folder)?;
        wait_until_ready(&cluster, &api_server)
            .await
            .with_context(|| format!("etcd: {}", etcd.log().lines().last().unwrap_or("says nothing")))?;
        let controller_manager = settings.controller_manager(&admin).start()?;
        progress(&format!(
            "control plane: {} ready after {:.1} s; KUBECONFIG={}",
            cluster.server(),
            begun.elapsed().as_secs_f32(),
            admin.display()
        ));
        Ok(Self {
            _controller_manager: controller_manager,
            api_server: Mutex::new(api_server),
            _etcd: etcd,
            settings,
            cluster,
        })
    }

    /// How to reach it.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Kills the API server, leaves it away for `outage`, starts it again and waits for it.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart_api_server(&self, outage: Duration) -> Result<()> {
        let mut api_server = self.api_server.lock().await;
        api_server.kill().await?;
        tokio::time::sleep(outage).await;
        *api_server = self.settings.api_server().start()?;
        wait_until_ready(&self.cluster, &api_server).await
    }

    /// The key with which the API server signs the tokens of ServiceAccounts now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn account_key(&self) -> Result<KeyPair> {
        let pem = std::fs::read_to_string(self.settings.folder.join(ACCOUNT_KEY))?;
        Ok(KeyPair::from_pem(&pem)?)
    }

    /// Gives the API server a new key for the tokens of ServiceAccounts, and restarts it. It accepts tokens
    /// of the one before, too.
    ///
    /// # Errors
    /// When the API server does not come back.
    pub async fn rotate_account_key(&self) -> Result<()> {
        let (before, key) = (self.account_key()?, certificates::account_key()?);
        let public = key.public_key_pem() + &before.public_key_pem();
        std::fs::write(self.settings.folder.join(ACCOUNT_KEY), key.serialize_pem())?;
        std::fs::write(self.settings.folder.join(ACCOUNT_KEYS), public)?;
        self.restart_api_server(Duration::ZERO).await
    }

    /// Lets the API server accept tokens of the present key alone, and restarts it.
    ///
    /// # Errors
    /// When the API server does not come back.
    pub async fn drop_old_account_keys(&self) -> Result<()> {
        std::fs::write(self.settings.folder.join(ACCOUNT_KEYS), self.account_key()?.public_key_pem())?;
        self.restart_api_server(Duration::ZERO).await
    }

    /// Freezes the API server: connections stay open, and nothing answers.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn pause_api_server(&self) -> Result<()> {
        self.api_server.lock().await.pause()
    }

    /// Ends [`ControlPlane::pause_api_server`].
    ///
    /// # Errors
    /// When it does not run.
    pub async fn resume_api_server(&self) -> Result<()> {
        self.api_server.lock().await.resume()
    }
}

async fn wait_until_ready(cluster: &Cluster, api_server: &Process) -> Result<()> {
    let client = cluster.admin_client().await?;
    api_server
        .while_running(STARTING, "is ready", async || {
            let request = http::Request::get("/readyz").body(Vec::new())?;
            let answer = tokio::time::timeout(Duration::from_secs(2), client.request_text(request));
            answer.await.context("/readyz did not answer")??;
            Ok(())
        })
        .await
}

/// Past the test framework's capture, since somebody may be waiting.
fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
