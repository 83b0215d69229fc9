//! What is shown of each ring: times as seconds of the epoch, so that a rule subtracts them from now.

use claviger_crds::names::ObjectName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A SigningKey: there are as many as the platform team declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RingLabels {
    namespace: String,
    name: String,
}

/// How one ring stands. Seconds of the epoch; 0 is "not".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RingTimes {
    /// Since when its key signs.
    pub(crate) active_since: i64,
    /// How long it is to sign, seconds; 0 if for ever.
    pub(crate) interval: i64,
    /// When something changes next.
    pub(crate) next_change: i64,
    /// Since when its rotation is blocked.
    pub(crate) blocked_since: i64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Rings {
    active_since: Family<RingLabels, Gauge>,
    interval: Family<RingLabels, Gauge>,
    next_change: Family<RingLabels, Gauge>,
    blocked_since: Family<RingLabels, Gauge>,
    pub(super) promotions: Counter,
    pub(super) revocations: Counter,
}

impl Rings {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "signing_key_active_since_timestamp_seconds",
            "Since when the Active key of a SigningKey signs",
            self.active_since.clone(),
        );
        registry.register(
            "signing_key_interval_seconds",
            "For how long a key of a SigningKey is to sign; 0 if nothing ends that by time",
            self.interval.clone(),
        );
        registry.register(
            "signing_key_next_change_timestamp_seconds",
            "When a key of a SigningKey changes next, at the earliest; 0 if nothing is planned",
            self.next_change.clone(),
        );
        registry.register(
            "signing_key_blocked_since_timestamp_seconds",
            "Since when the rotation of a SigningKey is blocked; 0 if it is not",
            self.blocked_since.clone(),
        );
        registry.register("signing_key_promotions", "Keys that took over", self.promotions.clone());
        registry.register("signing_key_revocations", "Keys that were revoked", self.revocations.clone());
    }

    pub(super) fn show(&self, ring: &ObjectName, times: RingTimes) {
        let labels = labels(ring);
        self.active_since.get_or_create(&labels).set(times.active_since);
        self.interval.get_or_create(&labels).set(times.interval);
        self.next_change.get_or_create(&labels).set(times.next_change);
        self.blocked_since.get_or_create(&labels).set(times.blocked_since);
    }

    pub(super) fn forget(&self, ring: &ObjectName) {
        let labels = labels(ring);
        self.active_since.remove(&labels);
        self.interval.remove(&labels);
        self.next_change.remove(&labels);
        self.blocked_since.remove(&labels);
    }

    pub(super) fn clear(&self) {
        self.active_since.clear();
        self.interval.clear();
        self.next_change.clear();
        self.blocked_since.clear();
    }
}

fn labels(ring: &ObjectName) -> RingLabels {
    RingLabels { namespace: ring.namespace.clone(), name: ring.name.clone() }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::super::Metrics;
    use super::*;

    fn shown(metrics: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, metrics).unwrap();
        text
    }

    #[test]
    fn a_ring_is_shown_while_it_is_there() {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let ring = ObjectName::new("identity", "acme");
        let times = RingTimes { active_since: 10, interval: 20, next_change: 30, blocked_since: 0 };
        metrics.ring(&ring, Some(times));
        let text = shown(&registry);
        for (name, value) in [
            ("active_since_timestamp_seconds", 10),
            ("interval_seconds", 20),
            ("next_change_timestamp_seconds", 30),
            ("blocked_since_timestamp_seconds", 0),
        ] {
            let line =
                format!("claviger_operator_signing_key_{name}{{namespace=\"identity\",name=\"acme\"}} {value}\n");
            assert!(text.contains(&line), "{line} in {text}");
        }
        metrics.ring(&ring, None);
        assert!(!shown(&registry).contains("acme"));
    }

    #[test]
    fn the_charts_alerts_ask_for_what_there_is() {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        metrics.ring(&ObjectName::new("identity", "acme"), Some(RingTimes::default()));
        let text = shown(&registry);
        let alerts = include_str!("../../../charts/claviger/files/alerts.yaml");
        let mut names = 0;
        for word in alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if word.starts_with("claviger_operator_") {
                names += 1;
                assert!(text.lines().any(|line| line.split(['{', ' ']).next() == Some(word)), "{word} in {text}");
            }
        }
        assert!(names >= 5, "{names}");
    }
}
