//! What stands without an owner: published documents and rings whose custom resource is gone.
//!
//! A loop of its own, woken by deletions and by a timer. It trusts no cache: before it withdraws
//! anything it asks the API server for the owner, and it acts under UID and resourceVersion
//! preconditions. Many at once are more likely a mistake than a wish, so they wait a minute.
//!
//! It withdraws (a write; the tombstone stays), and deletes tombstones whose time is over: by both
//! clocks, and never while clocks disagree, for what they stand for cannot be made again. A document
//! that vanished unwithdrawn is a loss, which the reconcile of its owner repairs; where that is gone
//! too, it is withdrawn like any other, for providers go on serving it.

mod expire;
mod held;
mod strays;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use claviger_crds::published::DocumentKind;
use futures::StreamExt;
use jiff::Timestamp;

use crate::clock::Moment;
use crate::context::{Context, State};
use crate::error::StepError;
use crate::index::documents::Entry;
use crate::work::{Kind, Next, Work};

use self::held::Due;
pub(crate) use self::held::Held;
pub(crate) use self::strays::Strays;

/// How long a tombstone stands.
pub(crate) const TOMBSTONE: Duration = Duration::from_secs(168 * 3600);
/// It looks at least this often.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);
/// So many withdrawals are under way at once.
const AT_ONCE: usize = 8;

/// What one round is to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Round {
    withdraw: Vec<Work>,
    expire: Vec<Work>,
    next: Next,
}

/// One round; says when the next is due at the latest.
pub(crate) async fn round(context: &Context) -> Next {
    let now = context.now();
    for document in context.with(|state| strays(state, now)) {
        tracing::warn!(
            document,
            "provider pods serve a document that has neither a Secret nor an owner: it vanished before it could be \
             withdrawn. Restart the provider pods: they forget it then",
        );
    }
    let Round { withdraw, expire, next } = context.with(|state| plan(context, state, now));
    let withdrawals = futures::stream::iter(withdraw).map(|work| async move {
        let result = withdraw::withdraw(context, &work).await;
        done(&work, "withdrawing", result)
    });
    let failed = withdrawals.buffer_unordered(AT_ONCE).filter(|ok| std::future::ready(!ok)).count().await;
    let mut failed = failed > 0;
    for work in expire {
        let result = expire::expire(context, &work).await;
        failed |= !done(&work, "deleting the tombstone of", result);
    }
    if failed { next.or(Next::after(Duration::from_secs(1))) } else { next }
}

fn done(work: &Work, doing: &'static str, result: Result<(), StepError>) -> bool {
    if let Err(error) = &result {
        if error.is_expected() {
            tracing::debug!(%work, %error, "{doing} was overtaken; it is tried again");
            return false;
        }
        tracing::warn!(%work, %error, "{doing} failed; it is tried again");
    }
    result.is_ok()
}

/// Sorts what stands without an owner. Nothing, before every watch has listed everything: until
/// then, an owner may merely not have been seen.
fn plan(context: &Context, state: &mut State, now: Moment) -> Round {
    let mut round = Round { next: Next::after(AT_LEAST_EVERY), ..Round::default() };
    if !state.synced {
        return round;
    }
    let mut orphans: BTreeMap<DocumentKind, BTreeSet<Work>> = BTreeMap::new();
    let mut tombstones: BTreeMap<Work, Timestamp> = BTreeMap::new();
    for work in state.index.ownerless() {
        let Some(kind) = crate::context::document_kind(work.kind) else {
            continue;
        };
        match standing(state, work) {
            Standing::Serves => {
                orphans.entry(kind).or_default().insert(work.clone());
            }
            Standing::Leaves => {}
            Standing::Tombstone(since) => {
                tombstones.insert(work.clone(), since);
            }
        }
    }
    for kind in DocumentKind::ALL {
        let orphans = orphans.remove(&kind).unwrap_or_default();
        let documents = &state.index.documents;
        let withdrawn = state.held.recent(kind, &orphans, now).filter(|work| !documents.serves(&work.document()));
        let all = documents.served(kind) + withdrawn.count();
        let Due { now: due, held, next } = state.held.withdrawals(kind, &orphans, all, now);
        context.metrics.sweep_held(kind, held);
        round.withdraw.extend(due);
        round.next = round.next.or(next);
    }
    let skewed = state.skewed();
    let Due { now: due, next, .. } = state.held.expiries(&tombstones, now);
    if skewed.is_empty() {
        round.expire = due.into_iter().collect();
        round.next = round.next.or(next);
    } else if !due.is_empty() {
        let clocks = skewed.join(", ");
        tracing::warn!(clocks, tombstones = due.len(), "clocks are too far apart: no tombstone is deleted");
    }
    round
}

/// What pods serve though it stands nowhere, as far as is known once all of them have reported.
fn strays(state: &mut State, now: Moment) -> Vec<String> {
    if !state.synced || !state.liveness.settled() {
        return Vec::new();
    }
    let State { index, acknowledgements, strays, .. } = state;
    let stray = |document: &str| {
        let documents = &index.documents;
        documents.known(document).is_none() && acknowledgements.highest_revision(document).is_some()
    };
    let owned = || {
        let rings = index.ring_owners().map(|owner| Work::new(Kind::SigningKey, owner.clone()));
        index.everything().into_iter().chain(rings).map(|work| work.document()).collect::<HashSet<String>>()
    };
    strays.found(stray, owned, now.monotonic)
}

enum Standing {
    Serves,
    Leaves,
    Tombstone(Timestamp),
}

/// How something without an owner stands.
fn standing(state: &State, work: &Work) -> Standing {
    let name = work.document();
    let document = state.index.documents.get(&name);
    let ring = (work.kind == Kind::SigningKey).then(|| state.index.ring(&work.name)).flatten();
    if let Some(ring) = ring {
        // The document of a withdrawn ring may not have been written yet, and where it vanished before,
        // a new leader knows that from the pods alone.
        let serves = document.map_or_else(|| state.published_owner(&name).is_some(), Entry::serving);
        return match (ring.withdrawn_at, serves) {
            (Some(at), false) => Standing::Tombstone(at),
            (None, _) if ring.leaving && !state.index.tenant_gone(&ring.tenant) => Standing::Leaves,
            _ => Standing::Serves,
        };
    }
    let sealing = (work.kind == Kind::Tenant).then(|| state.index.sealing(&work.name)).flatten();
    let withdrawn_at = match document {
        Some(document) => document.withdrawn_at,
        // It vanished: whatever else is left, providers serve it.
        None if state.index.documents.serves(&name) => None,
        // All that is left of a Tenant.
        None => sealing.and_then(|sealing| sealing.withdrawn_at),
    };
    match withdrawn_at {
        Some(at) => Standing::Tombstone(at),
        None => Standing::Serves,
    }
}

/// Whether the time of a tombstone of `since` is over.
pub(crate) fn over(since: Timestamp, now: Timestamp) -> bool {
    passed(since, now) >= TOMBSTONE
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}

/// Whether the custom resource is gone, as the API server says itself. If it is there, the watch
/// will show it, and this is no longer without an owner.
async fn gone(context: &Context, work: &Work) -> Result<bool, StepError> {
    use crate::error::While;
    let owner = context.cluster().owner(work.kind, &work.name).await.doing("reading the owner")?;
    Ok(owner.is_none())
}

/// The names in a set, for a log line.
fn names(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
