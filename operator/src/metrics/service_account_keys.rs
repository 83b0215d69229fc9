//! What is shown of the keys that sign the tokens of the cluster's ServiceAccounts: times as seconds of the
//! epoch, so that a rule subtracts them from now.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceAccountKeys {
    issuer: Family<IssuerLabels, Gauge>,
    read: Gauge,
    since: Gauge,
    pub(super) failures: Counter,
}

impl ServiceAccountKeys {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "service_account_issuer_info",
            "Who issues the tokens of the cluster's ServiceAccounts; always 1",
            self.issuer.clone(),
        );
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

    pub(super) fn show(&self, issuer: &str, read: Timestamp, since: Option<Timestamp>) {
        self.issuer.clear();
        self.issuer.get_or_create(&IssuerLabels { issuer: issuer.to_owned() }).set(1);
        self.read.set(read.as_second());
        self.since.set(since.map_or(0, Timestamp::as_second));
    }

    pub(super) fn clear(&self) {
        self.issuer.clear();
        self.read.set(0);
        self.since.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(keys: &ServiceAccountKeys) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        keys.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn who_issues_and_since_when_is_told_until_the_term_ends() {
        let keys = ServiceAccountKeys::default();
        let nothing = "service_account_keys_read_timestamp_seconds 0\nservice_account_keys_since_timestamp_seconds 0\n\
                       service_account_keys_failures_total 0\n";
        assert_eq!(shown(&keys), nothing);
        let at = |second| Timestamp::from_second(second).unwrap();
        keys.show("https://old.example", at(10), None);
        keys.show("https://new.example", at(20), Some(at(15)));
        assert_eq!(
            shown(&keys),
            "service_account_issuer_info{issuer=\"https://new.example\"} 1\n\
             service_account_keys_read_timestamp_seconds 20\nservice_account_keys_since_timestamp_seconds 15\n\
             service_account_keys_failures_total 0\n"
        );
        keys.clear();
        assert_eq!(shown(&keys), nothing);
    }
}
