//! The real `kubectl`, as people and pipelines use it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

const LIMIT: Duration = Duration::from_secs(120);

/// `kubectl` with one kubeconfig and, maybe, one namespace.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    namespace: Option<String>,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether the exit code was 0.
    pub success: bool,
    /// Standard output.
    pub output: String,
    /// Standard error: where a refusal says why.
    pub errors: String,
}

impl Kubectl {
    /// Uses this program with this kubeconfig.
    pub fn new(program: impl Into<PathBuf>, kubeconfig: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), kubeconfig: kubeconfig.into(), namespace: None }
    }

    /// The same, in a namespace of its own.
    #[must_use]
    pub fn in_namespace(&self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self.clone() }
    }

    /// The same, as whoever that kubeconfig stands for.
    #[must_use]
    pub fn with_kubeconfig(&self, kubeconfig: impl Into<PathBuf>) -> Self {
        Self { kubeconfig: kubeconfig.into(), ..self.clone() }
    }

    /// Runs a command that may fail, with `input` as its standard input.
    ///
    /// # Errors
    /// When the program cannot be run or takes longer than two minutes.
    pub async fn outcome<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Result<Outcome> {
        let folder = self.kubeconfig.parent().unwrap_or(Path::new("/"));
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            // Else it keeps what it discovered in the home folder, for the next cluster's confusion.
            .env("KUBECACHEDIR", folder.join("kubectl-cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(namespace) = &self.namespace {
            command.args(["--namespace", namespace]);
        }
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A command that reads no input may be gone already: no fault of its own.
            let _ = pipe.write_all(input.as_bytes()).await;
        }
        let ended = tokio::time::timeout(LIMIT, child.wait_with_output());
        let ended = ended.await.context("kubectl did not end in time")??;
        Ok(Outcome {
            success: ended.status.success(),
            output: String::from_utf8(ended.stdout)?,
            errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }

    /// Runs a command that has to succeed, and returns what it printed.
    ///
    /// # Errors
    /// When it fails: its standard error.
    pub async fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String> {
        self.fed(arguments, "").await
    }

    /// Runs a command that has to fail, and returns the reason that it gave.
    ///
    /// # Errors
    /// When it succeeds.
    pub async fn refused<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String> {
        expect_refusal(self.outcome(arguments, "").await?)
    }

    /// Runs `ARGUMENTS -o json`, and parses what it printed.
    ///
    /// # Errors
    /// When it fails: its standard error.
    pub async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let printed = self.run(&[arguments, &["-o", "json"]].concat()).await?;
        serde_json::from_str(&printed).context("kubectl printed no JSON")
    }

    /// `kubectl apply` of a manifest, which may be a stream of documents.
    ///
    /// # Errors
    /// When any of them is refused: the reason.
    pub async fn apply(&self, manifest: &str) -> Result<String> {
        self.fed(&["apply", "-f", "-"], manifest).await
    }

    /// `kubectl apply` of a manifest that has to be refused; returns the reason that a person reads.
    ///
    /// # Errors
    /// When it is accepted.
    pub async fn apply_refused(&self, manifest: &str) -> Result<String> {
        expect_refusal(self.outcome(&["apply", "-f", "-"], manifest).await?)
    }

    async fn fed<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Result<String> {
        let outcome = self.outcome(arguments, input).await?;
        let line: Vec<_> = arguments.iter().map(|a| a.as_ref().to_string_lossy()).collect();
        ensure!(outcome.success, "kubectl {}: {}", line.join(" "), outcome.errors);
        Ok(outcome.output)
    }
}

fn expect_refusal(outcome: Outcome) -> Result<String> {
    if outcome.success {
        bail!("kubectl should have been refused, but: {}", outcome.output);
    }
    Ok(outcome.errors)
}
