//! Runs a suite of `tests/browser/` with node.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::browser;

/// The value of an environment variable.
pub(crate) type Setting = OsString;

/// Runs every file of the folder `suite`, or those whose names contain what `BROWSER_ONLY` says.
///
/// # Errors
/// When one of them fails: what the test runner printed is told.
pub(crate) async fn run(suite: &str, settings: &[(&str, Setting)]) -> Result<()> {
    let folder = browser::installed().await?;
    let mut command = tokio::process::Command::new("node");
    command
        .args(["--test-reporter=spec", "main.mjs", suite])
        .args(browser::only())
        .current_dir(folder)
        .envs(settings.iter().map(|(name, value)| (*name, value)))
        .env("SCREENSHOTS", screenshots())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.context("cannot run node")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{suite} failed:\n{printed}{errors}");
    Ok(())
}

/// Outside the tree: `tmp/screenshots` of the target folder.
fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots")
}
