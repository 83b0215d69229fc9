//! The API server may be away or hang: who serves goes on, and who leads stops leading.

use std::time::Duration;

use anyhow::{Result, ensure};
use claviger_tests::installation::Installation;

#[tokio::test]
async fn tokens_are_issued_while_the_api_server_hangs_and_while_it_is_away() -> Result<()> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_direct_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.wait_until_all_ready().await?;
    let id = installation.secret_value("shop", "reports-oidc", "client_id").await?;
    let secret = installation.secret_value("shop", "reports-oidc", "client_secret").await?;
    let issue = async || {
        for provider in installation.providers() {
            provider.token(claviger_tests::installation::ACME, &id, &secret).await?;
            provider.wait_until_ready().await?;
        }
        anyhow::Ok(())
    };
    installation.plane().pause_api_server().await?;
    issue().await?;
    installation.plane().resume_api_server().await?;
    installation.plane().restart_api_server(Duration::from_secs(2)).await?;
    issue().await?;
    // Whether the operator outlived that or ended, as it would to be started again: afterwards a
    // change is live.
    let _successor = installation.start_direct_operator("two").await?;
    let kubectl = installation.kubectl().in_namespace("shop");
    kubectl
        .run(&["patch", "oauthclient", "reports", "--type=merge", "-p", r#"{"spec":{"displayName":"After"}}"#])
        .await?;
    installation.wait_until_all_ready().await?;
    drop(operator);
    ensure!(installation.providers().iter().all(|provider| provider.process().exit_code().ok() == Some(None)));
    Ok(())
}
