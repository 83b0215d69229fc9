//! The same pages over HTTPS, by the CA of `claviger dev --tls`.

use anyhow::{Result, ensure};
use claviger_tests::dev::Dev;
use claviger_tests::ports::free_port;

use crate::manifests;
use crate::suite::{self, Setting};

#[tokio::test]
async fn a_person_logs_in_over_https() -> Result<()> {
    let shop = format!("localhost:{}", free_port()?);
    let folder = manifests::copy("tests/browser/manifests", &[("localhost:8089", &shop)])?;
    let dev = Dev::start(folder.path(), &["--tls"]).await?;
    ensure!(dev.url().starts_with("https://"), "it serves {}", dev.url());
    let (state, ca) = (dev.state(), dev.ca());
    suite::run(
        "tls",
        &[
            ("CLAVIGER_URL", Setting::from(dev.url())),
            ("SHOP_URL", format!("http://{shop}").into()),
            ("STATE", state.as_path().into()),
            ("CA", ca.as_path().into()),
            // For node's own requests: it checks what Chromium is told to take.
            ("NODE_EXTRA_CA_CERTS", ca.as_path().into()),
        ],
    )
    .await
}
