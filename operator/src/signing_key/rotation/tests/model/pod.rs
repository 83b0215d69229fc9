//! A provider pod: what it serves of each ring, what it shows and with what it signs.

use std::collections::BTreeSet;

use claviger_crds::published::{Digest, KeyDocument, KeysDocument};

use super::super::*;

/// A document as it is published, or served.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) revision: u64,
    pub(super) digest: Digest,
    pub(super) withdrawn: bool,
    pub(super) keys: KeysDocument,
}

/// What a pod has of one ring.
#[derive(Default)]
pub(super) struct Serving {
    pub(super) document: Option<Published>,
    pub(super) first: u64,
    pub(super) revoked: BTreeSet<Kid>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Pod {
    pub(super) gone: bool,
    /// How often it was started.
    pub(super) process: usize,
    pub(super) wedged: bool,
    pub(super) began: bool,
    /// For which operators.
    pub(super) silent: [bool; 2],
    pub(super) serving: [Serving; 2],
}

impl Published {
    pub(super) fn active(&self) -> Option<&KeyDocument> {
        let mut active = self.keys.keys.iter().filter(|key| key.phase == KeyPhase::Active && !self.withdrawn);
        let signs = active.next();
        assert!(active.next().is_none() && signs.is_none_or(|key| key.private_key.is_some()));
        signs
    }

    /// Whether it signs only while no other ring can.
    fn is_last_resort(&self) -> bool {
        self.keys.leaving || self.keys.joining
    }

    /// Whether it signs beside others, as the operator sees it.
    pub(super) fn signs(&self) -> bool {
        self.active().is_some() && !self.is_last_resort()
    }
}

impl Pod {
    pub(super) fn take<'a>(&mut self, published: impl Iterator<Item = Option<&'a Published>>) {
        for (serving, published) in self.serving.iter_mut().zip(published) {
            serving.take(published, self.began);
        }
    }

    fn rings(&self) -> impl Iterator<Item = (&Published, &BTreeSet<Kid>)> {
        let rings = self.serving.iter().filter_map(|ring| Some((ring.document.as_ref()?, &ring.revoked)));
        rings.filter(|(ring, _)| !ring.withdrawn)
    }

    /// The keys of its JWK Set, and for how long that may be kept; `None` while it has no ring.
    pub(super) fn shows(&self) -> Option<(BTreeSet<Kid>, u64)> {
        let of = |(ring, revoked): (&Published, &BTreeSet<Kid>)| {
            let shown = ring.keys.keys.iter().filter(|key| key.phase.in_jwks() && !revoked.contains(&key.kid));
            shown.map(|key| key.kid.clone()).collect::<BTreeSet<_>>()
        };
        let showing = self.rings().filter(|ring| !of(*ring).is_empty());
        let max_age = showing.map(|(ring, _)| ring.keys.cache_lifetime).min();
        self.rings().next()?;
        Some((self.rings().flat_map(of).collect(), max_age.unwrap_or(0).into()))
    }

    /// The keys with which it signs, each with the longest life of its tokens: as the provider chooses, and
    /// that of each ring that stays, for clients that ask for its algorithm.
    pub(super) fn signs(&self) -> Vec<(Kid, u64)> {
        let able = || self.rings().map(|(ring, _)| ring).filter(|ring| ring.active().is_some());
        let first = able().min_by_key(|ring| (ring.is_last_resort(), ring.keys.joining, ring.keys.created_at));
        let rings = first.into_iter().chain(able().filter(|ring| !ring.is_last_resort()));
        let key = |ring: &Published| Some((ring.active()?.kid.clone(), ring.keys.max_token_lifetime.into()));
        rings.filter_map(key).collect()
    }
}

impl Serving {
    fn take(&mut self, published: Option<&Published>, began: bool) {
        let Some(published) = published else { return };
        match &self.document {
            None => self.first = if began { 0 } else { published.revision },
            Some(serving) if serving.revision >= published.revision => return,
            Some(_) => {}
        }
        self.revoked.extend(published.keys.revoked.iter().cloned());
        self.document = Some(published.clone());
    }
}
