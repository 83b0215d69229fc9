//! What the pods' acknowledgements mean for an object's `Programmed`: sticky, patient, and woken by
//! the acknowledgement itself rather than by polling. Pure state over moments.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::published::Digest;

use crate::acknowledgements::Standing;
use crate::clock::Moment;
use crate::work::Work;

/// So long a status waits for the acknowledgement, so that one change costs one status write.
pub(crate) const HELD_BACK: Duration = Duration::from_secs(1);
/// A pod that has not acknowledged for this long is named.
pub(crate) const BEHIND: Duration = Duration::from_secs(5);
/// A new leader waits no longer than this for the pods' reports before it writes a status.
pub(crate) const SETTLING: Duration = Duration::from_secs(10);

/// A document as it is stored now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// Name of the Secret.
    pub(crate) name: String,
    /// Of its bytes.
    pub(crate) digest: Digest,
    /// Of this content.
    pub(crate) revision: u64,
}

/// What to say of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Every pod serves it, or did once.
    Programmed {
        /// How long that took, the first time that it is known.
        took: Option<Duration>,
    },
    /// Say nothing yet: the answer is likely to come within this.
    Hold(Duration),
    /// Not yet: say why, and look again after this.
    Not(Verdict, Option<Duration>),
}

/// Which documents are live, and who waits for which.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    /// When this process wrote, or first met, the content that is not live yet.
    pending: HashMap<String, (Digest, Moment)>,
    /// The content that every pod served at some time.
    live: HashMap<String, Digest>,
    waiting: HashMap<String, BTreeSet<Work>>,
    listed: Option<Moment>,
    settled: bool,
    deferred: HashSet<Work>,
}

impl Liveness {
    /// This process wrote the document.
    pub(crate) fn written(&mut self, name: &str, digest: Digest, now: Moment) {
        self.pending.insert(name.to_owned(), (digest, now));
    }

    /// Judges the document `live`. `said` is whether the object's status calls this generation
    /// programmed already; that is trusted for content that this process did not write.
    pub(crate) fn judge(&mut self, live: &Live, standing: Standing, said: bool, work: &Work, now: Moment) -> Judgement {
        if self.live.get(&live.name) == Some(&live.digest) {
            return Judgement::Programmed { took: None };
        }
        let pending = self.pending.get(&live.name).filter(|(digest, _)| *digest == live.digest).map(|(_, at)| *at);
        if standing.is_acknowledged() || (said && pending.is_none()) {
            self.pending.remove(&live.name);
            self.live.insert(live.name.clone(), live.digest);
            let took = pending.map(|at| now.monotonic.saturating_sub(at.monotonic));
            return Judgement::Programmed { took };
        }
        let since = pending.unwrap_or_else(|| {
            self.pending.insert(live.name.clone(), (live.digest, now));
            now
        });
        self.wait(&live.name, work);
        let waited = now.monotonic.saturating_sub(since.monotonic);
        not_yet(standing, waited)
    }

    /// The document is no longer served: what was live of it counts no more.
    pub(crate) fn forget(&mut self, name: &str) {
        self.live.remove(name);
        self.pending.remove(name);
    }

    /// `work` wants to be woken when the document's standing changes.
    pub(crate) fn wait(&mut self, document: &str, work: &Work) {
        self.waiting.entry(document.to_owned()).or_default().insert(work.clone());
    }

    /// The document's standing may have changed: who waits for that.
    pub(crate) fn wake(&mut self, document: &str) -> BTreeSet<Work> {
        self.waiting.remove(document).unwrap_or_default()
    }

    /// A pod came or went: all that wait for any document.
    pub(crate) fn wake_all(&mut self) -> BTreeSet<Work> {
        self.waiting.drain().flat_map(|(_, works)| works).collect()
    }

    /// Discovery has named every pod.
    pub(crate) fn listed(&mut self, now: Moment) {
        self.listed.get_or_insert(now);
    }

    /// Whether statuses may be written: every pod has reported, or enough time has passed since
    /// the pods were listed. Returns who waited for it, once.
    pub(crate) fn settle(&mut self, all_synced: bool, now: Moment) -> Option<HashSet<Work>> {
        let listed = self.listed?;
        let over = now.monotonic.saturating_sub(listed.monotonic) >= SETTLING;
        if self.settled || !(all_synced || over) {
            return None;
        }
        self.settled = true;
        Some(std::mem::take(&mut self.deferred))
    }

    /// Whether statuses may be written; if not, `work` is woken when they may.
    pub(crate) fn settled_or_defer(&mut self, work: &Work) -> bool {
        if !self.settled {
            self.deferred.insert(work.clone());
        }
        self.settled
    }
}

fn not_yet(standing: Standing, waited: Duration) -> Judgement {
    let no = |reason, message: String| Verdict::no(ConditionType::Programmed, reason, message);
    match standing {
        Standing::NoProviders => {
            let message = "no provider pod is connected: nothing serves this";
            Judgement::Not(no(Reason::NoProviders, message.to_owned()), None)
        }
        Standing::Refused { pod, reason } => {
            Judgement::Not(no(Reason::DocumentRefused, format!("provider pod {pod} cannot read it: {reason}")), None)
        }
        Standing::Acknowledged { .. } | Standing::Waiting { .. } if waited < HELD_BACK => {
            Judgement::Hold(HELD_BACK.saturating_sub(waited))
        }
        Standing::Acknowledged { .. } | Standing::Waiting { .. } if waited < BEHIND => Judgement::Not(
            no(Reason::Pending, "the provider pods have not all acknowledged it yet".to_owned()),
            Some(BEHIND.saturating_sub(waited)),
        ),
        Standing::Acknowledged { .. } => Judgement::Hold(HELD_BACK),
        Standing::Waiting { pods } => {
            Judgement::Not(no(Reason::ProviderBehind, format!("not yet served by: {}", named(&pods))), None)
        }
    }
}

/// At most ten names: a message has to stay readable.
fn named(pods: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = pods.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match pods.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
