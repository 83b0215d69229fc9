//! What happens to an installation in its life, all of it at once and again and again.

use std::time::Duration;

use anyhow::Result;

use crate::figures::Blow;
use crate::rings;
use crate::settings::Chance;
use crate::stage::Stage;

/// Pods are killed, begun anew, cut off from the API server, and added. One always serves.
pub(crate) async fn at_the_pods(stage: &Stage) -> Result<()> {
    let mut chance = Chance::new(stage.settings.seed);
    for turn in 0_usize.. {
        pause(&mut chance, 2, 5).await;
        let pods = stage.fleet.serving();
        let Some(pod) = pods.get(chance.below(pods.len())) else { continue };
        match turn % 4 {
            0 => {
                stage.fleet.restart(pod).await?;
                stage.figures.struck(Blow::PodRestarted);
            }
            1 => {
                stage.installation.proxy().cut();
                // Every other time for longer than an interval: only that pod's acknowledgement keeps a key from
                // taking over that it does not show.
                let [least, most] = if turn % 8 == 1 { [16, 20] } else { [3, 8] };
                pause(&mut chance, least, most).await;
                stage.installation.proxy().restore();
                stage.figures.struck(Blow::WatchHeld);
            }
            2 => {
                stage.fleet.add().await?;
                stage.figures.struck(Blow::PodAdded);
            }
            _ => {
                stage.fleet.remove(pod).await?;
                stage.figures.struck(Blow::PodGone);
            }
        }
    }
    Ok(())
}

/// The operators and the API server, with calm between: without it nothing would ever rotate.
pub(crate) async fn at_the_control_plane(stage: &Stage) -> Result<()> {
    let mut chance = Chance::new(stage.settings.seed + 1);
    for turn in 0_usize.. {
        tokio::time::sleep(stage.settings.calm).await;
        match turn % 3 {
            0 => {
                stage.operators.steal_lease().await?;
                stage.figures.struck(Blow::LeaseStolen);
            }
            1 => {
                let outage = Duration::from_millis(500 + 500 * u64::try_from(chance.below(4))?);
                stage.installation.plane().restart_api_server(outage).await?;
                stage.figures.struck(Blow::ApiServerRestarted);
            }
            _ => {
                stage.operators.kill_leader().await?;
                stage.figures.struck(Blow::OperatorKilled);
            }
        }
    }
    Ok(())
}

/// The platform team changes its mind about which ring signs.
pub(crate) async fn at_the_tenants(stage: &Stage) -> Result<()> {
    let mut chance = Chance::new(stage.settings.seed + 2);
    loop {
        pause(&mut chance, 5, 10).await;
        let tenant = chance.below(stage.settings.tenants);
        rings::switch(&stage.installation, tenant, chance.below(stage.settings.rings)).await?;
        stage.figures.struck(Blow::SignerSwitched);
    }
}

async fn pause(chance: &mut Chance, least: usize, most: usize) {
    let tenths = 10 * least + chance.below(10 * (most - least));
    tokio::time::sleep(Duration::from_millis(100 * u64::try_from(tenths).unwrap_or(0))).await;
}
