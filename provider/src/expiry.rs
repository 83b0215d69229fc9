//! Deletes from the store what is over, in bounded batches, now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::provider::Provider;

/// Rows of each kind in one go: a statement must not hold others up.
const BATCH: u32 = 500;
/// Between two rounds that found little. Several pods do the same; what one has deleted costs the others
/// one look.
const EVERY: Duration = Duration::from_secs(60);

/// Deletes until `shutdown`.
pub(crate) async fn expire(provider: Arc<Provider>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        // The store says itself that it is away.
        let deleted = provider.store().delete_expired(provider.now(), BATCH).await.unwrap_or(0);
        let wait = if deleted >= u64::from(BATCH) { Duration::from_millis(100) } else { EVERY };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
