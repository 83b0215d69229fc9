//! Pods that are gone, and what they may have served until then.

use std::collections::{HashMap, VecDeque};

use claviger_crds::names;
use claviger_crds::published::DocumentKind;

use super::later;
use super::serving::Serving;
use crate::clock::Moment;

/// So many pods are remembered; an older one counts as if it had served nothing of late.
const REMEMBERED: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pods: VecDeque<(Moment, HashMap<String, Serving>)>,
    /// When the last was seen to be gone of which nothing is known.
    unknown: Option<Moment>,
}

impl Gone {
    /// A pod is seen to be gone, which said that it serves this.
    pub(super) fn add(&mut self, now: Moment, serving: HashMap<String, Serving>) {
        let kind = DocumentKind::SigningKey.as_str();
        let rings = serving.into_iter().filter(|(name, _)| names::is_published_secret(name, kind));
        self.pods.push_back((now, rings.collect()));
        if self.pods.len() > REMEMBERED
            && let Some((at, _)) = self.pods.pop_front()
        {
            self.add_unknown(at);
        }
    }

    /// There may have been pods until now of which nothing is known.
    pub(super) fn add_unknown(&mut self, now: Moment) {
        self.unknown = later(self.unknown, Some(now));
    }

    /// The last moment at which a pod that is gone may have served the document `name` as it was before
    /// `revision`.
    pub(super) fn before(&self, name: &str, revision: u64) -> Option<Moment> {
        let until = |(gone, serving): &(Moment, HashMap<String, Serving>)| {
            serving.get(name).and_then(|serving| serving.reached(revision)).unwrap_or(Some(*gone))
        };
        self.pods.iter().map(until).fold(self.unknown, later)
    }
}
