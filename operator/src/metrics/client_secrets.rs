//! What is shown of clients' secrets: sums alone, for there are as many clients as anybody declares.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_crds::names::ObjectName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Where the rotation of a client's secret stands: of several the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// A secret that is due cannot follow yet, and the client's condition says why.
    Blocked,
    /// The next secret is published, and its Secret is to change.
    Rotating,
    /// Secrets from before are still accepted.
    Overlapping,
    /// Nothing is under way.
    Settled,
}

/// How the secret of one client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SecretStanding {
    pub(crate) rotation: Rotation,
    /// Since when a new secret is due, seconds of the epoch.
    pub(crate) due_since: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientSecrets {
    clients: Family<StateLabels, Gauge>,
    due_since: Gauge,
    pub(super) rotations: Counter,
    pub(super) revocations: Counter,
    known: Arc<Mutex<Known>>,
}

/// What the sums are of.
#[derive(Debug, Default)]
struct Known {
    clients: HashMap<ObjectName, SecretStanding>,
    due: BTreeSet<(i64, ObjectName)>,
}

impl Rotation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Rotating => "rotating",
            Self::Overlapping => "overlapping",
            Self::Settled => "settled",
        }
    }
}

impl ClientSecrets {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "client_secrets",
            "Clients that have a secret, by where its rotation stands",
            self.clients.clone(),
        );
        registry.register(
            "client_secret_rotation_due_since_timestamp_seconds",
            "Since when the new secret of a client is due, of all clients the longest; 0 if none is",
            self.due_since.clone(),
        );
        registry.register("client_secret_rotations", "Clients' secrets that were replaced", self.rotations.clone());
        registry.register("client_secret_revocations", "Clients' secrets that were revoked", self.revocations.clone());
    }

    /// How a client's secret stands; none where it has none.
    pub(super) fn show(&self, client: &ObjectName, standing: Option<SecretStanding>) {
        let mut known = self.known();
        let before = match standing {
            Some(standing) => known.clients.insert(client.clone(), standing),
            None => known.clients.remove(client),
        };
        if before == standing {
            return;
        }
        let sum = |standing: SecretStanding| self.clients.get_or_create_owned(&labels(standing.rotation));
        if let Some(before) = before {
            sum(before).dec();
            if let Some(since) = before.due_since {
                known.due.remove(&(since, client.clone()));
            }
        }
        if let Some(standing) = standing {
            sum(standing).inc();
            known.due.extend(standing.due_since.map(|since| (since, client.clone())));
        }
        self.due_since.set(known.due.first().map_or(0, |(since, _)| *since));
    }

    /// How many clients stand so, and since when the longest is due.
    #[cfg(test)]
    pub(super) fn shown(&self, rotation: Rotation) -> (i64, i64) {
        (self.clients.get_or_create(&labels(rotation)).get(), self.due_since.get())
    }

    pub(super) fn clear(&self) {
        *self.known() = Known::default();
        self.clients.clear();
        self.due_since.set(0);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing that could panic is done under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(rotation: Rotation) -> StateLabels {
    StateLabels { state: rotation.as_str() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(rotation: Rotation, due_since: Option<i64>) -> Option<SecretStanding> {
        Some(SecretStanding { rotation, due_since })
    }

    #[test]
    fn clients_are_summed_up_and_the_longest_wait_is_shown() {
        let secrets = ClientSecrets::default();
        let [shop, cart, desk] = ["shop", "cart", "desk"].map(|name| ObjectName::new("shop", name));
        let sum = |rotation| secrets.shown(rotation).0;
        secrets.show(&shop, standing(Rotation::Blocked, Some(100)));
        secrets.show(&cart, standing(Rotation::Rotating, Some(50)));
        secrets.show(&desk, standing(Rotation::Settled, None));
        secrets.show(&desk, standing(Rotation::Settled, None));
        assert_eq!((sum(Rotation::Blocked), sum(Rotation::Rotating), sum(Rotation::Settled)), (1, 1, 1));
        assert_eq!(secrets.due_since.get(), 50);
        secrets.show(&cart, standing(Rotation::Overlapping, None));
        assert_eq!((sum(Rotation::Rotating), sum(Rotation::Overlapping), secrets.due_since.get()), (0, 1, 100));
        secrets.show(&shop, None);
        assert_eq!((sum(Rotation::Blocked), secrets.due_since.get()), (0, 0));
        secrets.show(&shop, standing(Rotation::Blocked, Some(100)));
        secrets.clear();
        assert_eq!((sum(Rotation::Blocked), secrets.due_since.get()), (0, 0));
    }
}
