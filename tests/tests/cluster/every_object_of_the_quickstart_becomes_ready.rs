//! The quick start, as the README has it: install the chart, apply the folder, wait.

use anyhow::Result;

use crate::release::Release;

#[tokio::test]
async fn an_installed_chart_makes_every_object_of_the_quickstart_ready() -> Result<()> {
    Release::ready().await.map(drop)
}
