//! Kubernetes Events (events.k8s.io/v1) about custom resources, aggregated and bounded: nobody can
//! make the operator flood the API with them. That one could not be written fails nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::core::ApiResource;
use kube::runtime::events::{Event as Published, EventType, Recorder, Reporter};

use crate::cluster::Event;

/// So many at once.
const BURST: u32 = 50;
/// After that, one in this long.
const INTERVAL: Duration = Duration::from_millis(200);
/// The longest note that the API takes, in bytes.
const LONGEST_NOTE: usize = 1_024;

/// Writes Events.
#[derive(Clone)]
pub(crate) struct Events {
    recorder: Recorder,
    bucket: Arc<Mutex<Bucket>>,
    began: Instant,
}

impl Events {
    /// Reported by `identity`.
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let reporter = Reporter { controller: "claviger.dev/operator".to_owned(), instance: Some(identity.to_owned()) };
        let recorder = Recorder::new(client, reporter);
        Self { recorder, bucket: Arc::new(Mutex::new(Bucket::full())), began: Instant::now() }
    }

    /// Writes `event` about an object of `resource`, or drops it when there are too many.
    pub(crate) async fn publish(&self, event: &Event, resource: &ApiResource) -> Result<(), kube::Error> {
        let allowed = {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(self.began.elapsed())
        };
        if !allowed {
            tracing::debug!(reason = event.reason, "an Event is dropped: there are too many");
            return Ok(());
        }
        let regarding = ObjectReference {
            api_version: Some(resource.api_version.clone()),
            kind: Some(resource.kind.clone()),
            namespace: Some(event.name.namespace.clone()),
            name: Some(event.name.name.clone()),
            uid: Some(event.uid.clone()),
            ..ObjectReference::default()
        };
        self.recorder.publish(&published(event, &regarding), &regarding).await
    }
}

fn published(event: &Event, regarding: &ObjectReference) -> Published {
    let part = |path: &String| ObjectReference { field_path: Some(path.clone()), ..regarding.clone() };
    Published {
        type_: if event.warning { EventType::Warning } else { EventType::Normal },
        reason: event.reason.to_owned(),
        note: Some(cut(&event.note, LONGEST_NOTE).to_owned()),
        action: event.reason.to_owned(),
        // The recorder makes one of all that differ in the note alone, and keeps the first note.
        secondary: event.part.as_ref().map(part),
    }
}

/// The longest start of `text` that has at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// A token bucket: pure, of a monotonic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    tokens: u32,
    filled: Duration,
}

impl Bucket {
    fn full() -> Self {
        Self { tokens: BURST, filled: Duration::ZERO }
    }

    fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.filled).as_millis() / INTERVAL.as_millis();
        let gained = u32::try_from(passed).unwrap_or(u32::MAX);
        if self.tokens.saturating_add(gained) >= BURST {
            *self = Self { tokens: BURST, filled: now };
        } else {
            *self = Self { tokens: self.tokens + gained, filled: self.filled + INTERVAL * gained };
        }
        let allowed = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_events_is_bounded_and_ends() {
        let mut bucket = Bucket::full();
        let at_once = (0..1_000).filter(|_| bucket.take(Duration::ZERO)).count();
        assert_eq!(at_once, 50);
        let in_ten_seconds = (0..1_000).filter(|step| bucket.take(Duration::from_millis(step * 10))).count();
        assert_eq!(in_ten_seconds, 49);
        assert!((0..50).all(|_| bucket.take(Duration::from_secs(60))));
        assert!(!bucket.take(Duration::from_secs(60)));
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("äöü", 4), "äö");
        assert_eq!(cut("short", 1_024), "short");
    }
}
