//! What the index says about a tenant and its rings, beside its sealing keys. Other kinds ask here how their tenant stands.

use std::sync::Arc;

use claviger_crds::condition::Reason;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{DocumentKind, ServiceAccountIssuerDocument};
use claviger_crds::tenant::{Tenant, ValidTenant};
use claviger_jose::Algorithm;
use jiff::Timestamp;

use super::Issuer;
use super::sealing::{Keys, SealingError};
use crate::clock::Moment;
use crate::context::{Context, State};
use crate::index::Index;
use crate::index::claims::Claim;
use crate::index::documents::{Detail, Entry};
use crate::index::object::Object;
use crate::liveness::Live;
use crate::work::{Kind, Work};

/// All that a Tenant's plan rests on.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) object: Arc<Object<Tenant>>,
    /// Who holds a name that this tenant wants.
    pub(crate) conflict: Option<(Reason, String)>,
    /// Its address, if it is valid.
    pub(crate) issuer: Option<Issuer>,
    /// Whether it is served now: also what vanished is.
    pub(crate) serving: bool,
    /// The ring that its document names.
    pub(crate) published_default: Option<Option<ObjectName>>,
    /// Published rings of its slug.
    pub(crate) rings: Vec<PublishedRing>,
    /// Its SigningKeys, by name.
    pub(crate) signing_keys: Vec<SigningKeyMeta>,
    /// Set if it has none.
    pub(crate) ringless: Option<Ringless>,
    /// `client_id` of the client that its login page of its own names, if that is accepted.
    pub(crate) login_client: Option<String>,
    /// Who issues the tokens of the cluster's ServiceAccounts, where a client takes these, or the Tenant itself
    /// names him.
    pub(crate) service_account_issuer: Option<ServiceAccountIssuerDocument>,
    /// `iss` of these tokens, whether or not a client takes them, as far as it is known.
    pub(crate) cluster_issuer: Option<String>,
    /// Its sealing keys, or why they cannot be used; read only of a tenant that may be served.
    pub(super) sealing: Option<Result<Keys, SealingError>>,
    /// The longest that anything may live which is sealed for it now, seconds.
    pub(super) longest_sealed: u32,
}

impl Observed {
    /// Its slug, if its document is to be written as far as the index can tell.
    pub(super) fn may_be_served(&self) -> Option<&str> {
        let valid = self.object.valid().filter(|_| self.conflict.is_none() && !self.object.meta.paused)?;
        Some(valid.slug.as_str())
    }

    /// Why its sealing keys cannot be used.
    pub(super) fn unreadable(&self) -> Option<&SealingError> {
        self.sealing.as_ref()?.as_ref().err()
    }
}

/// A SigningKey, as far as its tenant cares.
#[derive(Clone, Debug)]
pub(crate) struct SigningKeyMeta {
    pub(crate) name: ObjectName,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    /// The operator made it as the default ring.
    pub(crate) default: bool,
}

/// What is known of a Tenant without a SigningKey.
#[derive(Clone, Debug)]
pub(crate) struct Ringless {
    /// Since when it has none.
    pub(crate) since: Moment,
    /// Whether a declared ring of it was withdrawn and may come back, with its keys.
    pub(crate) may_return: bool,
    /// A SigningKey of somebody else's that has the name of the default one.
    pub(crate) taken: Option<ObjectName>,
}

/// A published ring, and how it stands on the pods.
#[derive(Clone, Debug)]
pub(crate) struct PublishedRing {
    pub(crate) owner: ObjectName,
    pub(crate) live: Live,
    /// It leaves, or is withdrawn.
    pub(crate) leaving: bool,
    /// Verifiers may not know its keys yet.
    pub(crate) joining: bool,
    /// Of its Active key, if it has one.
    pub(crate) algorithm: Option<Algorithm>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// The greatest `max-age` that it ever asked for, seconds.
    pub(crate) max_cache_lifetime: u32,
    /// Since when every pod serves its Active key, and none that has gone since could have served without it.
    pub(crate) since: Option<Moment>,
}

impl PublishedRing {
    /// Whether it has an Active key.
    pub(crate) fn active(&self) -> bool {
        self.algorithm.is_some()
    }

    /// Whether pods may sign with it.
    pub(crate) fn signs(&self) -> bool {
        self.active() && !self.leaving && !self.joining
    }
}

/// How the Tenant that another object names stands.
#[derive(Clone, Debug)]
pub(crate) enum TenantStanding {
    /// There is none, and what was published of it is withdrawn.
    Gone,
    /// There is none, but it is still published: the sweep will decide.
    Vanished,
    /// It is there, and not accepted.
    NotAccepted,
    /// It is there and accepted.
    Accepted(Box<AcceptedTenant>),
}

/// A tenant that others may belong to.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedTenant {
    object: Arc<Object<Tenant>>,
    pub(crate) valid: ValidTenant,
    pub(crate) issuer: Issuer,
}

impl AcceptedTenant {
    pub(crate) fn slug(&self) -> &str {
        self.valid.slug.as_str()
    }

    pub(crate) fn name(&self) -> &ObjectName {
        &self.object.meta.name
    }
}

/// Reads the index; `None` if there is no such Tenant.
pub(crate) fn observe(context: &Context, name: &ObjectName) -> Option<Observed> {
    let now = context.now();
    context.with(|state| {
        let Some(object) = state.index.tenants.get(name).map(Arc::clone) else {
            state.ringless.remove(name);
            return None;
        };
        let valid = object.valid();
        let conflict = valid.and_then(|valid| conflict(&state.index, name, valid));
        let slug = valid.map(|valid| valid.slug.as_str().to_owned());
        let rings = slug.map(|slug| rings(state, &slug, &object.work())).unwrap_or_default();
        let signing_keys = signing_keys(&state.index, name);
        let document = state.index.documents.of(DocumentKind::Tenant, name);
        let serving = state.index.documents.serves(&object.work().document());
        let published_default = match document.map(|entry| &entry.detail) {
            Some(Detail::Tenant { default_signing_key, .. }) => Some(default_signing_key.clone()),
            _ => None,
        };
        let issuer = valid.map(|valid| Issuer::of(valid, &context.options.external_url));
        let (cluster_issuer, service_account_issuer) = service_accounts(&state.index, name, valid, issuer.as_ref());
        let ui = valid.and_then(|valid| valid.login.ui.as_ref());
        let login_client = ui.and_then(|ui| {
            let client: &Arc<Object<OAuthClient>> = state.index.clients.get(&ui.client)?;
            let client = client.valid().filter(|client| client.tenant == *name)?;
            Some(client.client_id.to_string())
        });
        let ringless = signing_keys.is_empty().then(|| ringless(state, &object, now));
        if ringless.is_none() {
            state.ringless.remove(name);
        }
        Some(Observed {
            conflict,
            serving,
            published_default,
            rings,
            signing_keys,
            ringless,
            login_client,
            service_account_issuer,
            cluster_issuer,
            issuer,
            sealing: None,
            longest_sealed: valid.map_or(0, |valid| longest_sealed(&state.index, name, valid)),
            object: Arc::clone(&object),
        })
    })
}

/// `iss` of the tokens of the cluster's ServiceAccounts, as far as it is known, and what the document of
/// the Tenant, whose issuer is `own`, says of it.
fn service_accounts(
    index: &Index,
    name: &ObjectName,
    valid: Option<&ValidTenant>,
    own: Option<&Issuer>,
) -> (Option<String>, Option<ServiceAccountIssuerDocument>) {
    let stored = index.stored_issuer(name);
    let issuer = index.cluster_issuer(stored).map(str::to_owned);
    // Where the Tenant takes it for somebody else's, too: whoever leads next must know what was left out, though
    // the API server does not answer.
    let mistaken = issuer.as_deref().is_some_and(|issuer| valid.is_some_and(|valid| valid.declares(issuer)));
    // Nobody is two: a pod would have to tell the Tenant's tokens from the cluster's by nothing.
    let itself = issuer.as_deref().is_some_and(|issuer| own.is_some_and(|own| own.as_str() == issuer));
    let needed = !itself && (mistaken || index.needs_service_accounts(name));
    (issuer, needed.then(|| index.service_account_issuer(stored)).flatten())
}

/// Refresh tokens outlive everything else that is sealed, unless sessions do.
fn longest_sealed(index: &Index, name: &ObjectName, tenant: &ValidTenant) -> u32 {
    let of_tenant = tenant.lifetimes.refresh_token.max(tenant.lifetimes.session);
    of_tenant.max(index.refresh_token_lifetime(name))
}

fn ringless(state: &mut State, tenant: &Object<Tenant>, now: Moment) -> Ringless {
    let (name, uid) = (&tenant.meta.name, &tenant.meta.uid);
    let noted = state.ringless.entry(name.clone()).or_insert_with(|| (uid.clone(), now));
    // Another Tenant of the same name has not waited yet.
    if noted.0 != *uid {
        *noted = (uid.clone(), now);
    }
    let since = noted.1;
    let default = ObjectName::new(name.namespace.clone(), names::default_signing_key(&name.name));
    let slug = tenant.valid().map_or("", |valid| valid.slug.as_str());
    let declared = |ring: &Entry| ring.owner.namespace == name.namespace && ring.owner != default;
    let may_return = state.index.documents.rings(slug).any(|ring| !ring.serving() && declared(ring));
    let taken = state.index.signing_keys.contains(&default).then_some(default);
    Ringless { since, may_return, taken }
}

/// How the tenant `name` stands, for what belongs to it.
pub(crate) fn standing(context: &Context, state: &State, name: &ObjectName) -> TenantStanding {
    let Some(object) = state.index.tenants.get(name) else {
        let document = names::published_secret(DocumentKind::Tenant.as_str(), name);
        return if state.index.documents.serves(&document) { TenantStanding::Vanished } else { TenantStanding::Gone };
    };
    match object.valid() {
        Some(valid) if conflict(&state.index, name, valid).is_none() => {
            TenantStanding::Accepted(Box::new(AcceptedTenant {
                object: Arc::clone(object),
                valid: valid.clone(),
                issuer: Issuer::of(valid, &context.options.external_url),
            }))
        }
        _ => TenantStanding::NotAccepted,
    }
}

fn conflict(index: &Index, name: &ObjectName, tenant: &ValidTenant) -> Option<(Reason, String)> {
    let slug = tenant.slug.as_str();
    let holder = index.holder(&Claim::Slug(slug.to_owned()), slug).filter(|holder| holder != name);
    if let Some(holder) = holder {
        return Some((Reason::SlugConflict, format!("the slug {slug} is held by the Tenant {holder}")));
    }
    let host = tenant.host.as_ref()?;
    if index.is_external(host.as_str()) {
        let message =
            format!("the host {host} is the external URL's, where the Tenants without a host of their own are");
        return Some((Reason::HostConflict, message));
    }
    let holder = match index.holder(&Claim::Host(host.to_string()), slug) {
        Some(holder) if holder == *name => return None,
        Some(holder) => format!("the Tenant {holder}"),
        // Nobody may have it, so that an API has an address there.
        None => match index.api_at(host.as_str(), slug) {
            Some(api) => format!("the API of the OAuthClient {api}, which has an address there"),
            None => return None,
        },
    };
    Some((Reason::HostConflict, format!("the host {host} is held by {holder}")))
}

/// The published rings of a slug; `work` is woken when one of them is served everywhere.
pub(crate) fn rings(state: &mut State, slug: &str, work: &Work) -> Vec<PublishedRing> {
    let rings: Vec<PublishedRing> = state
        .index
        .documents
        .rings(slug)
        .filter(|entry| entry.serving())
        .filter_map(|entry| {
            let Detail::Ring { leaving, joining, created_at, max_cache_lifetime, active_revision, algorithm, .. } =
                &entry.detail
            else {
                return None;
            };
            let live = Live { name: entry.name.clone(), digest: entry.digest, revision: entry.revision };
            Some(PublishedRing {
                owner: entry.owner.clone(),
                since: state.acknowledgements.reached(&entry.name, *active_revision).since(),
                live,
                leaving: *leaving,
                joining: *joining,
                algorithm: *algorithm,
                created_at: *created_at,
                max_cache_lifetime: *max_cache_lifetime,
            })
        })
        .collect();
    let own = |ring: &PublishedRing| work.kind == Kind::SigningKey && ring.owner == work.name;
    for ring in rings.iter().filter(|ring| ring.since.is_none() && !own(ring)) {
        state.liveness.wait(&ring.live.name, work);
    }
    rings
}

fn signing_keys(index: &Index, tenant: &ObjectName) -> Vec<SigningKeyMeta> {
    let default = names::default_signing_key(&tenant.name);
    let keys = index.members.rings(tenant).filter_map(|name| index.signing_keys.get(name));
    keys.map(|key| SigningKeyMeta {
        name: key.meta.name.clone(),
        uid: key.meta.uid.clone(),
        resource_version: key.meta.resource_version.clone(),
        default: key.meta.managed && key.meta.name.name == default,
    })
    .collect()
}

/// What must be live before anything of the tenant is: its document, and one of its rings.
pub(crate) fn issuer_needs(state: &mut State, tenant: &AcceptedTenant, work: &Work) -> Vec<Vec<Live>> {
    let document = state.index.documents.of(DocumentKind::Tenant, tenant.name()).filter(|entry| entry.serving());
    let document: Vec<Live> = document
        .map(|entry| Live { name: entry.name.clone(), digest: entry.digest, revision: entry.revision })
        .into_iter()
        .collect();
    let rings = rings(state, tenant.slug(), work).into_iter().filter(|ring| ring.active()).map(|ring| ring.live);
    let rings: Vec<Live> = rings.collect();
    // A ring that is served everywhere wakes those who wait for its tenant, too.
    if document.is_empty() || rings.is_empty() {
        state.liveness.wait(&Work::new(Kind::Tenant, tenant.name().clone()).document(), work);
    }
    vec![document, rings]
}
