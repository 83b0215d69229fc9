//! An operator: what it has heard, what its clocks say, and what it has decided but not yet written.

use claviger_crds::published::acknowledgement::{Frame, PROTOCOL, Served};

use super::super::*;
use super::held::Held;
use super::pod::Pod;
use crate::acknowledgements::{Acknowledgements, Standing};
use crate::signing_key::observe::{known_to_be_revoked, reached};

/// What is to be written: of which ring, over which version of it.
pub(super) struct Decided {
    pub(super) at: usize,
    pub(super) version: u64,
    pub(super) ring: Ring,
}

/// See the module.
pub(super) struct Operator {
    pub(super) lives: bool,
    /// It decides, and sleeps before it writes.
    pub(super) dozes: bool,
    /// It dies after its next write of a ring.
    pub(super) dies_after_the_ring: bool,
    /// What the wall clock is ahead.
    pub(super) ahead: i64,
    /// What it decided before it slept.
    pub(super) decided: Option<Decided>,
    /// Of each ring.
    pub(super) blocked: [Option<(Reason, String)>; 2],
    pods: Acknowledgements,
    known: Vec<usize>,
    /// The process that was heard last, by pod.
    heard: BTreeMap<String, usize>,
    began: u64,
}

impl Operator {
    pub(super) fn new(now: u64) -> Self {
        let mut operator = Self {
            lives: true,
            dozes: false,
            dies_after_the_ring: false,
            ahead: 0,
            decided: None,
            blocked: [None, None],
            pods: Acknowledgements::default(),
            known: Vec::new(),
            heard: BTreeMap::new(),
            began: now,
        };
        let moment = operator.moment(now);
        operator.pods.listed(moment);
        operator
    }

    pub(super) fn moment(&self, now: u64) -> Moment {
        let wall = 1_800_000_000 + i64::try_from(now).unwrap() + self.ahead;
        Moment { wall: Timestamp::from_second(wall).unwrap(), monotonic: Duration::from_secs(now - self.began) }
    }

    /// Finds the pods that are there, hears those that it can, and sees who is gone.
    pub(super) fn listen(&mut self, me: usize, pods: &[Pod], rings: &[Held], now: u64) {
        let moment = self.moment(now);
        for (at, pod) in pods.iter().enumerate() {
            let key = format!("pod-{at}");
            let known = self.known.contains(&at);
            match (!pod.gone, known) {
                (false, true) => {
                    self.pods.gone(&key, moment);
                    self.known.retain(|known| *known != at);
                }
                (true, false) => {
                    self.pods.found(&key, &key, moment);
                    self.known.push(at);
                }
                _ => {}
            }
            if pod.gone {
                continue;
            }
            if pod.silent[me] {
                self.pods.lost(&key, moment);
            } else {
                self.hear(&key, pod, rings, moment);
            }
        }
    }

    fn hear(&mut self, key: &str, pod: &Pod, rings: &[Held], moment: Moment) {
        let is_another = self.heard.insert(key.to_owned(), pod.process) != Some(pod.process);
        if is_another || !self.pods.speaks(key) {
            let (process, now) = (pod.process.to_string(), moment.wall);
            let hello = Frame::Hello { protocol: PROTOCOL, pod: key.to_owned(), uid: key.to_owned(), process, now };
            self.pods.apply(key, hello, moment);
        }
        for (ring, serving) in rings.iter().zip(&pod.serving) {
            let Some(document) = &serving.document else { continue };
            let served = Served {
                name: ring.document.to_owned(),
                revision: document.revision,
                digest: document.digest,
                first: serving.first,
                revoked: serving.revoked.clone(),
                revoked_secrets: Vec::new(),
            };
            self.pods.apply(key, Frame::Serving { documents: vec![served] }, moment);
        }
        self.pods.apply(key, Frame::Synced, moment);
    }

    /// What is to be written of the ring `at`, by the rings as they are stored and published.
    pub(super) fn decide(
        &mut self,
        rings: &[Held; 2],
        at: usize,
        keys: impl Fn(Algorithm, usize) -> NewKeys,
        now: u64,
    ) -> Option<Decided> {
        let moment = self.moment(now);
        let Held { purpose, stored, .. } = &rings[at];
        if rings[at].is_to_leave() {
            let stored = stored.as_ref()?;
            let ring = Ring { leaving_since: Some(moment.wall), ..stored.ring.clone() };
            return Some(Decided { at, version: stored.version, ring });
        }
        let around = self.surroundings(rings, at);
        let decision = decide(&rings[at].wish(), rings[at].ring(), &around, moment);
        self.blocked[at] = decision.blocked;
        if decision.actions.is_empty() {
            return None;
        }
        let count = decision.actions.iter().map(Action::keys).sum();
        let (version, ring) = match stored {
            Some(stored) => (stored.version, stored.ring.clone()),
            None => (0, Ring::empty(purpose, moment.wall)),
        };
        let made = keys(purpose.algorithm, count);
        let purpose = Some(purpose).filter(|_| rings[at].declared);
        Some(Decided { at, version, ring: ring.changed(&decision.actions, purpose, made, moment.wall) })
    }

    /// As `observe` sees them.
    fn surroundings(&self, rings: &[Held; 2], at: usize) -> Surroundings {
        let (held, other) = (&rings[at], rings[1 - at].serves());
        let successor = other.filter(|other| other.signs()).and_then(|other| {
            let revision = other.active()?.revision;
            self.pods.reached(rings[1 - at].document, revision).since()
        });
        let advertised = rings.iter().filter_map(Held::serves).map(|ring| ring.keys.max_cache_lifetime);
        let mut around = Surroundings {
            successor_since: successor,
            another_signs: other.is_some_and(|other| other.active().is_some() && !other.keys.joining),
            max_cache_lifetime: advertised.max().unwrap_or(0),
            revoked: known_to_be_revoked(&self.pods, held.document, held.ring()),
            ..Surroundings::default()
        };
        if let (Some(ring), Some(published)) = (held.ring(), &held.published) {
            around.reached = reached(&self.pods, held.document, ring);
            let standing = self.pods.standing(held.document, &published.digest, ring.revision);
            if let Standing::Acknowledged { since } = standing {
                around.acknowledged_since = Some(since);
            }
        }
        if held.declared {
            around.revoked.extend(held.revoked.clone());
        }
        around
    }
}
