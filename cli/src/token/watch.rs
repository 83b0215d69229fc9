//! `--watch`: a file that holds a token which is good, whenever one can be had.

use std::process::ExitCode;
use std::time::Duration;

use claviger_jose::random;
use claviger_provider::clock::{Clock as _, SystemClock};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::answer::Token;
use super::renewal::{left, nap, renew_after, retry_after};

/// The same failure is told again after so long.
const TOLD_AGAIN: Duration = Duration::from_secs(60);
/// What a token is taken to be good for where the server does not say it.
const UNSAID: Duration = Duration::from_secs(300);

/// Has `put` write a token that `fetch` gets, and the next one whenever it is time, until `shutdown`. What
/// others refuse or do not answer is tried again for ever: whoever starts this anew would only lose the old
/// token's time, and the pauses.
///
/// # Errors
/// When a token cannot be written.
pub(super) async fn keep(
    fetch: impl AsyncFn() -> anyhow::Result<Token>,
    put: impl Fn(&Token) -> anyhow::Result<()>,
    shutdown: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let forever = async {
        let mut held = None;
        loop {
            let (asked, token) = fetched(&fetch, held).await;
            put(&token)?;
            let lifetime = token.lifetime.unwrap_or(UNSAID);
            tracing::info!("a new token, good for {lifetime:?}");
            asked.wait(renew_after(lifetime, chance())).await;
            held = Some(Held { asked, lifetime });
        }
    };
    shutdown.run_until_cancelled(forever).await.unwrap_or(Ok(ExitCode::SUCCESS))
}

/// Tries until it works. Says when the token was asked for.
async fn fetched(fetch: &impl AsyncFn() -> anyhow::Result<Token>, held: Option<Held>) -> (Moment, Token) {
    let (mut failures, mut told) = (0_u32, None);
    loop {
        let asked = Moment::now();
        match fetch().await {
            Ok(token) => return (asked, token),
            Err(error) => {
                failures = failures.saturating_add(1);
                tell(&error, held, &mut told);
                sleep(retry_after(failures, chance())).await;
            }
        }
    }
}

/// What was told last, and when.
type Told = Option<(String, Instant)>;

/// One line when what is wrong, or how urgent it is, has changed, and now and then if it has not.
fn tell(error: &anyhow::Error, held: Option<Held>, told: &mut Told) {
    let state = match held.map(Held::good_for) {
        None => "there is no token yet",
        Some(None) => "not renewed, the old token has expired",
        Some(Some(_)) => "not renewed, the old token is still good",
    };
    let line = format!("{state}: {error:#}");
    let known = told.as_ref().is_some_and(|(last, when)| *last == line && when.elapsed() < TOLD_AGAIN);
    if !known {
        tracing::warn!("{line}");
        *told = Some((line, Instant::now()));
    }
}

/// The token that is in the file.
#[derive(Clone, Copy)]
struct Held {
    /// From before it was asked for: its time runs since it was made.
    asked: Moment,
    lifetime: Duration,
}

impl Held {
    /// For how long it is good, if it is.
    fn good_for(self) -> Option<Duration> {
        let (monotonic, wall) = self.asked.passed();
        left(self.lifetime, monotonic, wall)
    }
}

/// A moment by both clocks.
#[derive(Clone, Copy)]
struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemClock.now() }
    }

    /// How much time has passed since, by each.
    fn passed(self) -> (Duration, Duration) {
        let wall = Duration::try_from(SystemClock.now().duration_since(self.wall)).unwrap_or_default();
        (self.monotonic.elapsed(), wall)
    }

    /// Waits until so much has, by whichever clock is ahead.
    async fn wait(self, long: Duration) {
        loop {
            let (monotonic, wall) = self.passed();
            match nap(long, monotonic, wall) {
                Some(nap) => sleep(nap).await,
                None => return,
            }
        }
    }
}

fn chance() -> u8 {
    let [chance] = random::bytes();
    chance
}
