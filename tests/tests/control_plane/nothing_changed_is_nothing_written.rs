//! A reconcile that changes nothing writes nothing, and a no-op apply is a write.

use std::time::Duration;

use anyhow::{Result, ensure};
use claviger_tests::api_proxy::Category;
use claviger_tests::installation::Installation;
use claviger_tests::wait::steadily;

#[tokio::test]
async fn a_full_resync_and_a_change_of_leader_write_no_object() -> Result<()> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    ensure!(!installation.proxy().writes_of(Category::Object).is_empty(), "the proxy counts");

    // SIGTERM gives the lease back, so the next one leads at once and looks at everything.
    operator.terminate()?;
    ensure!(operator.wait_for_exit(Duration::from_secs(30)).await? == 0, "{}", operator.log());
    installation.proxy().restore();
    let operator = installation.start_operator("two").await?;
    installation.wait_until_leading(&operator).await?;
    // Longer than the pause after which Secrets that objects name are read again.
    steadily(Duration::from_secs(75), "nothing is written", async || {
        let writes = installation.proxy().writes_of(Category::Object);
        ensure!(writes.is_empty(), "{writes:?}");
        Ok(())
    })
    .await?;
    ensure!(!installation.proxy().writes_of(Category::Lease).is_empty(), "it leads");
    installation.wait_until_all_ready().await
}

#[tokio::test]
async fn what_gitops_applies_again_changes_nothing() -> Result<()> {
    let installation = Installation::start(1).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    installation.proxy().restore();
    installation.apply_quickstart().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let writes = installation.proxy().writes_of(Category::Object);
    ensure!(writes.is_empty(), "{writes:?}");
    Ok(())
}
