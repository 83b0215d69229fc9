//! Writing a ring: the truth first, then its projection. A crash between the two leaves the truth
//! ahead, and the next reconcile projects it.

use claviger_crds::condition::{Reason, Verdict};

use super::change::{NewKey, NewKeys};
use super::generate::generate;
use super::later;
use super::observe::Observed;
use super::plan::Plan;
use super::ring::{Purpose, Ring, StoredRing};
use super::rotation::{Action, Decision};
use super::tell;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::StepError;
use crate::metrics::Written;
use crate::publish::{Publication, check_tenant_is_gone, publish};
use crate::report::Outcome;
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// The ring as it stands.
    pub(super) ring: Option<Ring>,
    /// What it is for, if it is to serve.
    pub(super) purpose: Option<Purpose>,
    /// What became of its document.
    pub(super) outcome: Outcome,
    pub(super) decision: Decision,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
    /// Why the ring could not be written: that is told, and tried again.
    pub(super) refused: Option<StepError>,
}

/// What became of the ring and its document.
struct Done {
    ring: Option<Ring>,
    outcome: Outcome,
    refused: Option<StepError>,
    /// Something was changed, and what follows from that is decided at once, by what is now stored.
    changed: bool,
}

/// Carries out a plan; of a paused SigningKey, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { mut decision, purpose, imported, publish: publishes, verdicts } = plan;
    // A Secret that somebody else writes is not watched.
    let rechecked = observed.source.is_some().then(|| context.recheck());
    let next = Next { after: decision.again.map(|wait| context.sleep_of(wait)) }.or(Next { after: rechecked });
    let paused = observed.object.as_ref().is_some_and(|object| object.meta.paused);
    // A revocation is told though nothing else is: somebody may have crashed before he could.
    let set_back = observed.around.rolled_back.is_some() && decision.actions.is_empty() && !observed.untold();
    let done = if paused || set_back || !publishes {
        let before = observed.stored.as_ref().map(|stored| stored.ring.clone());
        let stays = before.as_ref().is_some_and(|ring| ring.withdrawn_at.is_none());
        let outcome = Outcome::left(paused || set_back || stays);
        Done { ring: before, outcome, refused: None, changed: false }
    } else {
        carry_out(context, observed, &mut decision, purpose.as_ref(), imported).await?
    };
    let Done { ring, outcome, refused, changed } = done;
    let next = if changed { Next::after(NOW) } else { next };
    Ok(Applied { ring, purpose, outcome, decision, verdicts, next, refused })
}

async fn carry_out(
    context: &Context,
    observed: &Observed,
    decision: &mut Decision,
    purpose: Option<&Purpose>,
    imported: Option<NewKey>,
) -> Result<Done, StepError> {
    let before = observed.stored.as_ref().map(|stored| &stored.ring);
    if decision.actions.contains(&Action::Withdraw) && observed.object.is_some() {
        let tenant = observed.object.as_ref().and_then(|object| object.tenant());
        check_tenant_is_gone(context, tenant).await?;
    }
    // A ring that was set back does not overtake by that what pods serve.
    let spoilt = observed.spoilt.filter(|_| decision.actions.is_empty() && observed.around.rolled_back.is_none());
    decision.actions.extend(spoilt.map(|above| Action::Republish { above }));
    let ring = match change(context, observed, &decision.actions, purpose, imported).await {
        Ok(Some(ring)) => ring,
        Ok(None) => return Ok(Done { ring: None, outcome: Outcome::Nothing, refused: None, changed: false }),
        Err(error) if error.is_final() && observed.object.is_some() => {
            decision.blocked = Some((Reason::RingRefused, error.to_string()));
            let outcome = Outcome::left(before.is_some());
            return Ok(Done { ring: before.cloned(), outcome, refused: Some(error), changed: false });
        }
        Err(error) => {
            if error.may_have_happened() {
                let tenant = before.map(|ring| ring.tenant.as_str()).or(purpose.map(|purpose| purpose.tenant.as_str()));
                tell::perhaps(context, observed, tenant.unwrap_or_default(), &decision.actions);
            }
            return Err(error);
        }
    };
    let outcome = project(context, observed, &ring).await;
    // After the pods were told, whose business is more pressing, and also where they could not be.
    tell::tell(context, observed, before, &ring, &decision.actions).await;
    Ok(Done { ring: Some(ring), outcome: outcome?, refused: None, changed: !decision.actions.is_empty() })
}

/// Publishes the ring as it is stored; where it was set back alone, what is published of it without its revoked keys.
async fn project(context: &Context, observed: &Observed, ring: &Ring) -> Result<Outcome, StepError> {
    let name = observed.work.document();
    let (known, served) =
        context.with(|state| (state.published_owner(&name).is_some(), state.index.documents.serves(&name)));
    let later = later::document(context, observed, ring).await?;
    let (document, revision) = later.unwrap_or_else(|| (ring.document(&observed.work.name), ring.revision));
    let mut publication = Publication::of(document, &observed.owner_uid);
    publication.revision = Some(revision);
    let withdrawn = ring.withdrawn_at.is_some();
    // A ring that was withdrawn before anything was published of it has nothing to take back.
    let written = if known || !withdrawn {
        publish(context, publication).await.map(|live| if withdrawn { Outcome::Nothing } else { Outcome::Stands(live) })
    } else {
        Ok(Outcome::Nothing)
    };
    // Without a SigningKey there is nowhere to tell of a refusal.
    let outcome = if observed.object.is_some() { Outcome::of(written, served)? } else { written? };
    if matches!(outcome, Outcome::Nothing) {
        context.with(|state| state.liveness.forget(&name));
    }
    Ok(outcome)
}

/// The ring after `actions`, stored; `None` if there is none and none is wanted.
async fn change(
    context: &Context,
    observed: &Observed,
    actions: &[Action],
    purpose: Option<&Purpose>,
    imported: Option<NewKey>,
) -> Result<Option<Ring>, StepError> {
    let before = observed.stored.as_ref();
    let (ring, algorithm) = match (before, purpose) {
        (Some(stored), _) if actions.is_empty() => return Ok(Some(stored.ring.clone())),
        (Some(stored), purpose) => (Some(&stored.ring), purpose.map_or(stored.ring.algorithm, |to| to.algorithm)),
        (None, Some(purpose)) => (None, purpose.algorithm),
        (None, None) => return Ok(None),
    };
    let made = generate(context, algorithm, actions.iter().map(Action::keys).sum()).await?;
    // After the keys are made: what is counted from now has not begun before.
    let now = context.now();
    let ring = match (ring, purpose) {
        (Some(ring), _) => ring.clone(),
        (None, Some(purpose)) => Ring::empty(purpose, now.wall),
        (None, None) => return Ok(None),
    };
    let mut ring = ring.changed(actions, purpose, NewKeys { made, imported }, now.wall);
    if let Some(object) = &observed.object {
        ring.owner_uid.clone_from(&object.meta.uid);
        ring.owner_generation = object.meta.generation;
    }
    write(context, observed, &ring, before).await?;
    Ok(Some(ring))
}

const NOW: std::time::Duration = std::time::Duration::ZERO;

/// Creates the ring's Secret, or replaces the one that was read.
async fn write(
    context: &Context,
    observed: &Observed,
    ring: &Ring,
    before: Option<&StoredRing>,
) -> Result<(), StepError> {
    let owner = &observed.work.name;
    let secret = ring.to_secret(&context.options.operator_namespace, owner, before.map(|stored| &stored.metadata));
    let written = match before {
        Some(_) => context.replace_secret(Written::Ring, secret).await,
        None => context.create_secret(Written::Ring, secret).await,
    };
    match written {
        Ok(written) => {
            context.with(|state| state.index.wrote_ring(&written));
            Ok(())
        }
        // Somebody was faster: the next reconcile reads what they wrote.
        Err(ClusterError::AlreadyExists | ClusterError::Conflict) => Err(StepError::Outdated("the ring")),
        Err(error) => Err(StepError::cluster("writing the ring", error)),
    }
}
