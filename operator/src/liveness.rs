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
/// What was said of a document is corrected no more often than this.
const CORRECTED: Duration = Duration::from_secs(1);
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

/// Content that is not live yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    digest: Digest,
    /// When this process wrote it, or first met it.
    since: Moment,
    /// This process wrote it: no status speaks of it yet.
    written: bool,
}

/// How a document stood when that was said last, with nothing but a change to look at it again.
#[derive(Debug)]
struct Told {
    standing: Standing,
    at: Moment,
}

/// Which documents are live, and who waits for which.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    pending: HashMap<String, Pending>,
    /// The content that every pod served at some time.
    live: HashMap<String, Digest>,
    waiting: HashMap<String, BTreeSet<Work>>,
    told: HashMap<String, Told>,
    /// Documents of which something may have been told that is no longer so.
    doubted: BTreeSet<String>,
    listed: Option<Moment>,
    settled: bool,
    deferred: HashSet<Work>,
}

impl Liveness {
    /// This process wrote the document.
    pub(crate) fn written(&mut self, name: &str, digest: Digest, now: Moment) {
        if self.live.get(name) != Some(&digest) {
            self.pending.insert(name.to_owned(), Pending { digest, since: now, written: true });
        }
    }

    /// Judges the object's own document `live`. `said` is whether the object's status calls this
    /// generation programmed already; that is trusted for content that this process did not write.
    pub(crate) fn judge(&mut self, live: &Live, standing: Standing, said: bool, work: &Work, now: Moment) -> Judgement {
        let pending = self.pending.get(&live.name).filter(|pending| pending.digest == live.digest).copied();
        if said && !pending.is_some_and(|pending| pending.written) {
            self.is_live(live);
            self.pending.remove(&live.name);
            return Judgement::Programmed { took: None };
        }
        let judgement = self.judge_need(live, standing, work, now);
        match (judgement, pending) {
            (Judgement::Programmed { .. }, Some(Pending { since, .. })) => {
                self.pending.remove(&live.name);
                Judgement::Programmed { took: Some(now.monotonic.saturating_sub(since.monotonic)) }
            }
            (judgement, _) => judgement,
        }
    }

    /// Judges another object's document, which that of `work` needs. What that object says of it is
    /// for its own reconcile to weigh.
    pub(crate) fn judge_need(&mut self, live: &Live, standing: Standing, work: &Work, now: Moment) -> Judgement {
        if standing.is_acknowledged() {
            self.is_live(live);
        }
        if self.live.get(&live.name) == Some(&live.digest) {
            return Judgement::Programmed { took: None };
        }
        let met = Pending { digest: live.digest, since: now, written: false };
        let pending = self.pending.entry(live.name.clone()).or_insert(met);
        if pending.digest != live.digest {
            *pending = met;
        }
        let waited = now.monotonic.saturating_sub(pending.since.monotonic);
        self.wait(&live.name, work);
        let judgement = not_yet(&standing, waited);
        if matches!(judgement, Judgement::Not(_, None)) {
            self.tell(&live.name, standing, now);
        }
        judgement
    }

    fn is_live(&mut self, live: &Live) {
        if self.live.insert(live.name.clone(), live.digest) != Some(live.digest) && self.told.contains_key(&live.name) {
            self.doubted.insert(live.name.clone());
        }
    }

    /// Notes what was said, for as long as somebody waits for the document. All of them are to say
    /// the same.
    fn tell(&mut self, document: &str, standing: Standing, now: Moment) {
        let before = self.told.get(document);
        if before.is_some_and(|before| before.standing != standing) {
            self.doubted.insert(document.to_owned());
        }
        self.told.insert(document.to_owned(), Told { standing, at: now });
    }

    /// The document stands like this now: what was told of it may no longer be so.
    pub(crate) fn stands(&mut self, document: &str, standing: &Standing) {
        if self.told.get(document).is_some_and(|told| told.standing != *standing) {
            self.doubted.insert(document.to_owned());
        }
    }

    /// The documents of which something was told, and waits for nothing but a change.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.keys().cloned().collect()
    }

    /// Who waits for documents of which something was told that may no longer be so: of each at most
    /// once in [`CORRECTED`], however much their pods come and go.
    pub(crate) fn wake_doubted(&mut self, now: Moment) -> BTreeSet<Work> {
        let told = &self.told;
        let due = |name: &String| {
            told.get(name).is_none_or(|told| now.monotonic.saturating_sub(told.at.monotonic) >= CORRECTED)
        };
        let due: Vec<String> = self.doubted.iter().filter(|name| due(name)).cloned().collect();
        due.iter().flat_map(|document| self.wake(document)).collect()
    }

    /// The document is no longer served: what was live of it counts no more.
    pub(crate) fn forget(&mut self, name: &str) {
        self.live.remove(name);
        self.pending.remove(name);
        self.told.remove(name);
        self.doubted.remove(name);
    }

    /// `work` wants to be woken when the document's standing changes.
    pub(crate) fn wait(&mut self, document: &str, work: &Work) {
        self.waiting.entry(document.to_owned()).or_default().insert(work.clone());
    }

    /// The document's standing may have changed: who waits for that.
    pub(crate) fn wake(&mut self, document: &str) -> BTreeSet<Work> {
        self.told.remove(document);
        self.doubted.remove(document);
        self.waiting.remove(document).unwrap_or_default()
    }

    /// A pod came or went: all that wait for any document.
    pub(crate) fn wake_all(&mut self) -> BTreeSet<Work> {
        self.told.clear();
        self.doubted.clear();
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

    /// Whether statuses may be written.
    pub(crate) fn settled(&self) -> bool {
        self.settled
    }

    /// Whether statuses may be written; if not, `work` is woken when they may.
    pub(crate) fn settled_or_defer(&mut self, work: &Work) -> bool {
        if !self.settled {
            self.deferred.insert(work.clone());
        }
        self.settled
    }
}

/// For whom a change waits until every pod has `done` something with a document; `None` if all have.
pub(crate) fn waits_for(standing: &Standing, done: &str) -> Option<(Reason, String)> {
    match standing {
        Standing::Acknowledged { .. } => None,
        Standing::NoProviders => Some((Reason::NoProviders, "no provider pod is connected".to_owned())),
        Standing::Waiting { pods } => {
            Some((Reason::WaitingForProviders, format!("not yet {done} by: {}", named(pods))))
        }
        Standing::Refused { pod, reason } => {
            Some((Reason::WaitingForProviders, format!("provider pod {pod} cannot read the document: {reason}")))
        }
    }
}

fn not_yet(standing: &Standing, waited: Duration) -> Judgement {
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
            Judgement::Not(no(Reason::ProviderBehind, format!("not yet served by: {}", named(pods))), None)
        }
    }
}

/// Of a list in a message, so many are named.
pub(crate) const SHOWN: usize = 10;

/// At most ten names: a message has to stay readable.
pub(crate) fn named(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
