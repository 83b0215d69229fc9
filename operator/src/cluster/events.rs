//! Kubernetes Events (events.k8s.io/v1) about custom resources, aggregated and bounded: nobody can
//! make the operator flood the API with them. That one could not be written fails nothing else.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::core::ApiResource;
use kube::runtime::events::{Event as Published, EventType, Recorder, Reporter};

use super::rate::Bucket;
use crate::cluster::Event;
use crate::settings::Rate;

/// Five a second, and fifty at once.
const RATE: Rate = Rate { per_second: NonZeroU32::MIN.saturating_add(4), burst: NonZeroU32::MIN.saturating_add(49) };
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
        Self { recorder, bucket: Arc::new(Mutex::new(Bucket::full(RATE))), began: Instant::now() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("äöü", 4), "äö");
        assert_eq!(cut("short", 1_024), "short");
    }
}
