//! The asynchronous runtime, and the signals that end it.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How long a thread for blocking work waits for more of it. Such a thread has hashed passwords, at
/// 19 MiB each, and the allocator gives back what was freed a second ago when a thread ends. So this
/// is longer than that second, and short, for a process at rest should hold no work memory.
const IDLE: Duration = Duration::from_secs(2);
/// What the audit stream has after a second signal to write its last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

/// A runtime with `threads` workers, or one a core.
pub(crate) fn runtime(threads: Option<usize>) -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.thread_keep_alive(IDLE);
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("cannot start the runtime")
}

/// Runs `work` on a runtime with `threads` workers. SIGTERM or SIGINT cancels the token that it is given. A
/// second signal ends it where it stands, for whoever sends it does not want to wait.
pub(crate) fn run_until_signal<F>(
    threads: Option<usize>,
    work: impl FnOnce(CancellationToken) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<ExitCode>>,
{
    let runtime = runtime(threads)?;
    let hurried = runtime.block_on(async {
        let (shutdown, hurry) = signals()?;
        tokio::select! {
            ended = work(shutdown) => ended.map(Err),
            Ok(code) = hurry => Ok(Ok(code)),
        }
    });
    match hurried? {
        Ok(code) => {
            // What is still computed, a hash or a key, is not waited for.
            runtime.shutdown_background();
            Ok(ExitCode::from(code))
        }
        Err(ended) => Ok(ended),
    }
}

/// What the first signal cancels, and the exit code that the second one asks for.
fn signals() -> anyhow::Result<(CancellationToken, oneshot::Receiver<u8>)> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let token = CancellationToken::new();
    let (shutdown, (hurry, hurried)) = (token.clone(), oneshot::channel());
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => 143,
                _ = interrupt.recv() => 130,
            }
        };
        next().await;
        shutdown.cancel();
        let code = next().await;
        end_soon(code);
        // Nobody waits for it where the work has ended.
        let _ended = hurry.send(code);
    });
    Ok((token, hurried))
}

/// Ends the process also if what stands in the way is the reader of its last lines.
fn end_soon(code: u8) {
    thread::spawn(move || {
        thread::sleep(LAST_LINES);
        std::process::exit(code.into());
    });
}
