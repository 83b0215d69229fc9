//! Every page that a person can meet at the provider.

use anyhow::{Result, ensure};
use claviger_tests::dev::Dev;
use claviger_tests::ports::free_port;

use crate::manifests;
use crate::suite::{self, Setting};

#[tokio::test]
async fn a_person_finds_the_way_through_every_page() -> Result<()> {
    let shop = format!("localhost:{}", free_port()?);
    let folder = manifests::copy("tests/browser/manifests", &[("localhost:8089", &shop)])?;
    let dev = Dev::start(folder.path(), &[]).await?;
    let state = dev.state();
    suite::run(
        "pages",
        &[
            ("CLAVIGER_URL", Setting::from(dev.url())),
            ("SHOP_URL", format!("http://{shop}").into()),
            ("MANIFESTS", folder.path().into()),
            ("STATE", state.as_path().into()),
        ],
    )
    .await?;
    let log = dev.process().log();
    ensure!(!log.contains("panicked"), "claviger dev panicked:\n{log}");
    for (what, text) in [("the log", log), ("the audit stream", dev.audit()?)] {
        ensure!(!text.contains("demo-only-change-me"), "a password is in {what}");
    }
    Ok(())
}
