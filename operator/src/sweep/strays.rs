//! Documents that pods serve and that have neither a Secret nor an owner. A leader of before lost
//! them, and this one knows no more of them than a name, which is a hash: it cannot withdraw them,
//! and can only say so.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// So long it must have been so: an owner may be about to write its document, and a pod to drop it.
const CERTAIN: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Strays(BTreeMap<String, Stray>);

/// A document that stands nowhere.
#[derive(Clone, Copy, Debug)]
struct Stray {
    /// Since when that is known, by monotonic time, or when an owner was found last.
    since: Duration,
    told: bool,
}

impl Strays {
    /// A pod serves `document`, which does not stand.
    pub(crate) fn suspect(&mut self, document: &str, now: Duration) {
        self.0.entry(document.to_owned()).or_insert(Stray { since: now, told: false });
    }

    /// Those of which it is certain, each once. `stray` says whether one is served still, and stands
    /// nowhere; `owned` are the documents' names of everything that is there, which costs a lot.
    pub(super) fn found(
        &mut self,
        stray: impl Fn(&str) -> bool,
        owned: impl FnOnce() -> HashSet<String>,
        now: Duration,
    ) -> Vec<String> {
        self.0.retain(|document, _| stray(document));
        let due = |stray: &Stray| !stray.told && now.saturating_sub(stray.since) >= CERTAIN;
        if !self.0.values().any(due) {
            return Vec::new();
        }
        let owned = owned();
        let mut found = Vec::new();
        for (document, stray) in self.0.iter_mut().filter(|(_, stray)| due(stray)) {
            if owned.contains(document) {
                stray.since = now;
            } else {
                stray.told = true;
                found.push(document.clone());
            }
        }
        found
    }

    /// Those that were told.
    #[cfg(test)]
    pub(crate) fn told(&self) -> Vec<String> {
        self.0.iter().filter(|(_, stray)| stray.told).map(|(document, _)| document.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(61);

    fn found(strays: &mut Strays, served: bool, owned: &[&str], now: Duration) -> Vec<String> {
        let owned = owned.iter().map(|name| (*name).to_owned()).collect();
        strays.found(|_| served, || owned, now)
    }

    #[test]
    fn what_nobody_owns_is_told_once_after_a_while() {
        let mut strays = Strays::default();
        strays.suspect("user-1", Duration::ZERO);
        assert!(found(&mut strays, true, &[], Duration::from_secs(59)).is_empty());
        strays.suspect("user-1", Duration::from_secs(59));
        assert_eq!(found(&mut strays, true, &[], LATER), ["user-1"]);
        assert!(found(&mut strays, true, &[], 2 * LATER).is_empty());
    }

    #[test]
    fn what_somebody_owns_is_looked_at_again_once_he_is_gone() {
        let mut strays = Strays::default();
        strays.suspect("user-1", Duration::ZERO);
        assert!(found(&mut strays, true, &["user-1"], LATER).is_empty());
        assert_eq!(found(&mut strays, true, &[], 2 * LATER), ["user-1"]);
    }

    #[test]
    fn what_is_served_no_more_is_forgotten() {
        let mut strays = Strays::default();
        strays.suspect("user-1", Duration::ZERO);
        assert!(found(&mut strays, false, &[], LATER).is_empty());
        assert!(strays.0.is_empty());
    }
}
