//! What is stored and published, who serves it, and what everybody does in a second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use super::super::*;
use super::held::{Edit, Held, Stored};
use super::operator::{Decided, Operator};
use super::pod::Pod;
use super::verifier::Verifiers;

/// See the module.
pub(super) struct World {
    now: u64,
    rings: [Held; 2],
    /// Everything that ever was.
    all_revoked: BTreeSet<Kid>,
    pods: Vec<Pod>,
    operators: [Operator; 2],
    verifiers: Verifiers,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            now: 1_000,
            rings: [Held::new("signingkey-0123456789abcdef", true), Held::new("signingkey-fedcba9876543210", false)],
            all_revoked: BTreeSet::new(),
            pods: Vec::new(),
            operators: [Operator::new(1_000), Operator::new(1_000)],
            verifiers: Verifiers::default(),
        };
        world.join();
        world.join();
        world
    }

    /// Everybody does what he does in a second.
    pub(super) fn second(&mut self) {
        self.now += 1;
        for pod in self.pods.iter_mut().filter(|pod| !pod.gone && !pod.wedged) {
            pod.take(self.rings.iter().map(|ring| ring.published.as_ref()));
        }
        self.serve();
        for me in 0..2 {
            self.operate(me);
        }
    }

    /// Verifiers fetch from every pod, and every pod signs.
    fn serve(&mut self) {
        let early = self.rings.iter().filter_map(Held::ring).flat_map(|ring| self.early(ring));
        let excused: BTreeSet<Kid> = early.chain(self.all_revoked.iter().cloned()).collect();
        for pod in self.pods.iter().filter(|pod| !pod.gone) {
            if let Some((shown, max_age)) = pod.shows() {
                self.verifiers.fetch(self.now, shown, max_age, &excused);
            }
        }
        for (kid, lifetime) in self.pods.iter().filter(|pod| !pod.gone).flat_map(Pod::signs) {
            self.verifiers.meet(self.now, &kid, lifetime, excused.contains(&kid));
        }
    }

    /// The keys that signed too early, by the ring's own words: after a revocation alone.
    fn early(&self, ring: &Ring) -> Vec<Kid> {
        let early = ring.keys.iter().filter(|key| key.unknown_until.is_some());
        let early: Vec<Kid> = early.map(|key| key.kid.clone()).collect();
        assert!(early.is_empty() || !self.all_revoked.is_empty(), "a key signs early, and none was revoked");
        early
    }

    fn operate(&mut self, me: usize) {
        if !self.operators[me].lives {
            return;
        }
        self.operators[me].listen(me, &self.pods, &self.rings, self.now);
        for at in 0..2 {
            if !self.operators[me].lives || self.operators[me].decided.is_some() {
                return;
            }
            // A crash, or another operator, may have left the document behind the ring.
            self.rings.iter_mut().for_each(Held::publish);
            match self.operators[me].decide(&self.rings, at, new_keys, self.now) {
                Some(decided) if self.operators[me].dozes => self.operators[me].decided = Some(decided),
                Some(decided) => self.write(me, decided),
                None => {}
            }
        }
    }

    /// The API server takes the ring only from who read its last version.
    fn write(&mut self, me: usize, Decided { at, version, ring }: Decided) {
        let held = &mut self.rings[at];
        if held.stored.as_ref().map_or(0, |stored| stored.version) != version {
            return;
        }
        if ring.leaving_since.is_none() && ring.withdrawn_at.is_none() {
            super::super::holds(&ring);
        }
        for key in ring.keys.iter().filter(|key| self.all_revoked.contains(&key.kid)) {
            let was = held.ring().and_then(|ring| ring.key(&key.kid)).map(|key| key.phase);
            assert!(was != Some(KeyPhase::Revoked) || key.phase == KeyPhase::Revoked, "{} is back", key.kid);
        }
        held.stored = Some(Stored { version: version + 1, ring });
        if self.operators[me].dies_after_the_ring {
            self.crash(me, false);
        } else {
            held.publish();
        }
    }

    pub(super) fn crash(&mut self, operator: usize, after_the_ring: bool) {
        let operator = &mut self.operators[operator];
        operator.dies_after_the_ring = after_the_ring;
        operator.lives = after_the_ring && operator.lives;
    }

    pub(super) fn restart(&mut self, operator: usize) {
        self.operators[operator] = Operator::new(self.now);
    }

    pub(super) fn doze(&mut self, operator: usize) {
        self.operators[operator].dozes = true;
    }

    /// What it decided then, it writes now.
    pub(super) fn wake(&mut self, operator: usize) {
        self.operators[operator].dozes = false;
        if let Some(decided) = self.operators[operator].decided.take()
            && self.operators[operator].lives
        {
            self.write(operator, decided);
        }
    }

    pub(super) fn wedge(&mut self, pod: usize, wedged: bool) {
        if let Some(pod) = self.living(pod) {
            pod.wedged = wedged;
        }
    }

    pub(super) fn silence(&mut self, pod: usize, operator: usize, silent: bool) {
        if let Some(pod) = self.living(pod) {
            pod.silent[operator] = silent;
        }
    }

    pub(super) fn kill(&mut self, pod: usize) {
        if let Some(pod) = self.living(pod) {
            pod.gone = true;
        }
    }

    /// The container is started again in its Pod, which nobody sees to be gone.
    pub(super) fn start_again(&mut self, pod: usize) {
        if let Some(pod) = self.pods.iter_mut().filter(|pod| !pod.gone).nth(pod) {
            *pod = Pod { process: pod.process + 1, silent: pod.silent, ..Pod::default() };
            pod.take(self.rings.iter().map(|ring| ring.published.as_ref()));
            pod.began = true;
        }
    }

    /// A pod begins with what is published.
    pub(super) fn join(&mut self) {
        if self.pods.iter().filter(|pod| !pod.gone).count() < 4 {
            let mut pod = Pod::default();
            pod.take(self.rings.iter().map(|ring| ring.published.as_ref()));
            // What comes later was missing until then.
            pod.began = true;
            self.pods.push(pod);
        }
    }

    pub(super) fn set_clock(&mut self, operator: usize, by: i32) {
        self.operators[operator].ahead = by.into();
    }

    pub(super) fn edit(&mut self, at: usize, edit: &Edit) {
        let held = &mut self.rings[at];
        match *edit {
            Edit::Declare(declared) => held.declared = declared,
            Edit::Rotation { cache, more } => {
                let publish_ahead = 2 * cache + 10 + more / 4;
                let interval = publish_ahead + more;
                held.purpose.rotation = Rotation { interval, publish_ahead, cache_lifetime: cache };
            }
            Edit::Algorithm(true) => held.purpose.algorithm = Algorithm::EdDsa,
            Edit::Algorithm(false) => held.purpose.algorithm = Algorithm::Es256,
            Edit::TokenLifetime(seconds) => {
                self.rings.iter_mut().for_each(|held| held.purpose.token_lifetime = seconds);
            }
            Edit::RotateAt(from_now) => {
                let at = 1_800_000_000 + i64::try_from(self.now).unwrap() + from_now;
                held.purpose.rotate_at = Some(Timestamp::from_second(at).unwrap());
            }
            Edit::Revoke(phase) => {
                let kid = held.ring().and_then(|ring| Some(ring.in_phase(phase).next()?.kid.clone()));
                if let Some(kid) = kid {
                    self.all_revoked.insert(kid.clone());
                    let revocation = Revocation { reason: "stolen".to_owned(), by: "alice".to_owned() };
                    held.revoked.insert(kid, revocation);
                }
            }
            Edit::ForgetRevocations => held.revoked.clear(),
        }
    }

    /// Whatever was broken works again, and nobody changes anything.
    pub(super) fn heal(&mut self) {
        for me in 0..2 {
            self.wake(me);
            self.operators[me].dies_after_the_ring = false;
            self.operators[me].ahead = 0;
            if !self.operators[me].lives {
                self.restart(me);
            }
        }
        self.rings[0].declared |= !self.rings[1].declared;
        self.join();
        for pod in &mut self.pods {
            pod.wedged = false;
            pod.silent = [false; 2];
        }
    }

    /// The rings that are to serve, each with the key that signs.
    pub(super) fn active(&self) -> Vec<(usize, Option<Kid>)> {
        let declared = self.rings.iter().enumerate().filter(|(_, held)| held.declared);
        let active = |held: &Held| Some(held.ring()?.active()?.kid.clone());
        declared.map(|(at, held)| (at, active(held))).collect()
    }

    pub(super) fn joining(&self) -> bool {
        self.rings.iter().filter(|held| held.declared).filter_map(Held::ring).any(|ring| ring.joining)
    }

    /// Whether a ring is there that nobody wants.
    pub(super) fn lingers(&self) -> bool {
        self.rings.iter().filter(|held| !held.declared).any(|held| held.serves().is_some())
    }

    pub(super) fn blocked(&self) -> Option<(Reason, String)> {
        self.operators.iter().flat_map(|operator| &operator.blocked).flatten().next().cloned()
    }

    pub(super) fn most_keys_in_jwks(&self) -> usize {
        let of = |ring: &Ring| ring.keys.iter().filter(|key| key.phase.in_jwks()).count();
        self.rings.iter().filter_map(Held::ring).map(of).max().unwrap_or(0)
    }

    /// One of the pods that live.
    fn living(&mut self, at: usize) -> Option<&mut Pod> {
        self.pods.iter_mut().filter(|pod| !pod.gone).nth(at)
    }
}

/// Keys that no other ring of this run has; between runs they may be the same.
fn new_keys(algorithm: Algorithm, count: usize) -> NewKeys {
    type Pools = BTreeMap<Algorithm, (Vec<NewKey>, usize)>;
    static MADE: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);
    const POOL: usize = 2_000;
    let mut made = MADE.lock().unwrap();
    let (pool, next) = made.entry(algorithm).or_default();
    let take = |_| {
        if pool.len() < POOL {
            pool.extend(generated(algorithm));
        }
        *next += 1;
        pool[(*next - 1) % pool.len().max(1)].clone()
    };
    NewKeys { made: (0..count).map(take).collect(), imported: None }
}

fn generated(algorithm: Algorithm) -> Option<NewKey> {
    let public_key = PrivateKey::generate(algorithm).ok()?.public_jwk();
    let private_key = claviger_crds::published::SecretText::new("private");
    Some(NewKey { kid: public_key.kid().clone(), public_key, private_key })
}
