//! What the published documents say, by tenant: pure state.
//!
//! The provider calls [`Index::apply`] and [`Index::delete`] and publishes the snapshots of the
//! tenants that were touched. Documents come in any order. A document that is older, unusable or in
//! conflict costs only itself: what was there before stays. One thing is taken of an older one: a key
//! that it revokes is trusted no more, see [`Index::revoke`].

mod part;
mod tenant;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use claviger_crds::published::{Content, Digest, Stored};
use claviger_jose::Kid;

use self::part::{Claim, Part, Place};
use self::tenant::{Declared, Tenant};
use super::snapshot::{Issuer, TenantSnapshot};
use crate::metrics::KeyMetrics;

/// Every document that was read, and what they make of each tenant.
#[derive(Default)]
pub(crate) struct Index {
    documents: HashMap<Arc<str>, Held>,
    tenants: HashMap<Arc<str>, Tenant>,
    /// Which document holds a host.
    hosts: HashMap<Arc<str>, Arc<str>>,
    /// Documents that want a name which another holds.
    waiting: HashMap<Claim, BTreeMap<Arc<str>, Stored>>,
    /// Where snapshots count what their keys do.
    keys: KeyMetrics,
}

/// The newest that was read of a document.
struct Held {
    revision: u64,
    digest: Digest,
    /// What is served of it; none once it is withdrawn.
    place: Option<Place>,
    /// The name that it waits for: then what is served of it, if anything, is older.
    waits_for: Option<Claim>,
}

/// What became of a document.
pub(crate) struct Outcome {
    /// Whether it is served.
    pub(crate) verdict: Verdict,
    /// Whether it is not, and keys that it revokes are trusted no more all the same.
    pub(crate) revokes: bool,
    /// Slugs of the tenants whose snapshots changed.
    pub(crate) touched: Vec<Arc<str>>,
    /// Documents that waited for a name which is free now: apply them next, the last first.
    pub(crate) freed: Vec<Stored>,
}

/// Whether a document is served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is; of a withdrawn one, the withdrawal.
    Serving,
    /// It is not; what was served before is.
    Refused {
        /// For metrics.
        category: &'static str,
        /// For people.
        reason: String,
    },
}

/// What the end of a published Secret means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// It was withdrawn before, or never served: nothing is known of it any more.
    Forgotten,
    /// It was served, and is.
    Lost,
}

/// The content of a document cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable(&'static str);

impl Unusable {
    /// `reason` never holds any of the content.
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self(reason)
    }
}

impl Index {
    /// An index of nothing, whose snapshots count in `keys`.
    pub(crate) fn new(keys: KeyMetrics) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Takes `stored` in.
    pub(crate) fn apply(&mut self, stored: &Stored) -> Outcome {
        match self.settled(stored) {
            Some(Verdict::Serving) => return Outcome::unchanged(Verdict::Serving),
            Some(Verdict::Refused { category, reason }) => return self.revoke(stored, category, reason),
            None => {}
        }
        if stored.document.withdrawn_at.is_some() {
            return self.hold(stored, None);
        }
        let part = match Part::parse(stored, self.revoked(stored)) {
            Ok(part) => part,
            Err(Unusable(reason)) => return Outcome::refused("unusable", reason.to_owned()),
        };
        let place = part.place(&stored.document.tenant);
        let taken = place.claims().into_iter().find(|claim| self.is_held_by_another(claim, &stored.name));
        match taken {
            Some(claim) => self.wait(stored, claim),
            None => self.hold(stored, Some((place, part))),
        }
    }

    /// Takes of `stored`, which is refused, the one thing that an older state of a ring can say: that a key
    /// must not be trusted. The operator's memory may have been set back, and a key be stolen then: the
    /// revoked keys only grow, and to trust fewer keys harms nobody whom the key's thief would not.
    ///
    /// Where nothing of the ring would sign any more, `stored` is taken whole, for it has keys that do: verifiers
    /// may not know them, which is better than a tenant without any key.
    fn revoke(&mut self, stored: &Stored, category: &'static str, reason: String) -> Outcome {
        let Content::SigningKey(document) = &stored.document.content else {
            return Outcome::refused(category, reason);
        };
        let tenant = self.tenants.get_mut(stored.document.tenant.as_str());
        let Some(ring) = tenant.and_then(|tenant| tenant.rings.get(stored.name.as_str())) else {
            return Outcome::refused(category, reason);
        };
        if document.revoked.is_subset(&ring.revoked) {
            return Outcome::refused(category, reason);
        }
        let bereft = ring.signer.is_some() && !ring.signs_without(&document.revoked);
        if bereft
            && stored.document.withdrawn_at.is_none()
            && let Ok(part) = Part::parse(stored, &ring.revoked)
        {
            return self.hold(stored, Some((part.place(&stored.document.tenant), part)));
        }
        let slug: Arc<str> = stored.document.tenant.as_str().into();
        let shown = self.kids(&slug, &stored.name);
        if let Some(tenant) = self.tenants.get_mut(&slug) {
            tenant.rings.get_mut(stored.name.as_str()).into_iter().for_each(|ring| ring.revoke(&document.revoked));
            tenant.issuer = None;
        }
        let touched = vec![slug];
        self.forget_gone(&shown, &touched);
        let verdict =
            Verdict::Refused { category, reason: format!("{reason}; only what it revokes was taken from it") };
        Outcome { verdict, revokes: true, touched, freed: Vec::new() }
    }

    /// The keys of the ring `stored` that must never be trusted again, by what was served of it.
    fn revoked(&self, stored: &Stored) -> &BTreeSet<Kid> {
        static NONE: BTreeSet<Kid> = BTreeSet::new();
        let tenant = self.tenants.get(stored.document.tenant.as_str());
        tenant.and_then(|tenant| tenant.rings.get(stored.name.as_str())).map_or(&NONE, |ring| &ring.revoked)
    }

    /// The Secret `name` is gone.
    pub(crate) fn delete(&mut self, name: &str) -> Deleted {
        match self.documents.get(name) {
            Some(Held { place: Some(_), .. }) => Deleted::Lost,
            Some(_) => {
                self.stop_waiting(name);
                self.documents.remove(name);
                Deleted::Forgotten
            }
            None => Deleted::Forgotten,
        }
    }

    /// How many documents are known, withdrawn ones included.
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// The tenant `slug` as it is now; none where no Tenant declares it.
    pub(crate) fn snapshot(&mut self, slug: &str) -> Option<Arc<TenantSnapshot>> {
        let keys = &self.keys;
        let Tenant { declared, rings, clients, apis, accounts, users, origins, issuer } = self.tenants.get_mut(slug)?;
        let Declared { owner, document, trust, .. } = declared.as_ref()?;
        let issuer = issuer.get_or_insert_with(|| Arc::new(Issuer::new(owner, document, trust, rings.values(), keys)));
        Some(Arc::new(TenantSnapshot {
            issuer: Arc::clone(issuer),
            clients: clients.clone(),
            apis: apis.clone(),
            accounts: accounts.clone(),
            users: users.clone(),
            origins: origins.clone(),
        }))
    }

    /// The verdict where nothing has to be done.
    fn settled(&mut self, stored: &Stored) -> Option<Verdict> {
        let held = self.documents.get_mut(stored.name.as_str())?;
        let (new, old) = (stored.revision, held.revision);
        if new < old {
            let reason = format!("revision {new} is older than {old}, which was read before");
            return Some(Verdict::Refused { category: "older", reason });
        }
        if new == old && stored.digest != held.digest {
            let reason = format!("revision {new} was read before with other content");
            return Some(Verdict::Refused { category: "same_revision", reason });
        }
        let same = stored.digest == held.digest && held.waits_for.is_none();
        same.then(|| {
            held.revision = new;
            Verdict::Serving
        })
    }

    fn is_held_by_another(&self, claim: &Claim, name: &str) -> bool {
        let holder = match claim {
            Claim::Slug(slug) => {
                self.tenants.get(slug).and_then(|tenant| tenant.declared.as_ref()).map(|declared| &declared.name)
            }
            Claim::Host(host) => self.hosts.get(host),
            Claim::ClientId(slug, id) => {
                self.tenants.get(slug).and_then(|tenant| tenant.clients.get(id)).map(|client| &client.document)
            }
            Claim::Username(slug, username) => {
                self.tenants.get(slug).and_then(|tenant| tenant.users.named(username)).map(|user| &user.document)
            }
            Claim::Subject(slug, subject) => {
                self.tenants.get(slug).and_then(|tenant| tenant.users.get(subject)).map(|user| &user.document)
            }
        };
        holder.is_some_and(|holder| **holder != *name)
    }

    /// What is served of `stored` is `part` from now on.
    fn hold(&mut self, stored: &Stored, part: Option<(Place, Part)>) -> Outcome {
        self.stop_waiting(&stored.name);
        let name: Arc<str> = stored.name.as_str().into();
        let before = self.documents.get_mut(&name).and_then(|held| held.place.take());
        let (mut touched, mut given_up, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(before) = &before {
            shown = self.kids(&before.slug(), &name);
            self.remove(&name, before);
            touched.push(before.slug());
            given_up = before.claims();
        }
        let place = part.map(|(place, part)| {
            given_up.retain(|claim| !place.claims().contains(claim));
            if !touched.contains(&place.slug()) {
                touched.push(place.slug());
            }
            self.insert(&name, &place, part);
            place
        });
        self.forget_gone(&shown, &touched);
        let held = Held { revision: stored.revision, digest: stored.digest, place, waits_for: None };
        self.documents.insert(name, held);
        let waiting = given_up.iter().filter_map(|claim| self.waiting.remove(claim));
        // The first by name is to be applied first.
        let freed = waiting.flat_map(|waiting| waiting.into_values().rev()).collect();
        Outcome { verdict: Verdict::Serving, revokes: false, touched, freed }
    }

    /// The keys that the ring of the document `name` shows; none of another document.
    fn kids(&self, slug: &str, name: &str) -> Vec<Kid> {
        let ring = self.tenants.get(slug).and_then(|tenant| tenant.rings.get(name));
        ring.into_iter().flat_map(|ring| &ring.public_keys).map(|key| key.kid().clone()).collect()
    }

    /// Nothing more is counted of the keys `before` that no ring of these tenants shows any more.
    fn forget_gone(&self, before: &[Kid], slugs: &[Arc<str>]) {
        let rings = || slugs.iter().filter_map(|slug| self.tenants.get(slug)).flat_map(|tenant| tenant.rings.values());
        let shown = |kid: &Kid| rings().flat_map(|ring| &ring.public_keys).any(|key| key.kid() == kid);
        before.iter().filter(|kid| !shown(kid)).for_each(|kid| self.keys.forget(kid));
    }

    /// `stored` wants what another document holds, who had it before.
    fn wait(&mut self, stored: &Stored, claim: Claim) -> Outcome {
        self.stop_waiting(&stored.name);
        let reason = format!("{claim} is held by another document");
        let name: Arc<str> = stored.name.as_str().into();
        let place = self.documents.get_mut(&name).and_then(|held| held.place.take());
        self.waiting.entry(claim.clone()).or_default().insert(Arc::clone(&name), stored.clone());
        let held = Held { revision: stored.revision, digest: stored.digest, place, waits_for: Some(claim) };
        self.documents.insert(name, held);
        Outcome::refused("conflict", reason)
    }

    fn stop_waiting(&mut self, name: &str) {
        let Some(claim) = self.documents.get_mut(name).and_then(|held| held.waits_for.take()) else { return };
        if let Some(waiting) = self.waiting.get_mut(&claim) {
            waiting.remove(name);
            if waiting.is_empty() {
                self.waiting.remove(&claim);
            }
        }
    }

    fn insert(&mut self, name: &Arc<str>, place: &Place, part: Part) {
        if let Place::Tenant { host: Some(host), .. } = place {
            self.hosts.insert(Arc::clone(host), Arc::clone(name));
        }
        let tenant = self.tenants.entry(place.slug()).or_default();
        match part {
            Part::Tenant(owner, document, trust) => {
                tenant.declared = Some(Declared { name: Arc::clone(name), owner, document, trust });
                tenant.issuer = None;
            }
            Part::Ring(ring) => {
                tenant.rings.insert(Arc::clone(name), ring);
                tenant.issuer = None;
            }
            Part::Client(client) => {
                tenant.count_origins(&client, true);
                tenant.name_accounts(&client, true);
                if let Some(api) = &client.resource_server {
                    tenant.apis.insert(api.audience.as_str().into(), Arc::clone(&client.id));
                }
                tenant.clients.insert(Arc::clone(&client.id), Arc::new(client));
            }
            Part::User(user) => tenant.users.insert(user),
        }
    }

    fn remove(&mut self, name: &Arc<str>, place: &Place) {
        if let Place::Tenant { host: Some(host), .. } = place {
            self.hosts.remove(host);
        }
        let slug = place.slug();
        let Some(tenant) = self.tenants.get_mut(&slug) else { return };
        match place {
            Place::Tenant { .. } => (tenant.declared, tenant.issuer) = (None, None),
            Place::Ring { .. } => {
                tenant.rings.remove(name);
                tenant.issuer = None;
            }
            Place::Client { id, .. } => {
                if let Some(client) = tenant.clients.remove(id) {
                    tenant.count_origins(&client, false);
                    tenant.name_accounts(&client, false);
                    // Another client may be that API by now.
                    let api = client.resource_server.as_ref().map(|api| api.audience.as_str());
                    if let Some(api) = api.filter(|api| tenant.apis.get(api) == Some(&client.id)) {
                        tenant.apis.remove(api);
                    }
                }
            }
            Place::User { username, subject, .. } => tenant.users.remove(username, subject),
        }
        if tenant.is_empty() {
            self.tenants.remove(&slug);
        }
    }
}

impl Outcome {
    fn unchanged(verdict: Verdict) -> Self {
        Self { verdict, revokes: false, touched: Vec::new(), freed: Vec::new() }
    }

    fn refused(category: &'static str, reason: String) -> Self {
        Self::unchanged(Verdict::Refused { category, reason })
    }
}
