//! Notices that the folder changed: by the system's notifications, and by looking every two
//! seconds, for notifications fail silently on network folders and where their limits are reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

use crate::manifests::{Stamp, stamp};

/// An editor saves in several steps; we read after the last.
const QUIET: Duration = Duration::from_millis(80);
/// But not later than this, however busy the folder is.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often we look.
const LOOK: Duration = Duration::from_secs(2);

/// Watches `dir` in a task of its own; the receiver tells that it may have changed.
pub(super) fn begin(dir: &Path) -> mpsc::Receiver<()> {
    let mut watch = Watch::begin(dir);
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            watch.changed().await;
            if tell.send(()).await.is_err() {
                return;
            }
        }
    });
    told
}

/// A watch on a folder.
struct Watch {
    dir: PathBuf,
    told: mpsc::Receiver<()>,
    last: Option<Stamp>,
    /// Notifies as long as it lives.
    _watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Begins to watch. Without notifications it looks, which is slower, and says so in the log.
    fn begin(dir: &Path) -> Self {
        let (tell, told) = mpsc::channel(1);
        let notify = move |event: notify::Result<notify::Event>| {
            // Our own reading is an access too.
            if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                // A full channel has told already.
                let _ = tell.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(notify)
            .and_then(|mut watcher| watcher.watch(dir, RecursiveMode::Recursive).map(|()| watcher))
            .inspect_err(|error| tracing::warn!(%error, "no notifications of changes: looking every two seconds"))
            .ok();
        Self { dir: dir.to_owned(), told, last: stamp(dir).ok(), _watcher: watcher }
    }

    /// Returns once the folder may have changed.
    async fn changed(&mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        loop {
            let notified = tokio::select! {
                told = self.told.recv() => {
                    if told.is_none() {
                        // The watcher is gone; the interval is left.
                        sleep(LOOK).await;
                    }
                    true
                }
                _ = looks.tick() => false,
            };
            if notified {
                self.settle().await;
            }
            let now = stamp(&self.dir).ok();
            if notified || now != self.last {
                self.last = now;
                return;
            }
        }
    }

    async fn settle(&mut self) {
        let end = Instant::now() + PATIENCE;
        while let Ok(Some(())) = timeout_at(end.min(Instant::now() + QUIET), self.told.recv()).await {}
    }
}
