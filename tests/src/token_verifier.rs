//! A token verifier that others wrote: PyJWT, which shares no code with us.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::repository::{located_by, root};

/// Verifies a JWT as a resource server would that knows the issuer's URL and nothing else: keys by
/// discovery, then signature, `iss`, `exp`, `nbf` and, when given, `aud`. Returns its claims.
///
/// # Errors
/// When the token is not valid, or discovery fails: what the verifier says.
pub async fn verify_token(issuer: &str, token: &str, audience: Option<&str>) -> Result<Value> {
    let python = located_by("verifier", &[]).await?;
    let mut command = tokio::process::Command::new(python);
    command
        .arg(root().join("tests/verifier/verify_token.py"))
        .args([issuer, token])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(audience) = audience {
        command.args(["--audience", audience]);
    }
    let output = command.output().await.context("cannot run the verifier")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the verifier refuses the token: {errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}
