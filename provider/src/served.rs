//! What this pod serves, and telling it to whoever asks.
//!
//! The provider calls [`Served::record`], [`Served::refuse`] and [`Served::drop_document`] *after*
//! it has swapped in what they speak of: an acknowledgement must never come before the effect.
//!
//! Nothing is queued for a subscriber. Each document remembers the number of its last change, and a
//! subscriber the number that it has read up to; it reads the newest state of what changed since.
//! So a slow subscriber costs nothing, and many changes of one document become one.

mod subscriber;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_crds::published::acknowledgement::{self, DOCUMENTS_PER_FRAME, Frame};
use claviger_crds::published::{Content, Digest, RevokedSecret, Stored};
use claviger_jose::Kid;
use futures::Stream;
use jiff::Timestamp;
use tokio::sync::watch;

use self::subscriber::Subscriber;
use crate::secret_use::Uses;

/// So many dropped documents are remembered, for subscribers that have not read of them.
const REMEMBERED_DROPS: usize = 4096;

/// Which pod this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name, or what else tells this provider from others.
    pub name: String,
    /// Its UID, or one that this process made up.
    pub uid: String,
}

/// What this pod serves and what it could not read.
#[derive(Debug)]
pub struct Served {
    state: Mutex<State>,
    /// Grows with every change; what subscribers wait on.
    changed: watch::Sender<u64>,
    /// When clients' secrets were used, which is told in batches.
    uses: Uses,
    /// The last stretch of [`acknowledgement::UNKNOWN_KEY_TOLD`] in which a key of the cluster's was named that
    /// this pod does not know.
    unknown_keys: AtomicI64,
    /// What tells this process from the one before it in the same Pod.
    process: String,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Arc<str>, Entry>,
    /// The entries by the number of their last change.
    order: BTreeMap<u64, Arc<str>>,
    /// The numbers among them under which something was dropped.
    drops: BTreeSet<u64>,
    /// The number of the last change.
    last: u64,
    /// The greatest number of a drop that is no longer remembered.
    forgotten: u64,
    loaded: bool,
}

#[derive(Debug, Default)]
struct Entry {
    change: u64,
    serving: Option<(u64, Digest)>,
    /// The first revision that was served, if this pod never served anything without it; else 0.
    first: u64,
    /// Keys of a ring that are never trusted again.
    revoked: BTreeSet<Kid>,
    /// Secrets of a client that were revoked.
    revoked_secrets: Vec<RevokedSecret>,
    refused: Option<Box<str>>,
}

/// What changed after a number.
struct Changes {
    frames: Vec<Frame>,
    /// Everything up to this number is in `frames`.
    up_to: u64,
    loaded: bool,
}

impl Served {
    /// Nothing is served yet.
    pub fn new() -> Self {
        let process = claviger_jose::random::hex128();
        Self {
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            uses: Uses::default(),
            unknown_keys: AtomicI64::new(0),
            process,
        }
    }

    /// `stored` is served from now on; of a withdrawn document, its withdrawal is.
    pub fn record(&self, stored: &Stored) {
        let now = Some((stored.revision, stored.digest));
        let loaded = self.lock().loaded;
        self.change(&stored.name, |entry| {
            let same = entry.serving == now && entry.refused.is_none();
            // What comes later was missing in what this pod served until now.
            if entry.serving.is_none() {
                entry.first = if loaded { 0 } else { stored.revision };
            }
            entry.revoked.extend(revoked(stored));
            if let Content::OAuthClient(client) = &stored.document.content {
                entry.revoked_secrets =
                    RevokedSecret::known([client.revoked_secrets.as_slice(), &entry.revoked_secrets]);
            }
            entry.serving = now;
            entry.refused = None;
            !same
        });
    }

    /// `stored` is not served; the keys that it revokes are trusted no more from now on all the same.
    pub fn revoke(&self, stored: &Stored) {
        self.change(&stored.name, |entry| {
            let before = entry.revoked.len();
            entry.revoked.extend(revoked(stored));
            entry.revoked.len() > before
        });
    }

    /// The newest content of the document `name` cannot be served. The last good one, if any, is.
    pub fn refuse(&self, name: &str, reason: &str) {
        self.change(name, |entry| {
            let same = entry.refused.as_deref() == Some(reason);
            entry.refused = Some(reason.into());
            !same
        });
    }

    /// The document `name` is gone from this pod: it was withdrawn before, or never served.
    pub fn drop_document(&self, name: &str) {
        self.change(name, |entry| {
            let known = !entry.is_dropped();
            entry.serving = None;
            entry.refused = None;
            known
        });
    }

    /// The first list is complete: subscribers that have been told everything hear
    /// [`Frame::Synced`].
    pub fn loaded(&self) {
        let last = {
            let mut state = self.lock();
            state.loaded = true;
            state.last
        };
        self.changed.send_replace(last);
    }

    /// How many documents are served, withdrawn ones included.
    pub fn documents(&self) -> usize {
        self.lock().entries.values().filter(|entry| entry.serving.is_some()).count()
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Somebody came with a ServiceAccount's token of a key that is not known here. The first one in a while wakes
    /// the subscribers, who tell it; the others cost a comparison.
    pub(crate) fn unknown_service_account_key(&self, now: Timestamp) {
        let stretch = now.as_second() / acknowledgement::UNKNOWN_KEY_TOLD.as_secs().cast_signed();
        if self.unknown_keys.swap(stretch, Ordering::Relaxed) != stretch {
            self.changed.send_modify(|_| {});
        }
    }

    /// Everything, then changes, with heartbeats and the uses of secrets between. `now` is the pod's
    /// clock. The stream ends only where a subscriber was so slow that it missed a drop which is no
    /// longer remembered: it has to begin anew.
    pub fn subscribe(
        self: Arc<Self>,
        pod: Pod,
        now: impl Fn() -> Timestamp + Send + 'static,
    ) -> impl Stream<Item = Frame> + Send {
        let now: Box<dyn Fn() -> Timestamp + Send> = Box::new(now);
        let (changed, began) = (self.changed.subscribe(), self.lock().last);
        let subscriber = Subscriber::new(self, changed, began, pod, now);
        futures::stream::unfold(subscriber, Subscriber::next)
    }

    /// Changes the entry `name`; tells subscribers if `change` says that it did.
    fn change(&self, name: &str, change: impl FnOnce(&mut Entry) -> bool) {
        let last = self.lock().change(name, change);
        if let Some(last) = last {
            self.changed.send_replace(last);
        }
    }

    /// What changed after `after`, at most one frame of each sort. None where the answer would lack
    /// a drop that a subscriber which began at `began` has to know of.
    fn changes(&self, after: u64, began: u64) -> Option<Changes> {
        let state = self.lock();
        // Drops before a subscriber began are of documents that it was never told of.
        (state.forgotten <= after.max(began)).then(|| state.changes(after))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under the lock can leave the state half changed by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys that `stored` revokes, if it is a ring.
fn revoked(stored: &Stored) -> impl Iterator<Item = Kid> {
    let ring = match &stored.document.content {
        Content::SigningKey(ring) => Some(ring),
        _ => None,
    };
    ring.into_iter().flat_map(|ring| ring.revoked.iter().cloned())
}

impl Default for Served {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Entry) -> bool) -> Option<u64> {
        let mut fresh = Entry::default();
        let known = self.entries.get_key_value(name).map(|(name, _)| Arc::clone(name));
        let entry = known.as_ref().and_then(|name| self.entries.get_mut(name)).unwrap_or(&mut fresh);
        if !change(entry) {
            return None;
        }
        self.last += 1;
        let before = std::mem::replace(&mut entry.change, self.last);
        let dropped = entry.is_dropped();
        self.order.remove(&before);
        self.drops.remove(&before);
        let name = known.unwrap_or_else(|| {
            let name: Arc<str> = name.into();
            self.entries.insert(Arc::clone(&name), fresh);
            name
        });
        self.order.insert(self.last, name);
        if dropped {
            self.drops.insert(self.last);
            self.forget_drops();
        }
        Some(self.last)
    }

    fn forget_drops(&mut self) {
        while self.drops.len() > REMEMBERED_DROPS
            && let Some(oldest) = self.drops.pop_first()
        {
            self.forgotten = oldest;
            if let Some(name) = self.order.remove(&oldest) {
                self.entries.remove(&name);
            }
        }
    }

    fn changes(&self, after: u64) -> Changes {
        let mut serving = Vec::new();
        let mut refused = Vec::new();
        let mut names = Vec::new();
        let mut up_to = after;
        for (number, name) in self.order.range(after + 1..).take(DOCUMENTS_PER_FRAME) {
            up_to = *number;
            let Some(entry) = self.entries.get(name) else { continue };
            if let Some((revision, digest)) = entry.serving {
                serving.push(acknowledgement::Served {
                    name: name.to_string(),
                    revision,
                    digest,
                    first: entry.first,
                    revoked: entry.revoked.clone(),
                    revoked_secrets: entry.revoked_secrets.clone(),
                });
            }
            if let Some(reason) = &entry.refused {
                refused.push(acknowledgement::Refused { name: name.to_string(), reason: reason.to_string() });
            }
            if entry.is_dropped() {
                names.push(name.to_string());
            }
        }
        // In this order: to serve a document ends what was said of refusing it.
        let mut frames = Vec::new();
        if !serving.is_empty() {
            frames.push(Frame::Serving { documents: serving });
        }
        if !refused.is_empty() {
            frames.push(Frame::Refused { documents: refused });
        }
        if !names.is_empty() {
            frames.push(Frame::Dropped { names });
        }
        Changes { frames, up_to, loaded: self.loaded }
    }
}

impl Entry {
    fn is_dropped(&self) -> bool {
        self.serving.is_none() && self.refused.is_none()
    }
}
