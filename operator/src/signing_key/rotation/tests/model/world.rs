//! What is stored and published, who serves it, and what everybody does in a second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use claviger_crds::published::{Content, Digest, KeysDocument};

use super::super::*;
use super::operator::Operator;
use super::verifier::Verifiers;

pub(super) const DOCUMENT: &str = "signingkey-0123456789abcdef";

/// A change of the SigningKey or its tenant.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// `cacheLifetime`, and by how much the other two exceed their least.
    Rotation { cache: u32, more: u32 },
    /// Whether it is EdDSA rather than ES256.
    Algorithm(bool),
    /// Of the tenant, seconds.
    TokenLifetime(u32),
    /// The annotation, seconds from now.
    RotateAt(i64),
    /// Of the newest key in that phase.
    Revoke(KeyPhase),
    /// `spec.revoked` is empty again.
    ForgetRevocations,
}

/// The ring's Secret.
pub(super) struct Stored {
    pub(super) version: u64,
    pub(super) ring: Ring,
}

/// A document as it is published, or served.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) revision: u64,
    pub(super) digest: Digest,
    keys: KeysDocument,
}

pub(super) struct Pod {
    pub(super) lives: bool,
    /// How often it was started.
    pub(super) process: usize,
    wedged: bool,
    began: bool,
    /// For which operators.
    pub(super) silent: [bool; 2],
    pub(super) serving: Option<Published>,
    pub(super) first: u64,
    pub(super) revoked: BTreeSet<Kid>,
}

/// See the module.
pub(super) struct World {
    now: u64,
    purpose: Purpose,
    revoked: BTreeMap<Kid, Revocation>,
    /// Everything that ever was.
    all_revoked: BTreeSet<Kid>,
    stored: Option<Stored>,
    published: Option<Published>,
    pods: Vec<Pod>,
    operators: [Operator; 2],
    verifiers: Verifiers,
}

impl World {
    pub(super) fn new() -> Self {
        let rotation = Rotation { interval: 300, publish_ahead: 60, cache_lifetime: 10 };
        let purpose = Purpose { rotation, token_lifetime: 120, session_lifetime: 300, ..purpose() };
        let mut world = Self {
            now: 1_000,
            purpose,
            revoked: BTreeMap::new(),
            all_revoked: BTreeSet::new(),
            stored: None,
            published: None,
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
        for pod in self.pods.iter_mut().filter(|pod| pod.lives && !pod.wedged) {
            pod.take(self.published.as_ref());
        }
        self.serve();
        for me in 0..2 {
            self.operate(me);
        }
    }

    /// Verifiers fetch from every pod, and every pod signs.
    fn serve(&mut self) {
        let early = self.stored.iter().flat_map(|stored| self.early(&stored.ring));
        let excused: BTreeSet<Kid> = early.chain(self.all_revoked.iter().cloned()).collect();
        for pod in self.pods.iter().filter(|pod| pod.lives) {
            let Some(Published { keys, .. }) = &pod.serving else { continue };
            let trusted = |kid: &Kid| !pod.revoked.contains(kid);
            let shown = keys.keys.iter().filter(|key| key.phase.in_jwks() && trusted(&key.kid));
            let shown = shown.map(|key| key.kid.clone()).collect();
            self.verifiers.fetch(self.now, shown, keys.cache_lifetime.into(), &excused);
        }
        for pod in self.pods.iter().filter(|pod| pod.lives) {
            let Some(Published { keys, .. }) = &pod.serving else { continue };
            let mut active = keys.keys.iter().filter(|key| key.phase == KeyPhase::Active);
            let signs = active.next().unwrap();
            assert!(active.next().is_none() && signs.private_key.is_some());
            let excused = excused.contains(&signs.kid);
            self.verifiers.meet(self.now, &signs.kid, keys.max_token_lifetime.into(), excused);
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
        self.operators[me].listen(me, &self.pods, self.now);
        if self.operators[me].decided.is_some() {
            return;
        }
        // A crash, or another operator, may have left the document behind the ring.
        self.publish();
        let revoked = &self.revoked;
        let decided = self.operators[me].decide(self.stored.as_ref(), &self.purpose, revoked, new_keys, self.now);
        match decided {
            Some(decided) if self.operators[me].dozes => self.operators[me].decided = Some(decided),
            Some((version, ring)) => self.write(me, version, ring),
            None => {}
        }
    }

    /// The API server takes the ring only from who read its last version.
    fn write(&mut self, me: usize, version: u64, ring: Ring) {
        if self.stored.as_ref().map_or(0, |stored| stored.version) != version {
            return;
        }
        super::super::holds(&ring);
        for key in ring.keys.iter().filter(|key| self.all_revoked.contains(&key.kid)) {
            let was = self.stored.as_ref().and_then(|stored| stored.ring.key(&key.kid)).map(|key| key.phase);
            assert!(was != Some(KeyPhase::Revoked) || key.phase == KeyPhase::Revoked, "{} is back", key.kid);
        }
        self.stored = Some(Stored { version: version + 1, ring });
        if self.operators[me].dies_after_the_ring {
            self.crash(me, false);
        } else {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let Some(Stored { ring, .. }) = &self.stored else { return };
        if self.published.as_ref().is_some_and(|published| published.revision >= ring.revision) {
            return;
        }
        let document = ring.document(&owner());
        let digest = Digest::of(&document.to_bytes());
        let Content::SigningKey(keys) = document.content else { unreachable!() };
        self.published = Some(Published { revision: ring.revision, digest, keys });
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
        if let Some((version, ring)) = self.operators[operator].decided.take()
            && self.operators[operator].lives
        {
            self.write(operator, version, ring);
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
            pod.lives = false;
        }
    }

    /// The container is started again in its Pod, which nobody sees to be gone.
    pub(super) fn start_again(&mut self, pod: usize) {
        let published = self.published.clone();
        if let Some(pod) = self.living(pod) {
            let silent = pod.silent;
            *pod = Pod { process: pod.process + 1, silent, ..Pod::default() };
            pod.take(published.as_ref());
            pod.began = true;
        }
    }

    /// A pod begins with what is published.
    pub(super) fn join(&mut self) {
        if self.pods.iter().filter(|pod| pod.lives).count() < 4 {
            let mut pod = Pod::default();
            pod.take(self.published.as_ref());
            // What comes later was missing until then.
            pod.began = true;
            self.pods.push(pod);
        }
    }

    pub(super) fn set_clock(&mut self, operator: usize, by: i32) {
        self.operators[operator].ahead = by.into();
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        match *edit {
            Edit::Rotation { cache, more } => {
                let publish_ahead = 2 * cache + 10 + more / 4;
                let interval = publish_ahead + more;
                self.purpose.rotation = Rotation { interval, publish_ahead, cache_lifetime: cache };
            }
            Edit::Algorithm(true) => self.purpose.algorithm = Algorithm::EdDsa,
            Edit::Algorithm(false) => self.purpose.algorithm = Algorithm::Es256,
            Edit::TokenLifetime(seconds) => self.purpose.token_lifetime = seconds,
            Edit::RotateAt(from_now) => {
                let at = 1_800_000_000 + i64::try_from(self.now).unwrap() + from_now;
                self.purpose.rotate_at = Some(Timestamp::from_second(at).unwrap());
            }
            Edit::Revoke(phase) => {
                let kid = self.stored.as_ref().and_then(|stored| Some(stored.ring.in_phase(phase).next()?.kid.clone()));
                if let Some(kid) = kid {
                    self.all_revoked.insert(kid.clone());
                    let revocation = Revocation { reason: "stolen".to_owned(), by: "alice".to_owned() };
                    self.revoked.insert(kid, revocation);
                }
            }
            Edit::ForgetRevocations => self.revoked.clear(),
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
        self.join();
        for pod in &mut self.pods {
            pod.wedged = false;
            pod.silent = [false; 2];
        }
    }

    pub(super) fn active(&self) -> Option<Kid> {
        Some(self.stored.as_ref()?.ring.active()?.kid.clone())
    }

    pub(super) fn blocked(&self) -> Option<(Reason, String)> {
        self.operators.iter().find_map(|operator| operator.blocked.clone())
    }

    pub(super) fn keys_in_jwks(&self) -> usize {
        let ring = self.stored.iter().map(|stored| &stored.ring);
        ring.flat_map(|ring| &ring.keys).filter(|key| key.phase.in_jwks()).count()
    }

    /// One of the pods that live.
    fn living(&mut self, at: usize) -> Option<&mut Pod> {
        self.pods.iter_mut().filter(|pod| pod.lives).nth(at)
    }
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            lives: true,
            process: 0,
            wedged: false,
            began: false,
            silent: [false; 2],
            serving: None,
            first: 0,
            revoked: BTreeSet::new(),
        }
    }
}

impl Pod {
    fn take(&mut self, published: Option<&Published>) {
        let Some(published) = published else { return };
        match &self.serving {
            None => self.first = if self.began { 0 } else { published.revision },
            Some(serving) if serving.revision >= published.revision => return,
            Some(_) => {}
        }
        self.revoked.extend(published.keys.revoked.iter().cloned());
        self.serving = Some(published.clone());
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
