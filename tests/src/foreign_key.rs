//! Private keys as other programs make and write them: OpenSSL's PEM, PyJWT's JWK.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::repository::{located_by, root};

/// What `openssl` writes for these arguments and that input.
///
/// # Errors
/// When it fails: what it says.
pub async fn openssl(arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot run openssl")?;
    // Dropped at once, or openssl would wait for more.
    child.stdin.take().context("no input")?.write_all(input.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// A new private JWK of RSA.
///
/// # Errors
/// When it cannot be made.
pub async fn private_jwk() -> Result<Value> {
    let python = located_by("verifier", &[]).await?;
    let output = Command::new(python)
        .arg(root().join("tests/verifier/make_jwk.py"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
