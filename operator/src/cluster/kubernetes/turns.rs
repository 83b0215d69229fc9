//! Calls wait for their turn where the rate is used up.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::cluster::rate::Bucket;
use crate::metrics::Metrics;
use crate::settings::Rate;

/// One rate for all calls. As many calls wait as there are workers, so no wait is long.
#[derive(Clone)]
pub(crate) struct Turns {
    bucket: Arc<Mutex<Bucket>>,
    began: Instant,
    metrics: Metrics,
}

impl Turns {
    /// At most as `rate` says; `metrics` count those that waited.
    pub(crate) fn new(rate: Rate, metrics: Metrics) -> Self {
        Self { bucket: Arc::new(Mutex::new(Bucket::full(rate))), began: Instant::now(), metrics }
    }

    /// Returns when it is the caller's turn.
    pub(crate) async fn wait(&self) {
        let wait = self.bucket.lock().unwrap_or_else(PoisonError::into_inner).reserve(self.began.elapsed());
        if !wait.is_zero() {
            self.metrics.call_delayed();
            tokio::time::sleep(wait).await;
        }
    }
}
