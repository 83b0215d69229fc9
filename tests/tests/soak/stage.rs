//! Everything that a soak needs, set up and running: pods, operators, tenants, verifiers, load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::Installation;
use claviger_tests::ports::free_port;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::balancer::Balancer;
use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::load::keep_asking;
use crate::operators::Operators;
use crate::rings;
use crate::settings::{Chance, Settings};
use crate::verifiers::{Report, Verifiers};

/// See the module.
#[derive(Debug)]
pub(crate) struct Stage {
    // Dropped in this order: who depends on others goes first.
    load: Mutex<JoinSet<()>>,
    verifiers: Mutex<Option<Verifiers>>,
    pub(crate) balancer: Balancer,
    pub(crate) operators: Operators,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) figures: Figures,
    pub(crate) caller: reqwest::Client,
    pub(crate) begun: Instant,
    pub(crate) settings: Settings,
    pub(crate) installation: Installation,
}

impl Stage {
    /// Sets it up; the load has begun when this returns.
    pub(crate) async fn set(settings: Settings, pods: usize, operators: usize) -> Result<Arc<Self>> {
        let installation = Installation::start(0).await?;
        let fleet = Arc::new(Fleet::new(&installation).await?);
        let served = Arc::clone(&fleet);
        let ports = move || served.serving().iter().map(|pod| pod.public).collect();
        let balancer = Balancer::start(free_port()?, Arc::new(ports), Chance::new(settings.seed + 3)).await?;
        let operators = Operators::start(&installation, &balancer.url, operators).await?;
        for _ in 0..pods {
            fleet.add().await?;
        }
        installation.kubectl().apply(&rings::manifest(&settings)).await?;
        rings::wait_until_ready(&installation, &settings).await?;
        let stage = Arc::new(Self {
            load: Mutex::default(),
            verifiers: Mutex::new(Some(Verifiers::start(settings.copies).await?)),
            balancer,
            operators,
            fleet,
            figures: Figures::default(),
            caller: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?,
            begun: Instant::now(),
            settings,
            installation,
        });
        stage.start_load().await?;
        Ok(stage)
    }

    async fn start_load(self: &Arc<Self>) -> Result<()> {
        let Settings { tenants, rate, .. } = self.settings;
        let pause =
            Duration::from_secs(1).mul_f64(f64::from(u32::try_from(tenants)?) / f64::from(u32::try_from(rate)?));
        for tenant in 0..tenants {
            let (namespace, installation) = (rings::tenant(tenant), &self.installation);
            let secret = async |key| installation.secret_value(&namespace, "app-oidc", key).await;
            let credentials = [secret("client_id").await?, secret("client_secret").await?];
            self.load.lock().await.spawn(keep_asking(Arc::clone(self), tenant, credentials, pause));
        }
        Ok(())
    }

    /// Every verifier gets this token.
    pub(crate) async fn verify(&self, issuer: &str, token: &str, note: &str) {
        if let Some(verifiers) = &*self.verifiers.lock().await {
            verifiers.verify(issuer, token, note);
        }
    }

    /// What the verifiers have said so far.
    pub(crate) async fn reports(&self) -> Vec<Report> {
        self.verifiers.lock().await.as_ref().map(Verifiers::reports).unwrap_or_default()
    }

    /// Ends the load, and waits until every token was verified before it expired.
    pub(crate) async fn finish(&self) -> Result<Vec<Report>> {
        self.load.lock().await.shutdown().await;
        let verifiers = self.verifiers.lock().await.take().context("it is finished")?;
        let reports = verifiers.finish(Duration::from_secs(self.settings.token + 60)).await?;
        ensure!(!reports.is_empty(), "nobody verified anything");
        Ok(reports)
    }
}
