//! Whether the store answers, as metrics tell it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::work::Access;

/// For so long a write that failed is held against a store in which others find nothing to write. The look for logouts
/// that are due is one, every few seconds, and succeeds on a disk that is full.
const DOUBT: Duration = Duration::from_secs(60);

/// What a store's calls say of it. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreHealth {
    available: Arc<Available>,
    failures: Counter,
}

/// Summed up when it is shown: of two calls that end at once, none leaves a stale sum.
#[derive(Debug, Default)]
struct Available {
    reads: AtomicBool,
    writes: AtomicBool,
    /// When a write last did.
    failed: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Shown(Arc<Available>);

impl StoreHealth {
    /// Shows it. Even without requests it is never old: what is due is looked for every few seconds.
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Whether the store answered when it was last read, and when it was last written to: 1, or 0";
        registry.register("store_available", help, Shown(Arc::clone(&self.available)));
        registry.register("store_failures", "Calls that the store did not answer", self.failures.clone());
    }

    /// It was found, and brought to the schema.
    pub(super) fn found(&self) {
        self.available.reads.store(true, Ordering::Relaxed);
        self.available.writes.store(true, Ordering::Relaxed);
    }

    /// It answered, after it had written so many rows.
    pub(super) fn answered(&self, access: Access, rows_written: u64) {
        match access {
            Access::Read => self.available.reads.store(true, Ordering::Relaxed),
            Access::Write if rows_written > 0 => self.available.writes.store(true, Ordering::Relaxed),
            Access::Write if !self.available.writes.load(Ordering::Relaxed) => self.available.doubt(Instant::now()),
            Access::Write => {}
        }
    }

    /// It did not.
    pub(super) fn failed(&self, access: Access) {
        match access {
            Access::Read => self.available.reads.store(false, Ordering::Relaxed),
            Access::Write => self.available.write_failed(Instant::now()),
        }
        self.failures.inc();
    }
}

impl Available {
    fn write_failed(&self, now: Instant) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.writes.store(false, Ordering::Relaxed);
    }

    /// Nothing was there to write.
    fn doubt(&self, now: Instant) {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none_or(|failed| now.saturating_duration_since(failed) >= DOUBT) {
            self.writes.store(true, Ordering::Relaxed);
        }
    }

    fn is_available(&self) -> bool {
        self.reads.load(Ordering::Relaxed) && self.writes.load(Ordering::Relaxed)
    }
}

impl EncodeMetric for Shown {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&i64::from(self.0.is_available()))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_only_read_is_not_available() {
        let health = StoreHealth::default();
        assert!(!health.available.is_available(), "it was not found yet");
        health.found();
        assert!(health.available.is_available());
        health.failed(Access::Write);
        health.answered(Access::Read, 0);
        health.answered(Access::Write, 0);
        assert!(!health.available.is_available(), "who found nothing to write proves nothing");
        health.answered(Access::Write, 1);
        assert!(health.available.is_available());
        health.failed(Access::Read);
        health.answered(Access::Write, 1);
        assert!(!health.available.is_available());
        health.answered(Access::Read, 0);
        assert!(health.available.is_available());
    }

    #[test]
    fn a_store_to_which_nobody_writes_any_more_is_doubted_for_a_minute() {
        let (health, start) = (StoreHealth::default(), Instant::now());
        health.found();
        health.available.write_failed(start);
        health.available.doubt(start + DOUBT / 2);
        assert!(!health.available.is_available());
        health.available.doubt(start + DOUBT);
        assert!(health.available.is_available());
    }
}
