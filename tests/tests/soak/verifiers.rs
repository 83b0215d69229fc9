//! Resource servers that others wrote, on PyJWT and on go-jose: see ../../verifier.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::repository::{located_by, root};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

/// So many failures are kept of each: one is enough, and thousands say no more.
const KEPT: usize = 10;

/// What one says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) language: &'static str,
    pub(crate) verified: u64,
    pub(crate) failed: u64,
    /// Verified when the token had expired by the clock: the machine was too slow.
    pub(crate) late: u64,
    pub(crate) fetched: u64,
    pub(crate) failures: Vec<Value>,
    done: bool,
}

/// One program.
#[derive(Debug)]
struct Verifier {
    tokens: mpsc::UnboundedSender<String>,
    report: Arc<Mutex<Report>>,
    program: Child,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Verifiers {
    all: Vec<Verifier>,
}

impl Verifiers {
    pub(crate) async fn start(copies: usize) -> Result<Self> {
        let mut python = Command::new(located_by("verifier", &[]).await?);
        python.arg(root().join("tests/verifier/keep_verifying.py"));
        let go = Command::new(located_by("verifier", &["go"]).await?);
        let all = [("Python", python), ("Go", go)].map(|(language, mut command)| {
            command.args(["--copies", &copies.to_string()]);
            Verifier::start(language, command)
        });
        Ok(Self { all: all.into_iter().collect::<Result<_>>()? })
    }

    /// Each verifies this token, now and before it expires.
    pub(crate) fn verify(&self, issuer: &str, token: &str, note: &str) {
        let line = json!({"issuer": issuer, "token": token, "note": note}).to_string() + "\n";
        for verifier in &self.all {
            // One that has ended shows in the count.
            let _ = verifier.tokens.send(line.clone());
        }
    }

    /// What each has said so far.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let report = |verifier: &Verifier| verifier.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.all.iter().map(report).collect()
    }

    /// Waits until every token that was given is verified for the last time.
    pub(crate) async fn finish(self, limit: Duration) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        for Verifier { tokens, report, mut program } in self.all {
            drop(tokens);
            let ended = tokio::time::timeout(limit, program.wait()).await;
            let ended = ended.context("a verifier did not end in time")??;
            // Its last line may still be on its way.
            claviger_tests::wait::eventually(Duration::from_secs(10), "its last word", async || {
                ensure!(report.lock().unwrap_or_else(PoisonError::into_inner).done, "{ended}");
                Ok(())
            })
            .await?;
            reports.push(report.lock().unwrap_or_else(PoisonError::into_inner).clone());
        }
        Ok(reports)
    }
}

impl Verifier {
    fn start(language: &'static str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut program = command.spawn().with_context(|| format!("the verifier in {language}"))?;
        let (tokens, lines) = mpsc::unbounded_channel();
        let report = Arc::new(Mutex::new(Report { language, ..Report::default() }));
        tokio::spawn(write(program.stdin.take().context("no pipe")?, lines));
        tokio::spawn(read(program.stdout.take().context("no pipe")?, Arc::clone(&report)));
        Ok(Self { tokens, report, program })
    }
}

async fn write(mut pipe: ChildStdin, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        if pipe.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(pipe: ChildStdout, report: Arc<Mutex<Report>>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| json!({"failure": line}));
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        if said["failure"].is_null() {
            report.count(&said);
        } else if report.failures.len() < KEPT {
            report.failures.push(said);
        }
    }
}

impl Report {
    fn count(&mut self, said: &Value) {
        let number = |name: &str| said[name].as_u64().unwrap_or_default();
        self.verified = number("verified");
        self.failed = number("failed");
        self.late = number("late");
        self.fetched = number("fetched");
        self.done = said["done"] == true;
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { language, verified, failed, late, fetched, .. } = self;
        write!(f, "{language}: {verified} verified, {failed} failed, {late} late, {fetched} JWK Sets")
    }
}
