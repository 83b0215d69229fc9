//! What is shown of the keys that sign the tokens of the cluster's ServiceAccounts: times as seconds of the
//! epoch, so that a rule subtracts them from now.

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceAccountKeys {
    read: Gauge,
    since: Gauge,
    pub(super) failures: Counter,
}

impl ServiceAccountKeys {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "service_account_keys_read_timestamp_seconds",
            "When the keys of the cluster's ServiceAccounts were last read from the API server; 0 if never",
            self.read.clone(),
        );
        registry.register(
            "service_account_keys_since_timestamp_seconds",
            "Since when the keys of the cluster's ServiceAccounts are those that they are; 0 if that is not known",
            self.since.clone(),
        );
        registry.register(
            "service_account_keys_failures",
            "Times that the keys of the cluster's ServiceAccounts could not be read",
            self.failures.clone(),
        );
    }

    pub(super) fn show(&self, read: Timestamp, since: Option<Timestamp>) {
        self.read.set(read.as_second());
        self.since.set(since.map_or(0, Timestamp::as_second));
    }

    pub(super) fn clear(&self) {
        self.read.set(0);
        self.since.set(0);
    }
}
