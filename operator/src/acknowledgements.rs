//! What each provider pod says that it serves: pure state over [`Frame`]s.
//!
//! Whoever finds and dials pods tells this of them: [`Acknowledgements::found`] when discovery
//! names one, [`Acknowledgements::lost`] when its stream ends, [`Acknowledgements::gone`] when
//! discovery no longer names it. A pod that is found is waited for, connected or not: one that is
//! wedged holds up what it does not serve, and is named there and nowhere else.

use std::collections::HashMap;
use std::time::Duration;

use claviger_crds::published::Digest;
use claviger_crds::published::acknowledgement::{Frame, SILENCE, Served};

use crate::clock::Moment;

/// Clocks further apart than this make every wait on wall time doubtful.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

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
    /// The last moment at which a pod was seen to be gone.
    last_gone: Option<Moment>,
}

#[derive(Debug)]
struct Pod {
    name: String,
    uid: Option<String>,
    stream: Stream,
    heard: Moment,
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

#[derive(Clone, Copy, Debug)]
struct Serving {
    revision: u64,
    digest: Digest,
    since: Moment,
}

impl Acknowledgements {
    /// Discovery names the pod `key`; `name` is what a person knows it by. Saying so again is
    /// harmless. Whether it was new.
    pub fn found(&mut self, key: &str, name: &str, now: Moment) -> bool {
        let before = self.pods.len();
        self.pods.entry(key.to_owned()).or_insert_with(|| Pod::new(name, now));
        self.pods.len() > before
    }

    /// A pod said something. Returns the documents whose standing may have changed.
    pub fn apply(&mut self, key: &str, frame: Frame, now: Moment) -> Vec<String> {
        let pod = self.pods.entry(key.to_owned()).or_insert_with(|| Pod::new(key, now));
        pod.heard = now;
        match frame {
            Frame::Hello { protocol: _, pod: name, uid, now: theirs } => {
                if pod.uid.as_ref().is_some_and(|before| *before != uid) {
                    self.last_gone = Some(now);
                }
                pod.hello(name, uid, theirs.as_second() - now.wall.as_second())
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
            Frame::Unknown => Vec::new(),
        }
    }

    /// The stream of the pod `key` ended. It is still waited for until it is gone.
    pub fn lost(&mut self, key: &str, now: Moment) {
        if let Some(pod) = self.pods.get_mut(key)
            && pod.stream != Stream::Never
        {
            pod.stream = Stream::Lost;
            pod.heard = now;
        }
    }

    /// Discovery no longer names the pod `key`: it serves nobody and nobody waits for it. One that
    /// never spoke counts too: it may have been cut off from this operator alone, and have served.
    pub fn gone(&mut self, key: &str, now: Moment) {
        if self.pods.remove(key).is_some() {
            self.last_gone = Some(now);
        }
    }

    /// Ends the acknowledgements of pods that have been silent too long. Whether any were.
    pub fn expire(&mut self, now: Moment) -> bool {
        let mut any = false;
        for pod in self.pods.values_mut() {
            let speaking = matches!(pod.stream, Stream::Listing | Stream::Synced);
            if speaking && now.monotonic.saturating_sub(pod.heard.monotonic) > SILENCE {
                pod.stream = Stream::Lost;
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
                Ok(at) => since = since.max(Some(at)),
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

    /// The last moment at which any pod could have served something else than the document `name`
    /// with this content: its last acknowledgement, or the time at which a pod was seen to be gone.
    /// `None` while a pod has not acknowledged it.
    pub fn served_since(&self, name: &str, digest: &Digest, revision: u64) -> Option<Moment> {
        match self.standing(name, digest, revision) {
            Standing::Acknowledged { since } => Some(self.last_gone.map_or(since, |gone| gone.later(since))),
            _ => None,
        }
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

    /// How many pods are connected.
    pub fn connected(&self) -> usize {
        self.pods.values().filter(|pod| matches!(pod.stream, Stream::Listing | Stream::Synced)).count()
    }
}

impl Pod {
    fn new(name: &str, now: Moment) -> Self {
        Self {
            name: name.to_owned(),
            uid: None,
            stream: Stream::Never,
            heard: now,
            clock_offset: 0,
            serving: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    /// A new stream begins: what was said on the last one no longer counts.
    fn hello(&mut self, name: String, uid: String, clock_offset: i64) -> Vec<String> {
        self.name = name;
        self.uid = Some(uid);
        self.stream = Stream::Listing;
        self.clock_offset = clock_offset;
        self.refused.clear();
        self.serving.drain().map(|(name, _)| name).collect()
    }

    fn serve(&mut self, served: Served, now: Moment) -> String {
        self.refused.remove(&served.name);
        let serving = Serving { revision: served.revision, digest: served.digest, since: now };
        // The same again is no new acknowledgement: waits count from the first.
        let entry = self.serving.entry(served.name.clone()).or_insert(serving);
        if (entry.revision, entry.digest) != (serving.revision, serving.digest) {
            *entry = serving;
        }
        served.name
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
