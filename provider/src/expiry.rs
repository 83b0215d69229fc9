//! Deletes from the store what is over, in bounded batches, now and then.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::logout::backchannel;
use crate::provider::Provider;

/// Rows of each kind in one go: a statement must not hold others up.
const BATCH: u32 = 500;
/// Between two rounds that found little. Several pods do the same; what one has deleted costs the others
/// one look.
const EVERY: Duration = Duration::from_secs(60);

/// So long rows stay after their end: until then a pod whose clock is behind still takes what they guard
/// against, a code that was redeemed or an assertion that was used.
const BEHIND: Duration = Duration::from_secs(60);

/// Deletes until `shutdown`.
pub(crate) async fn expire(provider: Arc<Provider>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let over = provider.now().saturating_sub(BEHIND).unwrap_or(Timestamp::MIN);
        backchannel::give_up_late(&provider, over, BATCH).await;
        // The store says itself that it is away.
        let deleted = provider.store().delete_expired(over, BATCH).await.unwrap_or(0);
        let wait = if deleted >= u64::from(BATCH) { Duration::from_millis(100) } else { EVERY };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
