//! A control plane to try things on by hand: `cargo run -p claviger-tests --bin control_plane`.
//! It prints its KUBECONFIG, and ends with Ctrl-C or its terminal.

use anyhow::Result;
use claviger_tests::control_plane::ControlPlane;

#[tokio::main]
async fn main() -> Result<()> {
    let plane = ControlPlane::start(&[]).await?;
    tokio::signal::ctrl_c().await?;
    drop(plane);
    Ok(())
}
