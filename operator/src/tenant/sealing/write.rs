//! Writing a tenant's sealing keys: always before the document that they are published in, so that a
//! crash between the two leaves the truth ahead, and the next reconcile projects it.

use std::time::Duration;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::SealingKeyDocument;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::rotation::{Around, Decision, Held};
use super::{Keys, Sealing, first};
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::Entry;
use crate::index::object::Meta;
use crate::metrics::Written;
use crate::work::{Kind, Work};

/// Where the sealing keys of the Tenant `name` are.
pub(super) fn place(context: &Context, name: &ObjectName) -> ObjectName {
    ObjectName::new(context.options.operator_namespace.clone(), names::sealing_secret(name))
}

/// Makes the keys stand in their Secret, and returns them: what is published is what this returns.
/// `longest` is how long anything may live that is sealed with them, seconds.
pub(in crate::tenant) async fn stand(
    context: &Context,
    tenant: &Meta,
    slug: &str,
    keys: Keys,
    longest: u32,
) -> Result<Vec<SealingKeyDocument>, StepError> {
    let now = context.now().wall;
    let (sealing, before, restored) = match keys {
        Keys::Stored(stored) => return Ok(stored.0.keys),
        Keys::Missing { published } if !published.is_empty() => (Sealing::new(slug, published), None, true),
        Keys::Missing { .. } => (Sealing::new(slug, first(now)), None, false),
        Keys::Withdrawn(stored) => (stored.0, Some(stored.1), false),
        Keys::OfAnother { metadata } => {
            // An old leader that still sees the Tenant of before must not undo what the next one made.
            let owner = context.cluster().owner(Kind::Tenant, &tenant.name).await.doing("reading the tenant")?;
            if owner.is_none_or(|owner| owner.uid != tenant.uid) {
                return Err(StepError::Outdated("the Tenant"));
            }
            (Sealing::new(slug, first(now)), Some(*metadata), false)
        }
    };
    let sealing = Sealing { longest: sealing.longest.max(longest), ..sealing };
    let secret = sealing.to_secret(&context.options.operator_namespace, &tenant.name, before.as_ref());
    store(context, secret, before.is_some()).await?;
    if restored {
        let note = "The Secret with the sealing keys had been deleted by somebody else; it was made again from what is \
                    published";
        let work = Work::new(Kind::Tenant, tenant.name.clone());
        context.tell(&work, &tenant.uid, true, "SealingKeysRestored", note.to_owned()).await;
    }
    Ok(sealing.keys)
}

/// What became of keys that stand.
pub(in crate::tenant) struct Rotated {
    /// As they are now.
    pub(in crate::tenant) keys: Keys,
    /// When to look again.
    pub(in crate::tenant) again: Option<Duration>,
    /// Why a change of them waits.
    pub(in crate::tenant) held: Option<Held>,
}

/// Rotates the keys that stand, where it is time.
pub(in crate::tenant) async fn rotate(
    context: &Context,
    tenant: &Meta,
    keys: Keys,
    around: &Around,
) -> Result<Rotated, StepError> {
    let Keys::Stored(stored) = keys else {
        return Ok(Rotated { keys, again: None, held: None });
    };
    let (sealing, metadata) = *stored;
    let now = context.now_of_keys();
    let ends = context.with(|state| {
        let ends = state.sealing_ends.entry(tenant.name.clone()).or_default();
        sealing.note_ends(ends, now);
        ends.clone()
    });
    let Decision { changed, again, held } = sealing.rotated(around, &ends, now);
    let Some(changed) = changed else {
        return Ok(Rotated { keys: Keys::Stored(Box::new((sealing, metadata))), again, held });
    };
    let secret = changed.to_secret(&context.options.operator_namespace, &tenant.name, Some(&metadata));
    store(context, secret, true).await?;
    if let Some(active) = changed.active().filter(|active| Some(*active) != sealing.active()) {
        let note = format!("The sealing key {active} seals from now on; what was sealed before stays readable");
        let work = Work::new(Kind::Tenant, tenant.name.clone());
        context.tell(&work, &tenant.uid, false, "SealingKeyPromoted", note).await;
    }
    Ok(Rotated { keys: Keys::Stored(Box::new((changed, metadata))), again: Some(Duration::ZERO), held })
}

async fn store(context: &Context, secret: Secret, exists: bool) -> Result<(), StepError> {
    let written = if exists {
        context.replace_secret(Written::Sealing, secret).await
    } else {
        context.create_secret(Written::Sealing, secret).await
    };
    match written {
        Ok(written) => {
            context.with(|state| state.index.wrote_sealing(&written));
            Ok(())
        }
        // Somebody was faster: the next reconcile reads and adopts what they wrote.
        Err(ClusterError::AlreadyExists | ClusterError::Conflict) => Err(StepError::Outdated("the sealing keys")),
        Err(error) => Err(StepError::cluster("writing the sealing keys", error)),
    }
}

/// The Tenant `name` is gone, and so is its document, or there never was one (a crash before the first,
/// or somebody deleted it): from now on its keys have the time of a tombstone.
pub(crate) async fn withdraw(context: &Context, name: &ObjectName) -> Result<(), StepError> {
    let work = Work::new(Kind::Tenant, name.clone());
    if context.with(|state| state.index.documents.get(&work.document()).is_some()) {
        return Ok(());
    }
    let at = place(context, name);
    let Some(mut secret) = context.cluster().secret(&at).await.doing("reading the sealing keys")? else {
        forget(context, &at);
        return Ok(());
    };
    if withdrawn_at(&secret.metadata).is_none() {
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(names::ANNOTATION_WITHDRAWN_AT.to_owned(), context.now().wall.to_string());
        store(context, secret, true).await?;
        tracing::info!(%work, "its sealing keys are withdrawn: nothing else is left of it");
    }
    Ok(())
}

/// Deletes the keys of a Tenant that is gone, with its tombstone `entry` or, where there is none, when
/// the time is over that they were given themselves.
pub(crate) async fn expire(context: &Context, name: &ObjectName, entry: Option<&Entry>) -> Result<(), StepError> {
    let at = place(context, name);
    let Some(secret) = context.cluster().secret(&at).await.doing("reading the sealing keys")? else {
        forget(context, &at);
        return Ok(());
    };
    match entry {
        Some(entry) => {
            // They cannot be made again: the tombstone is what it was when its time was judged.
            let stands = context.cluster().secret(&context.published(&entry.name)).await;
            let stands = stands.doing("reading the tombstone")?.and_then(|secret| secret.metadata.resource_version);
            if stands.as_ref() != Some(&entry.resource_version) {
                return Err(StepError::Outdated("the tombstone"));
            }
        }
        None if !withdrawn_at(&secret.metadata).is_some_and(|at| crate::sweep::over(at, context.now().wall)) => {
            return Err(StepError::Outdated("the sealing keys"));
        }
        None => {}
    }
    let uid = secret.metadata.uid.unwrap_or_default();
    let version = secret.metadata.resource_version.unwrap_or_default();
    context.delete_secret(Written::Sealing, &at, &uid, &version).await.doing("deleting the sealing keys")?;
    context.with(|state| state.sealing_ends.remove(name));
    forget(context, &at);
    Ok(())
}

/// There are none. A Tenant that came back at this very moment looks again.
fn forget(context: &Context, at: &ObjectName) {
    context.with(|state| {
        let works = state.index.delete_sealing(&at.name);
        state.wake(works);
    });
}

fn withdrawn_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.annotations.as_ref()?.get(names::ANNOTATION_WITHDRAWN_AT)?.parse().ok()
}
