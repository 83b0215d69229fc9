//! One reader of what this pod serves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use claviger_crds::published::acknowledgement::{Frame, HEARTBEAT, PROTOCOL, USES_PER_FRAME, USES_TOLD};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Pod, Served};

pub(super) struct Subscriber {
    served: Arc<Served>,
    changed: watch::Receiver<u64>,
    now: Box<dyn Fn() -> Timestamp + Send>,
    /// Frames that are ready.
    ready: VecDeque<Frame>,
    /// The number of the last change when this began.
    began: u64,
    /// Everything up to this number has been told.
    told: u64,
    synced: bool,
    heartbeat: Instant,
    /// When secrets that were used are told next.
    uses: Instant,
    /// The number of the last use that was told.
    used: u64,
    /// The last stretch of time in which an unknown key of the cluster's was told of.
    unknown_keys: i64,
}

impl Subscriber {
    pub(super) fn new(
        served: Arc<Served>,
        changed: watch::Receiver<u64>,
        began: u64,
        pod: Pod,
        now: Box<dyn Fn() -> Timestamp + Send>,
    ) -> Self {
        let process = served.process.clone();
        let hello = Frame::Hello { protocol: PROTOCOL, pod: pod.name, uid: pod.uid, process, now: now() };
        let ready = VecDeque::from([hello]);
        let unknown_keys = served.unknown_keys.load(Ordering::Relaxed);
        let (heartbeat, uses) = (Instant::now() + HEARTBEAT, Instant::now() + USES_TOLD);
        Self { served, changed, now, ready, began, told: 0, synced: false, heartbeat, uses, used: 0, unknown_keys }
    }

    /// The next frame, and the reader after it.
    pub(super) async fn next(mut self) -> Option<(Frame, Self)> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some((frame, self));
            }
            // Due even while there is much to tell: it carries the pod's clock.
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                return Some((Frame::Heartbeat { now: (self.now)() }, self));
            }
            if Instant::now() >= self.uses {
                self.uses = Instant::now() + USES_TOLD;
                self.tell_uses();
                continue;
            }
            if self.has_unknown_key() {
                return Some((Frame::UnknownServiceAccountKey, self));
            }
            // Marked as seen before it is read: a change in between wakes this again.
            self.changed.borrow_and_update();
            let changes = self.served.changes(self.told, self.began)?;
            if !changes.frames.is_empty() {
                self.told = changes.up_to;
                self.ready.extend(changes.frames);
            } else if changes.loaded && !self.synced {
                self.synced = true;
                self.ready.push_back(Frame::Synced);
            } else {
                // An error would say that `served` is gone, and this holds it.
                let _ = tokio::time::timeout_at(self.heartbeat.min(self.uses), self.changed.changed()).await;
            }
        }
    }

    /// Whether a key of the cluster's was named that this pod does not know, and nobody was told since.
    fn has_unknown_key(&mut self) -> bool {
        let last = self.served.unknown_keys.load(Ordering::Relaxed);
        std::mem::replace(&mut self.unknown_keys, last) != last
    }

    fn tell_uses(&mut self) {
        let (used, number) = self.served.uses().since(self.used, (self.now)());
        self.used = number;
        let frames = used.chunks(USES_PER_FRAME).map(|secrets| Frame::Used { secrets: secrets.to_vec() });
        self.ready.extend(frames);
    }
}
