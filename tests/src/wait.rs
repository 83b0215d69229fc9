//! Waiting for what must become true, and watching that something stays true.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

const PAUSE: Duration = Duration::from_millis(50);

/// Calls `probe` until it succeeds, and returns what it found. Its error means "not yet, because".
///
/// A single probe may not hold the wait longer than `limit`.
///
/// # Errors
/// When `limit` is over: names `what` and the last reason.
pub async fn eventually<T>(
    limit: Duration,
    what: impl Display,
    mut probe: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + limit;
    let mut last = anyhow::anyhow!("no probe came to an end");
    loop {
        let left = end.saturating_duration_since(Instant::now());
        // A timeout of nothing still polls once: without this look a quick failure never ends.
        if left.is_zero() {
            return Err(last.context(format!("not within {limit:?}: {what}")));
        }
        match tokio::time::timeout(left, probe()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(reason)) => last = reason,
            Err(_) => continue,
        }
        tokio::time::sleep(PAUSE.min(left)).await;
    }
}

/// Calls `probe` again and again for the whole `span`: a promise that something never happens.
///
/// # Errors
/// The first failure of `probe`.
pub async fn steadily(span: Duration, what: impl Display, mut probe: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < span {
        probe().await.with_context(|| format!("no longer true after {:?}: {what}", start.elapsed()))?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_returns_what_the_first_successful_probe_found() -> Result<()> {
        let mut calls = 0;
        let found = eventually(Duration::from_secs(5), "third call", async || {
            calls += 1;
            anyhow::ensure!(calls == 3, "call {calls}");
            Ok(calls)
        })
        .await?;
        assert_eq!(found, 3);
        Ok(())
    }

    #[tokio::test]
    async fn a_wait_that_runs_out_names_what_and_the_last_reason() {
        let wait = eventually::<()>(Duration::from_millis(120), "a miracle", async || anyhow::bail!("still raining"));
        let error = format!("{:#}", wait.await.unwrap_err());
        assert!(error.contains("a miracle") && error.contains("still raining"), "{error}");
    }

    #[tokio::test]
    async fn a_probe_that_hangs_does_not_hold_the_wait() {
        let wait = eventually::<()>(Duration::from_millis(60), "an answer", async || std::future::pending().await);
        assert!(wait.await.is_err());
    }

    #[tokio::test]
    async fn a_promise_that_breaks_midway_is_an_error() {
        let mut calls = 0;
        let watch = steadily(Duration::from_secs(5), "calm", async || {
            calls += 1;
            anyhow::ensure!(calls < 3, "thunder");
            Ok(())
        });
        assert!(format!("{:#}", watch.await.unwrap_err()).contains("thunder"));
    }
}
