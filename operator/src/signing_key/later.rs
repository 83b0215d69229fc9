//! A ring that was set back while what is published of it was not: the revoked keys are taken out of that, and the
//! stored ring's document does not take its place. Pods that start go on with the keys that the others serve.

use std::collections::BTreeSet;

use claviger_crds::published::{Content, Document, KeyPhase, Stored};
use claviger_jose::Kid;
use jiff::Timestamp;

use super::observe::Observed;
use super::ring::Ring;
use crate::context::Context;
use crate::error::{StepError, While};

/// What is published, without the keys that `ring` knows to be revoked, and its revision: running pods, which serve
/// that, take from it what it revokes. `None` where it is not the latest that is known, or nothing of it would sign.
pub(super) async fn document(
    context: &Context,
    observed: &Observed,
    ring: &Ring,
) -> Result<Option<(Document, u64)>, StepError> {
    let Some(later) = observed.around.rolled_back.filter(|later| *later > ring.revision) else {
        return Ok(None);
    };
    let name = observed.work.document();
    let entry = context.with(|state| state.index.documents.get(&name).cloned());
    let Some(entry) = entry.filter(|entry| entry.revision == later && !entry.tampered() && entry.serving()) else {
        return Ok(None);
    };
    let secret = context.cluster().secret(&context.published(&name)).await.doing("reading the document")?;
    let stored = secret.and_then(|secret| Stored::from_secret(&secret).ok());
    let stored = stored.filter(|stored| (stored.revision, stored.digest) == (entry.revision, entry.digest));
    let now = context.now().wall;
    Ok(stored.and_then(|stored| without(stored.document, &ring.revoked, now)).map(|document| (document, later)))
}

/// `document` without the keys `revoked`: as pods have it that take only these from an older one. `None` if no key of
/// it would sign.
fn without(mut document: Document, revoked: &BTreeSet<Kid>, now: Timestamp) -> Option<Document> {
    let Content::SigningKey(ring) = &mut document.content else {
        return None;
    };
    ring.revoked.extend(revoked.iter().cloned());
    for key in ring.keys.iter_mut().filter(|key| key.phase != KeyPhase::Revoked && revoked.contains(&key.kid)) {
        (key.phase, key.private_key, key.revoked_at) = (KeyPhase::Revoked, None, Some(now));
    }
    let has = |phase| ring.keys.iter().position(|key| key.phase == phase && key.private_key.is_some());
    if has(KeyPhase::Active).is_none() {
        let standby = has(KeyPhase::Published)?;
        (ring.keys[standby].phase, ring.keys[standby].active_at) = (KeyPhase::Active, Some(now));
    }
    Some(document)
}
