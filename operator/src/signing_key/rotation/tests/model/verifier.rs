//! What verifiers may hold, and which tokens are about.

use std::collections::{BTreeMap, BTreeSet};

use claviger_jose::Kid;

/// A JWK Set as it was served.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    keys: BTreeSet<Kid>,
    max_age: u64,
    last: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Verifiers {
    shown: Vec<Shown>,
    /// The latest expiry of a token, by the key that signed it.
    tokens: BTreeMap<Kid, u64>,
}

impl Verifiers {
    /// A pod shows this at `now`. Every key must be in it of which a token lives, but for those that were
    /// revoked, or had to sign early because others were.
    pub(super) fn fetch(&mut self, now: u64, keys: BTreeSet<Kid>, max_age: u64, excused: &BTreeSet<Kid>) {
        assert!(!keys.is_empty(), "the JWK Set is empty at {now}");
        for (kid, expires) in &self.tokens {
            let fine = *expires < now || keys.contains(kid) || excused.contains(kid);
            assert!(fine, "at {now} a pod does not show {kid}, of which a token lives until {expires}");
        }
        let same = self.shown.iter_mut().find(|shown| shown.keys == keys && shown.max_age == max_age);
        match same {
            Some(shown) => shown.last = now,
            None => self.shown.push(Shown { keys, max_age, last: now }),
        }
        // A cache between may have held it for as long before the verifier took it.
        self.shown.retain(|shown| shown.last + 2 * shown.max_age >= now);
    }

    /// A pod signs with `kid`: whoever holds a JWK Set that may still be held must find it there.
    pub(super) fn meet(&mut self, now: u64, kid: &Kid, lifetime: u64, excused: bool) {
        for shown in self.shown.iter().filter(|shown| shown.last + 2 * shown.max_age >= now) {
            assert!(
                excused || shown.keys.contains(kid),
                "at {now} a token of {kid} meets a JWK Set without it that was shown at {}",
                shown.last
            );
        }
        let expires = self.tokens.entry(kid.clone()).or_default();
        *expires = (*expires).max(now + lifetime);
    }
}
