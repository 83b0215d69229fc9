//! What a ring's plan rests on: the index, and the ring itself without a cache.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Digest, KeyPhase};
use claviger_crds::signing_key::SigningKey;
use claviger_jose::{Algorithm, Kid};

use super::import::{self, Source};
use super::ring::{Ring, RingError, StoredRing};
use super::rotation::{Revocation, Surroundings};
use crate::acknowledgements::{Acknowledgements, Reached, Standing};
use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::documents::{Detail, Entry};
use crate::index::object::Object;
use crate::liveness::BEHIND;
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
    /// The clients that would be without a key for their ID tokens if the ring's algorithm changed as is asked for.
    pub(super) pinned: Vec<ObjectName>,
    /// The Secret of the key that is to sign, where the SigningKey names one and may serve.
    pub(super) source: Option<Source>,
    pub(super) around: Surroundings,
    /// The highest revision that was ever stored or served, if the document must be written again.
    pub(super) spoilt: Option<u64>,
    /// The keys of which the document that is published says that they are revoked, if one is.
    pub(super) told: Option<BTreeSet<Kid>>,
}

impl Observed {
    /// Whether the ring was changed by a later state of the SigningKey than we know.
    fn is_behind(&self) -> bool {
        let (Some(object), Some(stored)) = (&self.object, &self.stored) else {
            return false;
        };
        stored.ring.owner_uid == object.meta.uid && stored.ring.owner_generation > object.meta.generation
    }

    /// Whether the ring knows of a revoked key, and the document does not.
    pub(super) fn untold(&self) -> bool {
        let told = self.told.as_ref();
        let is_told = |kid: &Kid| told.is_some_and(|told| told.contains(kid));
        self.stored.as_ref().is_some_and(|stored| !stored.ring.revoked.iter().all(is_told))
    }

    /// Whether a revocation of `kid` is news.
    fn is_news(&self, kid: &Kid) -> bool {
        let set_back = self.around.rolled_back.is_some();
        match (&self.stored, &self.told) {
            (Some(stored), _) => stored.ring.may_revoke(kid, set_back),
            // Of a ring that is lost, the last memory is what is published, and then what pods say.
            (None, Some(told)) => set_back && !told.contains(kid),
            (None, None) => set_back && !self.around.revoked.contains_key(kid),
        }
    }

    /// Takes in what the SigningKey says of keys that must no longer be trusted. Who changed it is asked
    /// only when that is news.
    async fn revoke(&mut self, context: &Context) -> Result<(), StepError> {
        let Some(valid) = self.object.as_ref().and_then(|object| object.valid()) else {
            return Ok(());
        };
        let news: Vec<_> = valid.revoked.iter().filter(|revoked| self.is_news(&revoked.kid)).cloned().collect();
        if news.is_empty() {
            return Ok(());
        }
        self.around.lost_and_revoked = self.stored.is_none();
        let meta = context.cluster().owner(Kind::SigningKey, &self.work.name).await.doing("reading the SigningKey")?;
        for revoked in news {
            let by =
                revoked.by.or_else(|| meta.as_ref()?.writer(&["f:spec", "f:revoked"], "kid", revoked.kid.as_str()));
            let by = by.unwrap_or_else(|| "unknown".to_owned());
            self.around.revoked.insert(revoked.kid, Revocation { reason: revoked.reason, by });
        }
        Ok(())
    }
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
    if observed.is_behind() {
        return Err(StepError::Outdated("the SigningKey"));
    }
    observed.revoke(context).await?;
    if let (Some(valid), Some(TenantStanding::Accepted(tenant))) =
        (observed.object.as_ref().and_then(|object| object.valid()), &observed.tenant)
    {
        observed.source = import::read(context, valid, tenant.slug()).await?;
    }
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
    let client_token_lifetime = tenant_name.as_ref().map_or(0, |name| state.index.token_lifetime(name));
    let slug = match (&tenant, &stored) {
        (Some(TenantStanding::Accepted(tenant)), _) => Some(tenant.slug().to_owned()),
        (_, Some(stored)) => Some(stored.ring.tenant.clone()),
        _ => None,
    };
    let rings = slug.as_ref().map(|slug| tenant::rings(state, slug, &work)).unwrap_or_default();
    let entry = state.index.documents.get(&work.document()).cloned();
    let told = entry.as_ref().and_then(told);
    let (around, spoilt) = surroundings(state, &work, stored.as_ref(), &rings);
    let mut around = around.at_pace(context.pace());
    if let Some(slug) = slug {
        let makes = object.is_some() && stored.is_none() && !around.another_signs;
        around.another_signs |= another_is_first(state, slug, &work.name, makes);
    }
    let owner_uid = object.as_ref().map(|object| object.meta.uid.clone());
    let owner_uid = owner_uid.or_else(|| entry.map(|entry| entry.owner_uid)).unwrap_or_default();
    let asked = object.as_ref().and_then(|object| Some(object.valid()?.algorithm));
    let signs = stored.as_ref().and_then(|stored| Some(stored.ring.active()?.public_key.algorithm()));
    let given_up = signs.filter(|signs| asked.is_some_and(|asked| asked != *signs));
    let pinned =
        given_up.zip(tenant_name).map(|(algorithm, tenant)| pinned(state, &work.name, &tenant, algorithm, &rings));
    Observed {
        work,
        object,
        tenant,
        stored,
        unreadable: None,
        owner_uid,
        client_token_lifetime,
        pinned: pinned.unwrap_or_default(),
        source: None,
        around,
        spoilt,
        told,
    }
}

fn told(entry: &Entry) -> Option<BTreeSet<Kid>> {
    match &entry.detail {
        Detail::Ring { revoked, .. } => Some(revoked.clone()),
        _ => None,
    }
}

/// Whether another ring of the tenant is being made as its first, or was; else `name` is, where it `makes`
/// one. To make a key takes a while, in which nothing is published that could be seen.
fn another_is_first(state: &mut State, slug: String, name: &ObjectName, makes: bool) -> bool {
    match state.first_rings.get(&slug) {
        Some(first) if first == name => false,
        Some(first) if state.index.signing_keys.contains(first) => true,
        _ => {
            if makes {
                state.first_rings.insert(slug, name.clone());
            }
            false
        }
    }
}

/// The clients whose ID tokens are signed by `algorithm`, where no ring of the tenant but `name` has a key of it.
fn pinned(
    state: &State,
    name: &ObjectName,
    tenant: &ObjectName,
    algorithm: Algorithm,
    rings: &[PublishedRing],
) -> Vec<ObjectName> {
    if rings.iter().any(|ring| ring.owner != *name && ring.signs() && ring.algorithm == Some(algorithm)) {
        return Vec::new();
    }
    state.index.pinning(tenant, algorithm).into_iter().collect()
}

fn surroundings(
    state: &mut State,
    work: &Work,
    stored: Option<&StoredRing>,
    rings: &[PublishedRing],
) -> (Surroundings, Option<u64>) {
    let others = || rings.iter().filter(|ring| ring.owner != work.name && ring.signs());
    let mut around = Surroundings {
        successor_since: others().filter_map(|ring| ring.since).min_by_key(|since| since.monotonic),
        // Pods sign with one that leaves, too, while no other can.
        another_signs: rings.iter().any(|ring| ring.owner != work.name && ring.active() && !ring.joining),
        max_cache_lifetime: rings.iter().map(|ring| ring.max_cache_lifetime).max().unwrap_or(0),
        skewed: state.skewed(),
        patience: BEHIND,
        ..Surroundings::default()
    };
    let name = work.document();
    let entry = state.index.documents.get(&name);
    let served = state.acknowledgements.highest(&name);
    let revision = stored.map_or(0, |stored| stored.ring.revision);
    let digest = stored.map(|stored| Digest::of(&stored.ring.document(&work.name).to_bytes()));
    // A pod ahead of us with our own content only counted further; with other content it knows
    // keys that we do not.
    let is_ahead = |ahead: u64| stored.is_none() || ahead > revision;
    let later = [
        served.filter(|(ahead, content)| is_ahead(*ahead) && Some(*content) != digest).map(|(ahead, _)| ahead),
        entry
            .filter(|entry| is_ahead(entry.revision) && Some(entry.digest) != digest && !entry.tampered())
            .map(|entry| entry.revision),
    ];
    around.rolled_back = later.into_iter().flatten().max();
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
        }
    }
    if let Some(stored) = stored {
        around.reached = reached(&state.acknowledgements, &name, &stored.ring);
        // A wait that is counted from an acknowledgement begins with it.
        if around.acknowledged_since.is_none() || around.reached.values().any(|reached| reached.since().is_none()) {
            state.liveness.wait(&name, work);
        }
    }
    around.revoked = known_to_be_revoked(&state.acknowledgements, &name, stored.map(|stored| &stored.ring));
    (around, spoilt)
}

/// Since when the pods serve the revisions from which something of the ring is counted.
pub(super) fn reached(pods: &Acknowledgements, document: &str, ring: &Ring) -> BTreeMap<u64, Reached> {
    let counts = ring.keys.iter().filter_map(|key| match key.phase {
        KeyPhase::Published => Some(key.revision),
        KeyPhase::Active => ring.joining.then_some(key.revision),
        KeyPhase::Retiring => Some(key.retiring_revision),
        KeyPhase::VerifyOnly | KeyPhase::Revoked => None,
    });
    counts.map(|revision| (revision, pods.reached(document, revision))).collect()
}

/// The keys of which pods, or the ring itself, know that they were revoked before: an older state of the
/// ring may have been restored, or a key imported again.
pub(super) fn known_to_be_revoked(
    pods: &Acknowledgements,
    document: &str,
    ring: Option<&Ring>,
) -> BTreeMap<Kid, Revocation> {
    let remembered = ring.map(|ring| ring.revoked.clone()).unwrap_or_default();
    let known = pods.revoked(document).into_iter().chain(remembered);
    let again = || Revocation { reason: "it had been revoked before".to_owned(), by: "claviger-operator".to_owned() };
    known.map(|kid| (kid, again())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Harness, fixtures};

    #[tokio::test]
    async fn of_two_rings_that_are_made_at_once_one_is_the_first_until_its_signing_key_is_gone() {
        let mut harness = Harness::start().await;
        harness.apply::<SigningKey>(fixtures::SIGNING_KEY).await;
        let [one, other] = ["acme-es256", "acme-other"].map(|name| ObjectName::new("identity", name));
        let asks = |harness: &Harness, name: &ObjectName, makes| {
            harness.engine.context().with(|state| another_is_first(state, "acme".to_owned(), name, makes))
        };
        assert!(!asks(&harness, &other, false), "nobody makes one");
        assert!(!asks(&harness, &one, true));
        assert!(!asks(&harness, &one, true), "it tries again");
        assert!(asks(&harness, &other, true), "though nothing is published");
        harness.delete::<SigningKey>("identity", "acme-es256").await;
        assert!(!asks(&harness, &other, true));
    }
}
