//! The example applications, as their READMEs say, at `claviger dev` on their YAML.

use std::time::Duration;

use anyhow::Result;
use claviger_tests::browser::example;
use claviger_tests::dev::Dev;
use claviger_tests::ports::free_port;

use crate::{manifests, suite};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_example_applications_work_together() -> Result<()> {
    claviger_tests::browser::installed().await?;
    let [shop, dashboard, orders] = [free_port()?, free_port()?, free_port()?].map(|port| format!("127.0.0.1:{port}"));
    let folder = manifests::copy(
        "examples/applications",
        &[
            ("127.0.0.1:8081", &shop),
            ("127.0.0.1:8082", &dashboard),
            // So short that a test can wait for a new one.
            ("displayName: Orders Dashboard", "displayName: Orders Dashboard\n  lifetimes: {accessToken: 5s}"),
        ],
    )?;
    let dev = Dev::start(folder.path(), &[]).await?;
    let issuer = dev.issuer("acme");
    let [shop_url, dashboard_url, orders_url] =
        [format!("http://{shop}"), format!("http://{dashboard}"), format!("http://{orders}/orders")];
    let web = example("web-application")
        .env("LISTEN", &shop)
        .env("ISSUER", &issuer)
        .env("CLIENT_SECRET", dev.secret("shop", "shop-oidc", "client_secret")?)
        .start()?;
    let page = example("single-page-application")
        .env("LISTEN", &dashboard)
        .env("ISSUER", &issuer)
        .env("ORDERS", &orders_url)
        .start()?;
    let api = example("resource-server")
        .env("LISTEN", &orders)
        .env("ISSUER", &issuer)
        .env("ALLOWED_ORIGIN", &dashboard_url)
        .start()?;
    web.wait_for_http(LIMIT, &shop_url).await?;
    page.wait_for_http(LIMIT, &dashboard_url).await?;
    // It answers 401 until somebody brings a token.
    api.wait_for_line(LIMIT, "the orders API").await?;
    suite::run(
        "applications",
        &[
            ("CLAVIGER_URL", dev.url().into()),
            ("ISSUER", issuer.into()),
            ("SHOP_URL", shop_url.into()),
            ("DASHBOARD_URL", dashboard_url.into()),
            ("ORDERS_URL", orders_url.into()),
            ("ORDERS_SECRET", dev.secret("shop", "orders-oidc", "client_secret")?.into()),
        ],
    )
    .await
}
