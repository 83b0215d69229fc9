//! What each provider pod says that it serves: pure state over [`Frame`]s.
//!
//! Whoever finds and dials pods tells this of them: [`Acknowledgements::found`] when discovery
//! names one, [`Acknowledgements::lost`] when its stream ends, [`Acknowledgements::gone`] when
//! discovery no longer names it. A pod that is found is waited for, connected or not: one that is
//! wedged holds up what it does not serve, and is named there and nowhere else.

mod gone;
mod serving;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use claviger_crds::published::acknowledgement::{Frame, SILENCE, Served};
use claviger_crds::published::{Digest, RevokedSecret};
use claviger_jose::Kid;

use self::gone::Gone;
use self::serving::Serving;
use crate::clock::Moment;

/// Clocks further apart than this make every wait on wall time doubtful.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Since when no pod can have served a document as it was before a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Every pod serves that revision or a later one.
    Everywhere {
        /// The last moment at which any pod could have served an earlier one: the last acknowledgement, or
        /// the time at which a pod was seen to be gone.
        since: Moment,
    },
    /// These pods have not said so, in order of their names.
    Behind {
        /// Each with the moment since when it has been found, or silent.
        pods: Vec<(String, Moment)>,
    },
    /// No pod has ever been connected among those that are found.
    NoProviders {
        /// The last moment at which any pod could have served an earlier one, if none is found. One that is found may
        /// be cut off from this operator alone, and serve.
        since: Option<Moment>,
    },
}

impl Reached {
    /// See [`Reached::Everywhere`].
    pub fn since(&self) -> Option<Moment> {
        match self {
            Self::Everywhere { since } => Some(*since),
            Self::Behind { .. } | Self::NoProviders { .. } => None,
        }
    }
}

/// Whether the pods serve one document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every pod does; `since` is when the last of them said so.
    Acknowledged {
        /// The last acknowledgement.
        since: Moment,
    },
    /// These pods have not said so, by name.
    Waiting {
        /// In order of their names.
        pods: Vec<String>,
    },
    /// A pod could not read it.
    Refused {
        /// Name of the pod.
        pod: String,
        /// Why, as the pod said it.
        reason: String,
    },
    /// No pod has ever been connected among those that are found.
    NoProviders,
}

impl Standing {
    /// Whether every pod serves it.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Acknowledged { .. })
    }
}

/// All pods, and what they say.
#[derive(Debug, Default)]
pub struct Acknowledgements {
    pods: HashMap<String, Pod>,
    gone: Gone,
}

#[derive(Debug)]
struct Pod {
    name: String,
    /// UID of the Pod, and what its process made up.
    itself: Option<(String, String)>,
    stream: Stream,
    heard: Moment,
    /// Since when it has been found, or silent.
    since: Moment,
    /// The pod's clock less ours, whole seconds.
    clock_offset: i64,
    serving: HashMap<String, Serving>,
    refused: HashMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// Discovery names the pod; it has never spoken.
    Never,
    /// It speaks, and has not yet named everything.
    Listing,
    /// It has named everything.
    Synced,
    /// It spoke once, and is silent.
    Lost,
}

/// A pod that is found speaks within this, if its process is the first in it. Of one that speaks later there may
/// have been another process until then, which nobody heard.
pub(crate) const UNHEARD: Duration = Duration::from_secs(10);

impl Acknowledgements {
    /// Discovery names the pod `key`; `name` is what a person knows it by. Saying so again is
    /// harmless. Whether it was new.
    pub fn found(&mut self, key: &str, name: &str, now: Moment) -> bool {
        let before = self.pods.len();
        self.pods.entry(key.to_owned()).or_insert_with(|| Pod::new(name, now));
        self.pods.len() > before
    }

    /// Discovery has named every pod: one that it does not name may have served anything until now.
    pub fn listed(&mut self, now: Moment) {
        self.gone.add_unknown(now);
    }

    /// A pod said something. Returns the documents whose standing may have changed.
    pub fn apply(&mut self, key: &str, frame: Frame, now: Moment) -> Vec<String> {
        let pod = self.pods.entry(key.to_owned()).or_insert_with(|| Pod::new(key, now));
        pod.heard = now;
        match frame {
            Frame::Hello { protocol: _, pod: name, uid, process, now: theirs } => {
                // Another process, be it in the same Pod, may have served what this one never will.
                let itself = (uid, process);
                match &pod.itself {
                    Some(before) if *before != itself => self.gone.add(now, std::mem::take(&mut pod.serving)),
                    // Found long ago: there may have been one before it that nobody heard.
                    None if now.monotonic.saturating_sub(pod.since.monotonic) > UNHEARD => self.gone.add_unknown(now),
                    _ => {}
                }
                pod.hello(name, itself, theirs.as_second() - now.wall.as_second())
            }
            Frame::Serving { documents } => documents.into_iter().map(|served| pod.serve(served, now)).collect(),
            Frame::Refused { documents } => documents
                .into_iter()
                .map(|refused| {
                    pod.refused.insert(refused.name.clone(), refused.reason);
                    refused.name
                })
                .collect(),
            Frame::Dropped { names } => {
                for name in &names {
                    pod.serving.remove(name);
                    pod.refused.remove(name);
                }
                names
            }
            Frame::Synced => {
                pod.stream = Stream::Synced;
                Vec::new()
            }
            Frame::Heartbeat { now: theirs } => {
                pod.clock_offset = theirs.as_second() - now.wall.as_second();
                Vec::new()
            }
            // Of no document: the engine takes them.
            Frame::Used { .. } | Frame::UnknownServiceAccountKey | Frame::Unknown => Vec::new(),
        }
    }

    /// The stream of the pod `key` ended. It is still waited for until it is gone.
    pub fn lost(&mut self, key: &str, now: Moment) {
        if let Some(pod) = self.pods.get_mut(key)
            && pod.stream != Stream::Never
        {
            if pod.stream != Stream::Lost {
                pod.since = now;
            }
            pod.stream = Stream::Lost;
            pod.heard = now;
        }
    }

    /// Discovery no longer names the pod `key`: it serves nobody and nobody waits for it. One that
    /// never spoke counts too: it may have been cut off from this operator alone, and have served.
    pub fn gone(&mut self, key: &str, now: Moment) {
        if let Some(pod) = self.pods.remove(key) {
            self.gone.add(now, pod.serving);
        }
    }

    /// Ends the acknowledgements of pods that have been silent too long. Whether any were.
    pub fn expire(&mut self, now: Moment) -> bool {
        let mut any = false;
        for pod in self.pods.values_mut() {
            let speaking = matches!(pod.stream, Stream::Listing | Stream::Synced);
            if speaking && now.monotonic.saturating_sub(pod.heard.monotonic) > SILENCE {
                pod.stream = Stream::Lost;
                pod.since = pod.heard;
                any = true;
            }
        }
        any
    }

    /// Whether every pod serves the document `name` with this content, at this revision or a later.
    pub fn standing(&self, name: &str, digest: &Digest, revision: u64) -> Standing {
        if self.pods.values().all(|pod| pod.stream == Stream::Never) {
            return Standing::NoProviders;
        }
        let mut waiting = Vec::new();
        let mut since: Option<Moment> = None;
        for pod in self.pods.values() {
            match pod.serves(name, digest, revision) {
                Ok(at) => since = later(since, Some(at)),
                Err(Some(reason)) => {
                    return Standing::Refused { pod: pod.name.clone(), reason: reason.to_owned() };
                }
                Err(None) => waiting.push(pod.name.clone()),
            }
        }
        waiting.sort_unstable();
        match since {
            Some(since) if waiting.is_empty() => Standing::Acknowledged { since },
            _ => Standing::Waiting { pods: waiting },
        }
    }

    /// The highest revision of the document `name` that any pod has acknowledged, live or silent,
    /// and its content.
    pub fn highest(&self, name: &str) -> Option<(u64, Digest)> {
        let serving = self.pods.values().filter_map(|pod| pod.serving.get(name));
        serving.map(|serving| (serving.revision, serving.digest)).max_by_key(|(revision, _)| *revision)
    }

    /// The highest revision of the document `name` that any pod has acknowledged, live or silent.
    pub fn highest_revision(&self, name: &str) -> Option<u64> {
        self.highest(name).map(|(revision, _)| revision)
    }

    /// Whether every pod serves the document `name` as it is at `revision`, or as it became later.
    pub fn reached(&self, name: &str, revision: u64) -> Reached {
        let mut last = self.gone.before(name, revision);
        if self.pods.values().all(|pod| pod.stream == Stream::Never) {
            return Reached::NoProviders { since: last.filter(|_| self.pods.is_empty()) };
        }
        let mut behind = Vec::new();
        for pod in self.pods.values() {
            match pod.reached(name, revision) {
                Some(at) => last = later(last, at),
                None => behind.push((pod.name.clone(), pod.since)),
            }
        }
        if !behind.is_empty() {
            behind.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            return Reached::Behind { pods: behind };
        }
        // Nobody ever served an earlier one: it has been everywhere since the first pod was found.
        let found = self.pods.values().map(|pod| pod.since).min_by_key(|since| since.monotonic);
        last.or(found).map_or(Reached::NoProviders { since: None }, |since| Reached::Everywhere { since })
    }

    /// The keys of the document `name` that any pod never trusts again.
    pub fn revoked(&self, name: &str) -> BTreeSet<Kid> {
        let serving = self.pods.values().filter_map(|pod| pod.serving.get(name));
        serving.flat_map(|serving| serving.revoked.iter().cloned()).collect()
    }

    /// The secrets of the client of the document `name` of which any pod knows that they were revoked.
    pub fn revoked_secrets(&self, name: &str) -> Vec<RevokedSecret> {
        let serving = self.pods.values().filter_map(|pod| pod.serving.get(name));
        RevokedSecret::known(serving.map(|serving| serving.revoked_secrets.as_slice()))
    }

    /// The pods whose clocks are too far from ours, by name.
    pub fn skewed(&self) -> Vec<String> {
        let limit = i64::try_from(CLOCK_SKEW.as_secs()).unwrap_or(i64::MAX);
        let mut pods: Vec<String> = self
            .pods
            .values()
            .filter(|pod| matches!(pod.stream, Stream::Listing | Stream::Synced))
            .filter(|pod| pod.clock_offset.saturating_abs() > limit)
            .map(|pod| pod.name.clone())
            .collect();
        pods.sort_unstable();
        pods
    }

    /// Whether every pod that is found has named all that it serves.
    pub fn all_synced(&self) -> bool {
        self.pods.values().all(|pod| pod.stream == Stream::Synced)
    }

    /// Whether the pod `key` is connected.
    #[cfg(test)]
    pub(crate) fn speaks(&self, key: &str) -> bool {
        let stream = self.pods.get(key).map(|pod| pod.stream);
        matches!(stream, Some(Stream::Listing | Stream::Synced))
    }

    /// How many pods are connected.
    pub fn connected(&self) -> usize {
        self.pods.values().filter(|pod| matches!(pod.stream, Stream::Listing | Stream::Synced)).count()
    }
}

/// The later of two moments that may not have been.
fn later(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.later(other)),
        (one, other) => one.or(other),
    }
}

impl Pod {
    fn new(name: &str, now: Moment) -> Self {
        Self {
            name: name.to_owned(),
            itself: None,
            stream: Stream::Never,
            heard: now,
            since: now,
            clock_offset: 0,
            serving: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    /// A new stream begins: what was said on the last one no longer counts.
    fn hello(&mut self, name: String, itself: (String, String), clock_offset: i64) -> Vec<String> {
        self.name = name;
        self.itself = Some(itself);
        self.stream = Stream::Listing;
        self.clock_offset = clock_offset;
        self.refused.clear();
        self.serving.drain().map(|(name, _)| name).collect()
    }

    fn serve(&mut self, served: Served, now: Moment) -> String {
        self.refused.remove(&served.name);
        let name = served.name.clone();
        let serving = Serving::new(served, self.serving.remove(&name), now);
        self.serving.insert(name.clone(), serving);
        name
    }

    /// See [`Serving::reached`]; `None` also of a pod that is silent.
    fn reached(&self, name: &str, revision: u64) -> Option<Option<Moment>> {
        let speaks = matches!(self.stream, Stream::Listing | Stream::Synced);
        self.serving.get(name).filter(|_| speaks)?.reached(revision)
    }

    /// Since when this pod serves the document so, or why not, where it said why.
    fn serves(&self, name: &str, digest: &Digest, revision: u64) -> Result<Moment, Option<&str>> {
        if !matches!(self.stream, Stream::Listing | Stream::Synced) {
            return Err(None);
        }
        match self.serving.get(name) {
            Some(serving) if serving.digest == *digest && serving.revision >= revision => Ok(serving.since),
            _ => Err(self.refused.get(name).map(String::as_str)),
        }
    }
}

#[cfg(test)]
mod tests;
