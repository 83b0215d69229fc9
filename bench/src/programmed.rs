//! From the request to create an object until a watch shows it as Programmed: what `kubectl apply`
//! and `kubectl wait` see, with an operator and two providers on the quick start. And what these
//! hold in memory before that.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use claviger_crds::oauth_client::OAuthClient;
use claviger_tests::installation::Installation;
use futures::StreamExt as _;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::json;

use crate::cpu;

/// How many objects are measured, one after the other.
const OBJECTS: usize = 100;

/// After so long nothing of the start is under way any more.
const AT_REST: Duration = Duration::from_secs(5);

/// What was measured.
pub(crate) struct Programmed {
    /// Sorted.
    pub(crate) times: Vec<Duration>,
    /// MiB of the operator with the quick start, at rest.
    pub(crate) operator: f64,
    /// MiB of a provider with the quick start, at rest.
    pub(crate) provider: f64,
}

/// Measures.
///
/// # Errors
/// When the installation does not start, or an object does not become Programmed.
pub(crate) async fn measure() -> Result<Programmed> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_direct_operator("bench").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    tokio::time::sleep(AT_REST).await;
    let provider = cpu::resident(installation.providers()[0].process().pid())?;
    let resident = cpu::resident(operator.pid())?;
    let api = Api::<OAuthClient>::namespaced(installation.cluster().admin_client().await?, "shop");
    let mut events = watcher(api.clone(), watcher::Config::default()).boxed();
    while !matches!(events.next().await.context("the watch ended")??, Event::InitDone) {}
    let mut times = Vec::with_capacity(OBJECTS);
    for number in 0..OBJECTS {
        let name = format!("measured-{number}");
        let client: OAuthClient = serde_json::from_value(json!({
            "apiVersion": "claviger.dev/v1alpha1",
            "kind": "OAuthClient",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {
                "tenantRef": {"name": "acme", "namespace": "identity"},
                "grantTypes": ["client_credentials"],
                "authentication": {"secret": {}},
            },
        }))?;
        let begun = Instant::now();
        api.create(&PostParams::default(), &client).await?;
        loop {
            let event = events.next().await.context("the watch ended")??;
            let Event::Apply(seen) = event else { continue };
            if seen.metadata.name.as_deref() == Some(&name) && is_programmed(&seen) {
                break;
            }
        }
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(Programmed { times, operator: resident, provider })
}

fn is_programmed(client: &OAuthClient) -> bool {
    let conditions = client.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|condition| condition.type_ == "Programmed" && condition.status == "True")
}
