//! What a ring's plan rests on: the index, and the ring itself without a cache.

use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::Digest;
use claviger_crds::signing_key::SigningKey;

use super::ring::{RingError, StoredRing};
use super::rotation::Surroundings;
use crate::acknowledgements::Standing;
use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::object::Object;
use crate::tenant::observe::{self as tenant, PublishedRing, TenantStanding};
use crate::work::{Kind, Work};

/// See the module.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) work: Work,
    /// The SigningKey, unless it is gone.
    pub(super) object: Option<Arc<Object<SigningKey>>>,
    /// How its Tenant stands; of a ring without a SigningKey, unknown.
    pub(super) tenant: Option<TenantStanding>,
    /// The ring, if there is one.
    pub(super) stored: Option<StoredRing>,
    /// Why there is none in `stored` though there is a Secret. Nothing is written over that.
    pub(super) unreadable: Option<RingError>,
    /// UID that the document names as its owner's.
    pub(super) owner_uid: String,
    /// The greatest token lifetime that the tenant's clients ask for, seconds.
    pub(super) client_token_lifetime: u32,
    pub(super) around: Surroundings,
    /// The highest revision that was ever stored or served, if the document must be written again.
    pub(super) spoilt: Option<u64>,
}

/// Reads the index and the ring. `None` if there is nothing to do: neither SigningKey nor a ring
/// that leaves, or a new leader that has not yet heard from the pods.
pub(super) async fn observe(context: &Context, name: &ObjectName) -> Result<Option<Observed>, StepError> {
    let work = Work::new(Kind::SigningKey, name.clone());
    let wanted = context.with(|state| {
        let leaves = state.index.ring(name).is_some_and(|ring| ring.leaving && ring.withdrawn_at.is_none());
        let exists = state.index.signing_keys.contains(name);
        // What the pods serve decides whether the ring is older than it should be.
        (exists || leaves) && state.liveness.settled_or_defer(&work)
    });
    if !wanted {
        return Ok(None);
    }
    let at = ObjectName::new(context.options.operator_namespace.clone(), names::ring_secret(name));
    let secret = context.cluster().secret(&at).await.doing("reading the ring")?;
    let (stored, unreadable) = match secret.map(StoredRing::from_secret).transpose() {
        Ok(stored) => (stored, None),
        Err(error) => (None, Some(error)),
    };
    let mut observed = context.with(|state| look(context, state, work, stored));
    match unreadable {
        Some(error) if observed.object.is_none() => return Err(error.into()),
        unreadable => observed.unreadable = unreadable,
    }
    Ok(Some(observed))
}

fn look(context: &Context, state: &mut State, work: Work, stored: Option<StoredRing>) -> Observed {
    let object = state.index.signing_keys.get(&work.name).cloned();
    let tenant_name = object.as_ref().and_then(|object| object.tenant());
    let tenant = tenant_name.as_ref().map(|name| tenant::standing(context, state, name));
    let client_token_lifetime = tenant_name.map_or(0, |name| state.index.members.token_lifetime(&name));
    let slug = match (&tenant, &stored) {
        (Some(TenantStanding::Accepted(tenant)), _) => Some(tenant.slug().to_owned()),
        (_, Some(stored)) => Some(stored.ring.tenant.clone()),
        _ => None,
    };
    let rings = slug.map(|slug| tenant::rings(state, &slug, &work)).unwrap_or_default();
    let entry = state.index.documents.get(&work.document()).cloned();
    let (around, spoilt) = surroundings(state, &work, stored.as_ref(), &rings);
    let owner_uid = object.as_ref().map(|object| object.meta.uid.clone());
    let owner_uid = owner_uid.or_else(|| entry.map(|entry| entry.owner_uid)).unwrap_or_default();
    Observed { work, object, tenant, stored, unreadable: None, owner_uid, client_token_lifetime, around, spoilt }
}

fn surroundings(
    state: &mut State,
    work: &Work,
    stored: Option<&StoredRing>,
    rings: &[PublishedRing],
) -> (Surroundings, Option<u64>) {
    let others = || rings.iter().filter(|ring| ring.owner != work.name && ring.signs());
    let mut around = Surroundings {
        successor_since: others().filter_map(|ring| ring.since).min(),
        another_signs: others().next().is_some(),
        cache_lifetime: rings.iter().map(|ring| ring.cache_lifetime).max().unwrap_or(0),
        skewed: state.skewed(),
        retired: state.retired.get(&work.name).copied(),
        ..Surroundings::default()
    };
    let name = work.document();
    let entry = state.index.documents.get(&name);
    let served = state.acknowledgements.highest(&name);
    let revision = stored.map_or(0, |stored| stored.ring.revision);
    let digest = stored.map(|stored| Digest::of(&stored.ring.document(&work.name).to_bytes()));
    // A pod ahead of us with our own content only counted further; with other content it knows
    // keys that we do not.
    around.rolled_back = served.is_some_and(|(ahead, content)| ahead > revision && Some(content) != digest)
        || entry.is_some_and(|entry| entry.revision > revision && Some(entry.digest) != digest && !entry.tampered());
    let mut spoilt = None;
    if let Some(digest) = digest {
        let foreign = entry.is_some_and(|entry| {
            entry.revision >= revision && (entry.digest != digest || !entry.intact || entry.revision > revision)
        });
        let ahead = served.is_some_and(|(ahead, content)| ahead > revision && content == digest);
        if foreign || ahead {
            let highest = entry.map(|entry| entry.revision).max(served.map(|(revision, _)| revision));
            spoilt = Some(highest.unwrap_or(0).max(revision));
        }
        if let Standing::Acknowledged { since } = state.acknowledgements.standing(&name, &digest, revision) {
            around.acknowledged_since = Some(since);
        } else if stored.is_some_and(|stored| stored.ring.leaving_since.is_some()) {
            state.liveness.wait(&name, work);
        }
    }
    (around, spoilt)
}
