//! The operator may be lost at any time: serving does not need it, and the next one takes over.

use anyhow::Result;

use crate::release::Release;
use crate::service::Service;

#[tokio::test]
async fn a_deleted_operator_pod_is_replaced_by_one_that_leads() -> Result<()> {
    let release = Release::ready().await?;
    let service = Service::new(&release).await?;
    release.replace_a_pod("operator").await?;
    service.token().await?;
    release.change_and_wait("Reports, after the operator was lost").await?;
    release.all_ready().await?;
    service.token().await.map(drop)
}
