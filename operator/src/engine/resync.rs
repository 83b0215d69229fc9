//! Everything is looked over again from time to time, for what nothing woke: a wake-up that was lost
//! must not be lost for good. It writes nothing where nothing is wrong.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::context::State;

/// One round takes this long, or longer, the more there is.
const ROUND: Duration = Duration::from_secs(300);
/// So long each object's turn is at least: many of them read their Secrets without a cache.
const TURN: Duration = Duration::from_millis(20);

impl Engine {
    pub(super) async fn resync_until(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let now = self.context.now().monotonic;
            let round = self.context.with(|state| look_over(state, now));
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(round) => {}
            }
        }
    }
}

/// Gives everything its turn within one round, so that it neither comes all at once nor delays what
/// changed. Returns how long the round takes.
fn look_over(state: &mut State, now: Duration) -> Duration {
    let works = state.index.everything();
    let count = u32::try_from(works.len()).unwrap_or(u32::MAX);
    let round = ROUND.max(TURN.saturating_mul(count));
    for (turn, work) in (1..).zip(works) {
        state.want_at(work, now.saturating_add(round / count * turn));
    }
    round
}
