//! A provider is nothing that one would have to take care of.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;

use crate::release::Release;
use crate::service::Service;

/// So many requests are under way at a time.
const CALLERS: usize = 4;

#[tokio::test]
async fn a_deleted_provider_pod_is_replaced_and_no_request_is_lost() -> Result<()> {
    let release = Release::ready().await?;
    let service = Service::new(&release).await?;
    let (over, answered) = (Cell::new(false), Cell::new(0));
    let caller = async || {
        while !over.get() {
            service.token().await.with_context(|| format!("after {} requests", answered.get()))?;
            answered.set(answered.get() + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    let disturbance = async {
        release.replace_a_pod("provider").await?;
        // The new pod has to take part, or nothing would become Ready.
        release.change_and_wait("Reports, after a provider was lost").await?;
        over.set(true);
        anyhow::Ok(())
    };
    tokio::try_join!(disturbance, try_join_all((0..CALLERS).map(|_| caller())))?;
    assert!(answered.get() > 50, "only {} requests", answered.get());
    Ok(())
}
