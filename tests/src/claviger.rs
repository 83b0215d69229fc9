//! The `claviger` program under test.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::OnceCell;

use crate::process::Launch;
use crate::repository::{root, setting};

/// A launch of `claviger`, with `RUST_LOG` passed on: add its arguments.
///
/// # Errors
/// As [`program`].
pub async fn claviger() -> Result<Launch> {
    let launch = Launch::new("claviger", program().await?);
    Ok(match setting("RUST_LOG") {
        Some(filter) => launch.env("RUST_LOG", filter),
        None => launch,
    })
}

/// Where the program is: what `CLAVIGER_BIN` names, else the debug build, brought up to date once
/// a run, so that nobody tests yesterday's.
///
/// # Errors
/// When it does not build, or is not there.
pub async fn program() -> Result<PathBuf> {
    static PROGRAM: OnceCell<Result<PathBuf, String>> = OnceCell::const_new();
    let found = PROGRAM.get_or_init(async || locate().await.map_err(|reason| format!("{reason:#}"))).await;
    found.clone().map_err(anyhow::Error::msg)
}

async fn locate() -> Result<PathBuf> {
    if let Some(named) = setting("CLAVIGER_BIN") {
        let named = PathBuf::from(named);
        ensure!(named.is_file(), "CLAVIGER_BIN={} is no file", named.display());
        return Ok(named);
    }
    // The whole workspace, so that dependencies keep the features they have in every other build.
    let built = tokio::process::Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", "claviger"])
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .await
        .context("cannot run cargo; CLAVIGER_BIN may name a built claviger")?;
    ensure!(built.success(), "claviger does not build");
    // This test binary is target/<profile>/deps/<name>.
    let here = std::env::current_exe()?;
    let debug = here.ancestors().nth(3).map(|target| target.join("debug/claviger"));
    let debug = debug.filter(|path| path.is_file());
    debug.context("the built claviger is not where it is expected")
}
