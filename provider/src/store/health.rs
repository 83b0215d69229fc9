//! Whether the store answers, as metrics tell it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What a store's calls say of it. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreHealth {
    available: Gauge,
    failures: Counter,
}

impl StoreHealth {
    /// Shows it. Even without requests it is never old: what is due is looked for every few seconds.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "store_available",
            "Whether the store answered when it was last asked: 1, or 0",
            self.available.clone(),
        );
        registry.register("store_failures", "Calls that the store did not answer", self.failures.clone());
    }

    /// It answered.
    pub(super) fn answered(&self) {
        self.available.set(1);
    }

    /// It did not.
    pub(super) fn failed(&self) {
        self.available.set(0);
        self.failures.inc();
    }
}
