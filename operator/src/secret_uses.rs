//! When clients' secrets were used last, as the pods tell it: what is known, and when a status says so.
//! Pure state.
//!
//! No request causes a write. A status that is written for another reason bears the newest uses; for
//! their sake alone it is written at most once in the hour.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use claviger_crds::oauth_client::{OAuthClientStatus, SecretStatus};
use claviger_crds::published::acknowledgement::Used;
use jiff::Timestamp;

use crate::report::whole_seconds;

/// A status is written for a use alone when this much later than the last that it shows, so that it
/// is written so often at most.
const APART: Duration = Duration::from_secs(3600);
/// So many secrets of one client are kept in mind: more than it can have. A pod that makes others up
/// is not to fill the memory.
const MOST: usize = 32;

/// By the client's document, and by fingerprint.
#[derive(Debug, Default)]
pub(crate) struct SecretUses(HashMap<String, BTreeMap<String, Timestamp>>);

impl SecretUses {
    /// A pod says that a secret was used; not later than now, whatever its clock says.
    pub(crate) fn used(&mut self, used: Used, now: Timestamp) {
        let client = self.0.entry(used.name).or_default();
        if client.len() >= MOST && !client.contains_key(&used.fingerprint) {
            return;
        }
        let at = used.at.min(now);
        let last = client.entry(used.fingerprint).or_insert(at);
        *last = at.max(*last);
    }

    /// The client's document is gone.
    pub(crate) fn forget(&mut self, document: &str) {
        self.0.remove(document);
    }

    /// Whether `status` is to be written for the sake of uses alone.
    pub(crate) fn is_due(&self, document: &str, status: &OAuthClientStatus) -> bool {
        let known = |(fingerprint, _): &(&String, &Timestamp)| status.secrets.iter().any(|one| is(one, fingerprint));
        let newest = self.0.get(document).into_iter().flatten().filter(known).map(|(_, at)| *at).max();
        let shown = status.secrets.iter().filter_map(|secret| secret.last_used_at.as_ref()).map(|at| at.0).max();
        match (newest, shown) {
            (Some(newest), Some(shown)) => shown.checked_add(APART).is_ok_and(|due| newest >= due),
            (newest, _) => newest.is_some(),
        }
    }

    /// The status to be written: `status` with the newest uses, unless it is what it was `before` and
    /// no use is worth a write.
    pub(crate) fn shown(
        &mut self,
        document: &str,
        mut status: OAuthClientStatus,
        before: &OAuthClientStatus,
    ) -> OAuthClientStatus {
        if status == *before && !self.is_due(document, before) {
            return status;
        }
        let Some(client) = self.0.get_mut(document) else {
            return status;
        };
        client.retain(|fingerprint, _| status.secrets.iter().any(|secret| is(secret, fingerprint)));
        for secret in &mut status.secrets {
            let last = client.iter().find(|(fingerprint, _)| is(secret, fingerprint)).map(|(_, at)| whole_seconds(*at));
            secret.last_used_at = secret.last_used_at.take().max(last);
        }
        status
    }
}

fn is(secret: &SecretStatus, fingerprint: &str) -> bool {
    secret.fingerprint.as_deref() == Some(fingerprint)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    const DOCUMENT: &str = "client-shop";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn status(secrets: &[(&str, Option<i64>)]) -> OAuthClientStatus {
        let secret = |(fingerprint, used): &(&str, Option<i64>)| SecretStatus {
            fingerprint: Some((*fingerprint).to_owned()),
            phase: None,
            created_at: Time(at(0)),
            last_used_at: used.map(|used| Time(at(used))),
            expires_at: None,
        };
        OAuthClientStatus { secrets: secrets.iter().map(secret).collect(), ..OAuthClientStatus::default() }
    }

    fn used(fingerprint: &str, second: i64) -> Used {
        Used { name: DOCUMENT.to_owned(), fingerprint: fingerprint.to_owned(), at: at(second) }
    }

    #[test]
    fn a_first_use_is_written_and_then_one_an_hour() {
        let mut uses = SecretUses::default();
        let unused = status(&[("new", None), ("old", None)]);
        assert_eq!(uses.shown(DOCUMENT, unused.clone(), &unused), unused);
        uses.used(used("old", 10_000), at(20_000));
        assert!(uses.is_due(DOCUMENT, &unused));
        let first = uses.shown(DOCUMENT, unused.clone(), &unused);
        assert_eq!(first, status(&[("new", None), ("old", Some(10_000))]));
        uses.used(used("new", 13_599), at(20_000));
        assert_eq!(uses.shown(DOCUMENT, first.clone(), &first), first, "also of another secret");
        uses.used(used("old", 13_600), at(20_000));
        let second = uses.shown(DOCUMENT, first.clone(), &first);
        assert_eq!(second, status(&[("new", Some(13_599)), ("old", Some(13_600))]));
    }

    #[test]
    fn another_change_takes_the_newest_uses_along() {
        let mut uses = SecretUses::default();
        let before = status(&[("new", Some(10_000))]);
        uses.used(used("new", 10_060), at(20_000));
        uses.used(used("new", 10_030), at(20_000));
        let changed = OAuthClientStatus { observed_generation: Some(2), ..before.clone() };
        let shown = uses.shown(DOCUMENT, changed, &before);
        assert_eq!(shown.secrets, status(&[("new", Some(10_060))]).secrets, "the latest that any pod told");
    }

    #[test]
    fn a_pod_can_neither_tell_the_future_nor_fill_the_memory() {
        let mut uses = SecretUses::default();
        uses.used(used("new", 99_999), at(20_000));
        let unused = status(&[("new", None)]);
        assert_eq!(uses.shown(DOCUMENT, unused.clone(), &unused), status(&[("new", Some(20_000))]));
        for at_all in 0..1_000 {
            uses.used(used(&format!("made up {at_all}"), 20_001), at(20_001));
        }
        assert_eq!(uses.0[DOCUMENT].len(), MOST);
        assert!(!uses.is_due(DOCUMENT, &status(&[("new", Some(20_000))])), "of none that the client has");
        uses.forget(DOCUMENT);
        assert!(uses.0.is_empty());
    }
}
