//! Writing what a Tenant needs: its sealing keys first, then its document, then its default ring.

use std::time::Duration;

use claviger_crds::LocalTenantRef;
use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::Digest;
use claviger_crds::signing_key::{SigningKey, SigningKeySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::observe::Observed;
use super::plan::{DefaultRing, Plan, Unsealed};
use super::sealing::{self, Around, Held, Keys, Rotated};
use crate::acknowledgements::Standing;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::liveness::BEHIND;
use crate::publish::{Publication, publish};
use crate::report::Outcome;
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// What became of the document.
    pub(super) outcome: Outcome,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
    /// Why a change of the sealing keys waits.
    pub(super) held: Option<Held>,
    /// Why the sealing keys could not be written, and nothing was published: that is told, and tried again.
    pub(super) unsealed: Option<StepError>,
    /// Why the default ring could not be made, or ended: that is told, and tried again.
    pub(super) refused: Option<StepError>,
}

/// Carries out a plan; of a paused Tenant, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { document, default_ring, mut verdicts, mut next } = plan;
    if observed.object.meta.paused {
        let (outcome, next) = (Outcome::Kept, Next::IDLE);
        return Ok(Applied { outcome, verdicts, next, held: None, unsealed: None, refused: None });
    }
    let Served { outcome, unsealed, again, held } = match document {
        Some(document) => serve(context, observed, document).await?,
        None => Served::left(observed.serving, None),
    };
    next = next.or(Next { after: again.map(|wait| context.sleep_of(wait)) });
    // A Tenant whose document is refused may be served as it was, and something must sign.
    let creates = matches!(default_ring, DefaultRing::Create(_));
    let refused = match change_default_ring(context, observed, default_ring).await {
        Err(error) if error.is_final() => Some(error),
        changed => changed.map(|()| None)?,
    };
    if let Some(error) = refused.as_ref().filter(|_| creates) {
        without_ring(&mut verdicts, error);
    }
    Ok(Applied { outcome, verdicts, next, held, unsealed, refused })
}

/// What became of the document and of its sealing keys.
struct Served {
    outcome: Outcome,
    unsealed: Option<StepError>,
    /// When the sealing keys change next.
    again: Option<Duration>,
    held: Option<Held>,
}

impl Served {
    /// Nothing was written.
    fn left(serving: bool, unsealed: Option<StepError>) -> Self {
        Self { outcome: Outcome::left(serving), unsealed, again: None, held: None }
    }
}

/// Publishes the document with its sealing keys; not at all where these are refused for good.
async fn serve(context: &Context, observed: &Observed, mut document: Unsealed) -> Result<Served, StepError> {
    let (tenant, served) = (&observed.object.meta, observed.serving);
    let around = around(context, observed, &document);
    let keys = async {
        let Rotated { keys, again, held } = sealing::rotate(context, tenant, document.keys.clone(), &around).await?;
        let keys = sealing::stand(context, tenant, document.slug(), keys, around.longest).await?;
        Ok::<_, StepError>((keys, again, held))
    };
    let (keys, again, held) = match keys.await {
        Ok(keys) => keys,
        // What is stored goes on being published.
        Err(error) if error.is_final() => match document.as_stored() {
            None => return Ok(Served::left(served, Some(error))),
            Some(stored) => {
                let written = publish(context, Publication::of(stored, &tenant.uid)).await.map(Outcome::Stands);
                let outcome = Outcome::of(written, served)?;
                return Ok(Served { outcome, ..Served::left(served, Some(error)) });
            }
        },
        Err(error) => return Err(error),
    };
    document.keys = Keys::Missing { published: Vec::new() };
    let publication = Publication::of(document.with(keys), &tenant.uid);
    let written = publish(context, publication).await.map(Outcome::Stands);
    Ok(Served { outcome: Outcome::of(written, served)?, unsealed: None, again, held })
}

/// What the rotation of the sealing keys rests on.
fn around(context: &Context, observed: &Observed, document: &Unsealed) -> Around {
    let work = observed.object.work();
    let digest = document.as_stored().map(|document| Digest::of(&document.to_bytes()));
    context.with(|state| {
        let entry = state.index.documents.get(&work.document()).filter(|entry| Some(entry.digest) == digest);
        let standing = entry.map(|entry| state.acknowledgements.standing(&entry.name, &entry.digest, entry.revision));
        if !standing.as_ref().is_some_and(Standing::is_acknowledged) {
            state.liveness.wait(&work.document(), &work);
        }
        let patience = BEHIND.saturating_mul(context.pace());
        Around { standing, skewed: state.skewed(), longest: observed.longest_sealed, patience }
    })
}

async fn change_default_ring(context: &Context, observed: &Observed, change: DefaultRing) -> Result<(), StepError> {
    let (work, uid) = (observed.object.work(), &observed.object.meta.uid);
    match change {
        DefaultRing::Leave => {}
        DefaultRing::Create(name) => match context.create_signing_key(signing_key(observed, &name)).await {
            // Somebody has taken the name, or we have: the watch will show which.
            Err(ClusterError::AlreadyExists) => return Err(StepError::Outdated("the default SigningKey")),
            Ok(()) => {
                let note = "This Tenant has no SigningKey: a default one was made".to_owned();
                context.tell(&work, uid, false, "DefaultRingCreated", note).await;
            }
            Err(error) => return Err(StepError::cluster("creating the default SigningKey", error)),
        },
        DefaultRing::Delete { name, uid: key, resource_version } => {
            let deleted = context.delete_signing_key(&name, &key, &resource_version).await;
            deleted.doing("deleting the default SigningKey")?;
            let note = format!("A declared SigningKey signs: the default one, {}, leaves in order", name.name);
            context.tell(&work, uid, false, "DefaultRingLeaves", note).await;
        }
    }
    Ok(())
}

/// Nothing signs, whatever else the Tenant names.
fn without_ring(verdicts: &mut Vec<Verdict>, error: &StepError) {
    let condition = ConditionType::ReferencesResolved;
    let message = format!("this Tenant has no SigningKey, and the default one cannot be made: {error}");
    verdicts.retain(|verdict| verdict.condition != condition);
    verdicts.push(Verdict::no(condition, Reason::SigningKeyNotFound, message));
}

fn signing_key(observed: &Observed, name: &ObjectName) -> SigningKey {
    let owner = &observed.object.meta;
    let spec =
        SigningKeySpec { tenant_ref: LocalTenantRef { name: owner.name.name.clone() }, ..SigningKeySpec::default() };
    let reference = OwnerReference {
        api_version: format!("{}/{}", names::GROUP, names::VERSION),
        kind: "Tenant".to_owned(),
        name: owner.name.name.clone(),
        uid: owner.uid.clone(),
        ..OwnerReference::default()
    };
    let metadata = ObjectMeta {
        namespace: Some(name.namespace.clone()),
        name: Some(name.name.clone()),
        labels: Some([(names::LABEL_MANAGED_BY.to_owned(), names::MANAGER.to_owned())].into()),
        owner_references: Some(vec![reference]),
        ..ObjectMeta::default()
    };
    SigningKey { metadata, spec, status: None }
}
