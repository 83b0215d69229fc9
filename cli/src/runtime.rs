//! The asynchronous runtime, and the signals that end it.

use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a thread for blocking work waits for more of it. Such a thread has hashed passwords, at
/// 19 MiB each, and the allocator gives back what was freed a second ago when a thread ends. So this
/// is longer than that second, and short, for a process at rest should hold no work memory.
const IDLE: Duration = Duration::from_secs(2);

/// A runtime with `threads` workers, or one a core.
pub(crate) fn runtime(threads: Option<usize>) -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.thread_keep_alive(IDLE);
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("cannot start the runtime")
}

/// A token that SIGTERM or SIGINT cancels. A second signal ends the process at once, for whoever
/// sends it does not want to wait.
pub(crate) fn shutdown_on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            let code = tokio::select! {
                _ = terminate.recv() => 143,
                _ = interrupt.recv() => 130,
            };
            if first {
                shutdown.cancel();
            } else {
                std::process::exit(code);
            }
        }
    });
    Ok(token)
}
