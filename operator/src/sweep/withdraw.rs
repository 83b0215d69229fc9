//! Withdrawing what lost its owner.

use claviger_crds::names::{self, ObjectName};

use super::gone;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::metrics::Written;
use crate::publish::{self, Publication};
use crate::signing_key::ring::StoredRing;
use crate::tenant::sealing;
use crate::work::{Kind, Work};

/// Withdraws what `work` published, unless its custom resource is there after all.
pub(super) async fn withdraw(context: &Context, work: &Work) -> Result<(), StepError> {
    if !gone(context, work).await? {
        return Ok(());
    }
    if work.kind == Kind::SigningKey && ring(context, work).await? {
        return Ok(());
    }
    publish::withdraw(context, work).await?;
    if work.kind == Kind::Tenant { sealing::withdraw(context, &work.name).await } else { Ok(()) }
}

/// A ring leaves in order while its tenant lives, and is withdrawn with it. Whether there was one.
async fn ring(context: &Context, work: &Work) -> Result<bool, StepError> {
    let at = ObjectName::new(context.options.operator_namespace.clone(), names::ring_secret(&work.name));
    let Some(secret) = context.cluster().secret(&at).await.doing("reading the ring")? else {
        return Ok(false);
    };
    let StoredRing { mut ring, metadata } = StoredRing::from_secret(secret)?;
    let now = context.now().wall;
    let tenant = ObjectName::new(work.name.namespace.clone(), ring.tenant_name.clone());
    let lives = context.cluster().owner(Kind::Tenant, &tenant).await.doing("reading the tenant")?.is_some();
    if ring.withdrawn_at.is_none() {
        if lives && ring.leaving_since.is_some() {
            return Ok(true);
        }
        if lives {
            // The document says nothing of this: its revision stays.
            ring.leaving_since = Some(now);
        } else {
            ring.withdrawn_at = Some(now);
            let known = context.with(|state| state.highest_revision(&work.document()));
            ring.revision = ring.revision.max(known).saturating_add(1);
        }
        let secret = ring.to_secret(&context.options.operator_namespace, &work.name, Some(&metadata));
        let written = context.replace_secret(Written::Ring, secret).await.doing("writing the ring")?;
        context.with(|state| {
            state.index.wrote_ring(&written);
            state.wake([work.clone()]);
        });
        tracing::info!(%work, leaves = lives, "its SigningKey is gone: the ring leaves or is withdrawn");
    }
    if ring.withdrawn_at.is_some() {
        let owner_uid = context.with(|state| {
            state.liveness.forget(&work.document());
            state.published_owner(&work.document())
        });
        // A ring that was never published has no document to withdraw.
        if let Some(owner_uid) = owner_uid {
            let mut publication = Publication::of(ring.document(&work.name), &owner_uid);
            publication.revision = Some(ring.revision);
            publish::publish(context, publication).await?;
        }
    }
    Ok(true)
}
