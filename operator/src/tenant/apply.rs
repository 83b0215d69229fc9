//! Writing what a Tenant needs: its sealing keys first, then its document, then its default ring.

use claviger_crds::LocalTenantRef;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::signing_key::{SigningKey, SigningKeySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::observe::Observed;
use super::plan::{DefaultRing, Plan, Unsealed};
use super::sealing;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::liveness::Live;
use crate::publish::{Publication, publish};
use crate::work::Next;
use claviger_crds::condition::Verdict;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// The document as it stands, if the tenant may be served.
    pub(super) live: Option<Live>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
    /// Why the sealing keys could not be written: that is told, and tried again.
    pub(super) refused: Option<StepError>,
}

/// Carries out a plan; of a paused Tenant, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { document, default_ring, verdicts, next } = plan;
    if observed.object.meta.paused {
        return Ok(Applied { live: None, verdicts, next: Next::IDLE, refused: None });
    }
    let (live, refused) = match document {
        Some(document) => serve(context, observed, document).await?,
        None => (None, None),
    };
    match default_ring {
        DefaultRing::Leave => {}
        DefaultRing::Create(name) => match context.create_signing_key(signing_key(observed, &name)).await {
            // Somebody has taken the name, or we have: the watch will show which.
            Err(ClusterError::AlreadyExists) => return Err(StepError::Outdated("the default SigningKey")),
            Ok(()) => {
                let note = "This Tenant has no SigningKey: a default one was made".to_owned();
                context
                    .tell(&observed.object.work(), &observed.object.meta.uid, false, "DefaultRingCreated", note)
                    .await;
            }
            Err(error) => return Err(StepError::cluster("creating the default SigningKey", error)),
        },
        DefaultRing::Delete { name, uid, resource_version } => {
            let deleted = context.delete_signing_key(&name, &uid, &resource_version).await;
            deleted.doing("deleting the default SigningKey")?;
            let note = format!("A declared SigningKey signs: the default one, {}, leaves in order", name.name);
            context.tell(&observed.object.work(), &observed.object.meta.uid, false, "DefaultRingLeaves", note).await;
        }
    }
    Ok(Applied { live, verdicts, next, refused })
}

/// Publishes the document with its sealing keys; not at all where these are refused for good.
async fn serve(
    context: &Context,
    observed: &Observed,
    document: Unsealed,
) -> Result<(Option<Live>, Option<StepError>), StepError> {
    let tenant = &observed.object.meta;
    match sealing::stand(context, tenant, document.slug(), document.keys.clone()).await {
        Ok(keys) => {
            let publication = Publication::of(document.with(keys), &tenant.uid);
            Ok((Some(publish(context, publication).await?), None))
        }
        Err(error) if error.is_final() => Ok((None, Some(error))),
        Err(error) => Err(error),
    }
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
