//! From the answer to `create` until the object is Programmed: what `kubectl apply` and `kubectl
//! wait` see, with two providers and an operator, while other clients are there.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use claviger_crds::oauth_client::OAuthClient;
use claviger_tests::installation::Installation;
use futures::StreamExt as _;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::json;

/// How many objects are measured, one after the other.
const OBJECTS: usize = 100;

/// What was measured.
pub(crate) struct Programmed {
    /// Sorted.
    pub(crate) times: Vec<Duration>,
    /// The operator's process.
    pub(crate) operator: u32,
    /// Keeps the operator running while its memory is looked at.
    pub(crate) _parts: (Installation, claviger_tests::process::Process),
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
        api.create(&PostParams::default(), &client).await?;
        let begun = Instant::now();
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
    Ok(Programmed { times, operator: operator.pid(), _parts: (installation, operator) })
}

fn is_programmed(client: &OAuthClient) -> bool {
    let conditions = client.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|condition| condition.type_ == "Programmed" && condition.status == "True")
}
