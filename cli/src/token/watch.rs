//! `--watch`: a file that always holds a token which is good.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use claviger_jose::random;
use claviger_provider::clock::{Clock as _, SystemClock};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::answer::Token;
use super::renewal::{nap, renew_after, retry_after};

/// Has `renew` put a token into its place, and the next one whenever it is time, until `shutdown`.
///
/// # Errors
/// When the first one fails, for nobody can begin without it; or when one has expired and there is no
/// other. Whoever started this sees it, and starts it again.
pub(super) async fn keep(
    renew: impl AsyncFn() -> anyhow::Result<Token>,
    shutdown: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let forever = async {
        let mut asked = Instant::now();
        let mut token = renew().await?;
        loop {
            let lifetime = token.lifetime.context("the server does not say expires_in, so --watch cannot renew")?;
            // From before it was asked for: its time runs since it was made.
            let end = asked + lifetime;
            tracing::info!("a new token, good for {lifetime:?}");
            wait(renew_after(lifetime, chance()).saturating_sub(asked.elapsed())).await;
            (asked, token) = renew_before(end, &renew).await?;
        }
    };
    shutdown.run_until_cancelled(forever).await.unwrap_or(Ok(ExitCode::SUCCESS))
}

/// Tries until it works, as long as the old token is good: until `end`.
async fn renew_before(
    end: Instant,
    renew: &impl AsyncFn() -> anyhow::Result<Token>,
) -> anyhow::Result<(Instant, Token)> {
    let mut failures = 0_u32;
    loop {
        let asked = Instant::now();
        match renew().await {
            Ok(token) => return Ok((asked, token)),
            Err(error) if Instant::now() >= end => return Err(error.context("the token has expired")),
            Err(error) => {
                failures = failures.saturating_add(1);
                let left = end.saturating_duration_since(Instant::now());
                tracing::warn!("not renewed, the old token is good for {left:.0?}: {error:#}");
                // Once more at the end.
                sleep(retry_after(failures, chance()).min(left)).await;
            }
        }
    }
}

/// Waits for so long, by whichever clock is ahead.
async fn wait(long: Duration) {
    let (began, wall) = (Instant::now(), SystemClock.now());
    let by_wall = || Duration::try_from(SystemClock.now().duration_since(wall)).unwrap_or_default();
    while let Some(nap) = nap(long, began.elapsed(), by_wall()) {
        sleep(nap).await;
    }
}

fn chance() -> u8 {
    let [chance] = random::bytes();
    chance
}
