//! From the Secret that the operator made to a token that a stranger accepts.

use anyhow::Result;
use claviger_tests::token_verifier::verify_token;

use crate::release::Release;
use crate::service::{API, Service};

#[tokio::test]
async fn a_service_gets_a_token_with_its_secret_and_a_resource_server_accepts_it() -> Result<()> {
    let release = Release::ready().await?;
    let service = Service::new(&release).await?;
    let token = service.token().await?;
    let claims = verify_token(&service.issuer, &token, Some(API)).await?;
    assert_eq!(claims["client_id"], "shop.reports");
    assert_eq!(claims["scope"], "orders:read");
    verify_token(&service.issuer, &token, Some("https://other.example")).await.unwrap_err();
    Ok(())
}
