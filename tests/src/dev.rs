//! `claviger dev` beside the test: a folder of YAML served on a free port, with a state folder that
//! is gone when the test is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::claviger::claviger;
use crate::ports::free_port;
use crate::process::Process;
use crate::repository::root;
use crate::temp::TempDir;

/// Generous: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);

/// A running `claviger dev`. Dropping it kills it and removes its state.
#[derive(Debug)]
pub struct Dev {
    // Before the folder, so that the process has ended when the folder goes.
    process: Process,
    url: String,
    state: TempDir,
}

impl Dev {
    /// Serves `folder`, with more `arguments` (`--tls`, say), and waits until every object of it is
    /// judged and the tokens and logins that it prints would work.
    ///
    /// # Errors
    /// When the program does not build, start, or serve the folder in time: what it printed is told.
    pub async fn start(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let state = TempDir::new("dev")?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        let process = claviger()
            .await?
            .arg("dev")
            .arg(folder)
            .args(["--listen", &listen, "--state"])
            .arg(state.path().join("state"))
            .args(arguments.iter().map(OsString::from))
            .start()?;
        process.wait_for_line(LIMIT, "Following changes").await?;
        let line = process.wait_for_line(LIMIT, "claviger dev serves ").await?;
        let url = line.rsplit(' ').next().context("it says where it serves")?.to_owned();
        Ok(Self { process, url, state })
    }

    /// Serves a folder of `examples/`.
    ///
    /// # Errors
    /// As [`Dev::start`].
    pub async fn example(name: &str) -> Result<Self> {
        Self::start(&root().join("examples").join(name), &[]).await
    }

    /// The address that it listens on, as a URL without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The issuer of a tenant, by its slug.
    #[must_use]
    pub fn issuer(&self, tenant: &str) -> String {
        format!("{}/api/v1/auth/tenants/{tenant}", self.url)
    }

    /// The CA to trust, with `--tls`.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.state().join("ca.pem")
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.state.path().join("state")
    }

    /// A value of a Secret that was generated: a client's `client_secret`, say.
    ///
    /// # Errors
    /// When there is no such Secret, or no such key in it.
    pub fn secret(&self, namespace: &str, name: &str, key: &str) -> Result<String> {
        let path = self.state().join(format!("secrets/{namespace}/{name}.yaml"));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let secret: Value = serde_saphyr::from_str(&text)?;
        let value = secret["stringData"][key].as_str().with_context(|| format!("{name} has no {key}"))?;
        Ok(value.to_owned())
    }

    /// The audit stream so far, one JSON object a line.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn audit(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.state().join("audit.log"))?)
    }

    /// The program itself: its log, its end.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}
