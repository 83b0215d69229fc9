//! Deleting tombstones whose time is over, and what they stood for. The document goes last: while
//! it stands, a crash is made good by the next round.

use claviger_crds::names::{self, ObjectName};
use jiff::Timestamp;

use super::{gone, names as listed};
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::Entry;
use crate::metrics::Written;
use crate::oauth_client::owned;
use crate::signing_key::ring::StoredRing;
use crate::tenant::sealing;
use crate::work::{Kind, Work};

/// Deletes everything that is left of `work`, unless its custom resource is there after all.
pub(super) async fn expire(context: &Context, work: &Work) -> Result<(), StepError> {
    if !gone(context, work).await? {
        return Ok(());
    }
    let entry = context.with(|state| state.index.documents.get(&work.document()).cloned());
    match (work.kind, &entry) {
        (Kind::SigningKey, _) => ring(context, work).await?,
        (Kind::Tenant, entry) => sealing::expire(context, &work.name, entry.as_ref()).await?,
        (Kind::OAuthClient, Some(entry)) => credentials(context, work, entry).await?,
        _ => {}
    }
    let Some(entry) = entry else { return Ok(()) };
    let at = context.published(&entry.name);
    context
        .delete_secret(Written::Document, &at, &entry.uid, &entry.resource_version)
        .await
        .doing("deleting the tombstone")?;
    context.with(|state| {
        let works = state.index.delete_published(&entry.name);
        state.wake(works);
    });
    tracing::info!(%work, "the tombstone's time is over");
    Ok(())
}

async fn ring(context: &Context, work: &Work) -> Result<(), StepError> {
    let name = names::ring_secret(&work.name);
    let at = ObjectName::new(context.options.operator_namespace.clone(), name.clone());
    let Some(secret) = context.cluster().secret(&at).await.doing("reading the ring")? else {
        return Ok(());
    };
    let StoredRing { ring, metadata } = StoredRing::from_secret(secret)?;
    let over = |at: Timestamp| super::over(at, context.now().wall);
    if !ring.withdrawn_at.is_some_and(over) {
        return Err(StepError::Outdated("the ring"));
    }
    let uid = metadata.uid.unwrap_or_default();
    let version = metadata.resource_version.unwrap_or_default();
    context.delete_secret(Written::Ring, &at, &uid, &version).await.doing("deleting the ring")?;
    context.with(|state| {
        let works = state.index.delete_ring(&name);
        state.wake(works);
    });
    Ok(())
}

/// Deletes the credentials Secrets that were made for the client, if they still say so.
async fn credentials(context: &Context, work: &Work, entry: &Entry) -> Result<(), StepError> {
    for name in &entry.credentials {
        let at = ObjectName::new(work.name.namespace.clone(), name.clone());
        let Some(secret) = context.cluster().secret(&at).await.doing("reading the credentials")? else {
            continue;
        };
        if !owned(&secret, &work.name) {
            continue;
        }
        let uid = secret.metadata.uid.unwrap_or_default();
        let version = secret.metadata.resource_version.unwrap_or_default();
        context.delete_secret(Written::Credentials, &at, &uid, &version).await.doing("deleting the credentials")?;
    }
    tracing::info!(%work, credentials = listed(&entry.credentials), "credentials of a client long gone are deleted");
    Ok(())
}
