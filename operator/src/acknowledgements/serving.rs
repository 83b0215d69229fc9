//! One document as one pod serves it, and since when it has served which revision.

use std::collections::{BTreeSet, VecDeque};

use claviger_crds::published::acknowledgement::Served;
use claviger_crds::published::{Digest, RevokedSecret};
use claviger_jose::Kid;

use crate::clock::Moment;

/// So many earlier revisions are remembered: more than a ring has while a wait of it lasts. Of more the
/// oldest are forgotten, and a wait is then rather too long than too short.
const REMEMBERED: usize = 128;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) revision: u64,
    pub(super) digest: Digest,
    /// Since when, as the pod said first.
    pub(super) since: Moment,
    /// The first revision that the pod's process ever served, if it served nothing before; else 0.
    first: u64,
    /// Earlier revisions since the stream began, the oldest first.
    earlier: VecDeque<(u64, Moment)>,
    /// Keys that the pod never trusts again.
    pub(super) revoked: BTreeSet<Kid>,
    /// Secrets of a client that were revoked while the pod served it.
    pub(super) revoked_secrets: Vec<RevokedSecret>,
}

impl Serving {
    /// What a pod says at `now`, that said `before` until then.
    pub(super) fn new(served: Served, before: Option<Self>, now: Moment) -> Self {
        let Served { name: _, revision, digest, first, revoked, revoked_secrets } = served;
        let new = Self { revision, digest, since: now, first, earlier: VecDeque::new(), revoked, revoked_secrets };
        match before {
            // The same again is no new acknowledgement: waits count from the first.
            Some(before) if (before.revision, before.digest) == (revision, digest) => {
                Self { revoked: new.revoked, revoked_secrets: new.revoked_secrets, first, ..before }
            }
            Some(mut before) if before.revision < revision => {
                before.earlier.push_back((before.revision, before.since));
                if before.earlier.len() > REMEMBERED {
                    before.earlier.pop_front();
                }
                Self { earlier: before.earlier, ..new }
            }
            // Other content under a revision that was: what the pod served before says nothing, not even
            // what it served first.
            Some(_) => Self { first: 0, ..new },
            None => new,
        }
    }

    /// The last moment at which the pod could have served an earlier revision than this: within, `None`
    /// if it never did. `None` if it still does.
    pub(super) fn reached(&self, revision: u64) -> Option<Option<Moment>> {
        if self.revision < revision {
            return None;
        }
        // 0 is no revision that a process served first: nobody knows what that was.
        if self.first > 0 && self.first >= revision {
            return Some(None);
        }
        let earlier = self.earlier.iter().find(|(earlier, _)| *earlier >= revision);
        Some(Some(earlier.map_or(self.since, |(_, at)| *at)))
    }
}
