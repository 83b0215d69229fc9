//! An operator: what it has heard, what its clocks say, and what it has decided but not yet written.

use claviger_crds::published::acknowledgement::{Frame, PROTOCOL, Served};

use super::super::*;
use super::world::{DOCUMENT, Pod, Stored};
use crate::acknowledgements::Acknowledgements;
use crate::signing_key::observe::{known_to_be_revoked, reached};

/// See the module.
pub(super) struct Operator {
    pub(super) lives: bool,
    /// It decides, and sleeps before it writes.
    pub(super) dozes: bool,
    /// It dies after its next write of a ring.
    pub(super) dies_after_the_ring: bool,
    /// What the wall clock is ahead.
    pub(super) ahead: i64,
    /// What it decided before it slept: the version that it read, and what follows from it.
    pub(super) decided: Option<(u64, Ring)>,
    pub(super) blocked: Option<(Reason, String)>,
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
            blocked: None,
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
    pub(super) fn listen(&mut self, me: usize, pods: &[Pod], now: u64) {
        let moment = self.moment(now);
        for (at, pod) in pods.iter().enumerate() {
            let key = format!("pod-{at}");
            let known = self.known.contains(&at);
            match (pod.lives, known) {
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
            if !pod.lives {
                continue;
            }
            if pod.silent[me] {
                self.pods.lost(&key, moment);
            } else {
                self.hear(&key, pod, moment);
            }
        }
    }

    fn hear(&mut self, key: &str, pod: &Pod, moment: Moment) {
        let is_another = self.heard.insert(key.to_owned(), pod.process) != Some(pod.process);
        if is_another || !self.pods.speaks(key) {
            let (process, now) = (pod.process.to_string(), moment.wall);
            let hello = Frame::Hello { protocol: PROTOCOL, pod: key.to_owned(), uid: key.to_owned(), process, now };
            self.pods.apply(key, hello, moment);
        }
        if let Some(serving) = &pod.serving {
            let served = Served {
                name: DOCUMENT.to_owned(),
                revision: serving.revision,
                digest: serving.digest,
                first: pod.first,
                revoked: pod.revoked.clone(),
                revoked_secrets: Vec::new(),
            };
            self.pods.apply(key, Frame::Serving { documents: vec![served] }, moment);
        }
        self.pods.apply(key, Frame::Synced, moment);
    }

    /// What is to be written, by the ring as it is stored.
    pub(super) fn decide(
        &mut self,
        stored: Option<&Stored>,
        purpose: &Purpose,
        revoked: &BTreeMap<Kid, Revocation>,
        keys: impl Fn(Algorithm, usize) -> NewKeys,
        now: u64,
    ) -> Option<(u64, Ring)> {
        let moment = self.moment(now);
        let ring = stored.map(|stored| &stored.ring);
        let mut around = Surroundings::default();
        if let Some(ring) = ring {
            around.reached = reached(&self.pods, DOCUMENT, ring);
        }
        around.revoked = known_to_be_revoked(&self.pods, DOCUMENT, ring);
        around.revoked.extend(revoked.clone());
        let decision = decide(&Wish::Serve(purpose.clone()), ring, &around, moment);
        self.blocked = decision.blocked;
        if decision.actions.is_empty() {
            return None;
        }
        let count = decision.actions.iter().map(Action::keys).sum();
        let (version, ring) = match stored {
            Some(stored) => (stored.version, stored.ring.clone()),
            None => (0, Ring::empty(purpose, moment.wall)),
        };
        let made = keys(purpose.algorithm, count);
        Some((version, ring.changed(&decision.actions, Some(purpose), made, moment.wall)))
    }
}
