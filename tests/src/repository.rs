//! What the harness takes from the checkout and the environment: the only reader of both.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

/// The top of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// An environment variable that is set and not empty.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the harness has no command line: its settings are the test runner's environment"
)]
pub fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Runs `scripts/<name>`, which makes sure of something and prints where it is.
///
/// Its progress goes to our standard error, since a first run may take minutes.
///
/// # Errors
/// When the script fails, or prints no text.
pub async fn located_by(name: &str, arguments: &[&str]) -> Result<PathBuf> {
    let script = root().join("scripts").join(name);
    let output = tokio::process::Command::new(&script)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(output.status.success(), "scripts/{name} failed, see above");
    let printed = String::from_utf8(output.stdout)?;
    Ok(PathBuf::from(printed.trim_end()))
}
