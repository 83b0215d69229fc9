//! What a Tenant needs: pure.

use std::time::Duration;

use claviger_crds::Scope;
use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{
    BrandingDocument, Content, Document, LoginDocument, LoginUiDocument, ScopeDocument, SealingKeyDocument,
    TenantDocument,
};
use claviger_crds::sentence;
use claviger_crds::tenant::ValidTenant;

use super::observe::{Observed, Ringless, SigningKeyMeta};
use super::sealing::Keys;
use super::trust;
use crate::clock::Moment;
use crate::signing_key::until_cached;
use crate::work::Next;

/// A Tenant and its SigningKey are often applied together, in this order: so long the operator
/// waits for the SigningKey before it makes a default ring.
const RING_GRACE: Duration = Duration::from_millis(300);
/// A Tenant that names its SigningKey says that there is one to come, and so does the tombstone of a
/// declared ring: the operator waits for it as long as a slow pipeline may take, before it makes a
/// default ring so that something signs.
const NAMED_RING_GRACE: Duration = Duration::from_secs(10);
/// How often a Tenant without a ring looks whether the default one's name has become free.
const TAKEN_RECHECK: Duration = Duration::from_secs(30);

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is published, unless the tenant may not be served. Without its sealing keys nothing is: a
    /// document with others would end what everybody has begun, and one without any could begin nothing.
    pub(super) document: Option<Unsealed>,
    pub(super) default_ring: DefaultRing,
    /// `Accepted` and `ReferencesResolved`.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
}

/// A tenant's document but for its sealing keys, which must stand in their Secret first.
#[derive(Debug)]
pub(super) struct Unsealed {
    tenant: TenantDocument,
    owner: ObjectName,
    pub(super) keys: Keys,
}

impl Unsealed {
    /// The document as it is with the keys that are stored; none where there are none yet.
    pub(super) fn as_stored(&self) -> Option<Document> {
        let keys = self.keys.stored()?.to_vec();
        Some(Self { tenant: self.tenant.clone(), owner: self.owner.clone(), keys: self.keys.clone() }.with(keys))
    }

    /// Slug of the tenant.
    pub(super) fn slug(&self) -> &str {
        &self.tenant.slug
    }

    /// The document with `keys`, which stand.
    pub(super) fn with(self, keys: Vec<SealingKeyDocument>) -> Document {
        let tenant = TenantDocument { sealing_keys: keys, ..self.tenant };
        Document::serving(tenant.slug.clone(), self.owner, Content::Tenant(tenant))
    }
}

/// What happens to the default ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DefaultRing {
    /// Nothing.
    Leave,
    /// It is made: the tenant has no SigningKey.
    Create(ObjectName),
    /// It goes: a declared ring signs.
    Delete { name: ObjectName, uid: String, resource_version: String },
}

/// Decides.
pub(super) fn plan(observed: &Observed, now: Moment) -> Plan {
    let refused = |reason, message: String| Plan {
        document: None,
        default_ring: DefaultRing::Leave,
        verdicts: vec![
            Verdict::no(ConditionType::Accepted, reason, message),
            crate::report::not_judged(ConditionType::ReferencesResolved),
        ],
        next: Next::IDLE,
    };
    let valid = match &observed.object.valid {
        Ok(valid) => valid,
        Err(faults) => return refused(Reason::Invalid, sentence(faults)),
    };
    if let Some((reason, message)) = &observed.conflict {
        return refused(*reason, message.clone());
    }
    let (default, wait) = default_signing_key(observed, valid, now);
    let (default_ring, grace) = default_ring(observed, valid, now);
    let keys = observed.sealing.as_ref().and_then(|keys| keys.as_ref().ok());
    let owner = &observed.object.meta.name;
    Plan {
        document: keys.map(|keys| Unsealed {
            tenant: document(observed, valid, default),
            owner: owner.clone(),
            keys: keys.clone(),
        }),
        default_ring,
        verdicts: vec![Verdict::yes(ConditionType::Accepted, Reason::Accepted), resolved(observed, valid)],
        next: Next { after: wait }.or(Next { after: grace }),
    }
}

fn resolved(observed: &Observed, valid: &ValidTenant) -> Verdict {
    let no = |reason, message| Verdict::no(ConditionType::ReferencesResolved, reason, message);
    if let Some(default) = &valid.default_signing_key
        && !observed.signing_keys.iter().any(|key| key.name == *default)
    {
        return no(
            Reason::SigningKeyNotFound,
            format!("signing.default: this Tenant has no SigningKey {}", default.name),
        );
    }
    if let Some(taken) = observed.ringless.as_ref().and_then(|ringless| ringless.taken.as_ref()) {
        let message = format!(
            "this Tenant has no SigningKey, and no default one can be made: the SigningKey {taken} is not of this \
             Tenant. Declare one under another name",
        );
        return no(Reason::SigningKeyNotFound, message);
    }
    if let Some(ui) = &valid.login.ui
        && observed.login_client.is_none()
    {
        return no(Reason::ClientNotFound, format!("login.ui.clientRef: this Tenant has no OAuthClient {}", ui.client));
    }
    let conflict = |trusted| trust::conflict(trusted, observed.issuer.as_ref(), observed.cluster_issuer.as_deref());
    let conflicts = valid.trusted_issuers.iter().filter_map(|trusted| Some((trusted, conflict(trusted)?)));
    if let Some((trusted, what)) = conflicts.into_iter().next() {
        let message = format!("trustedIssuers: {} is {what}. This entry is left out: remove it", trusted.issuer);
        return no(Reason::IssuerConflict, message);
    }
    Verdict::yes(ConditionType::ReferencesResolved, Reason::Resolved)
}

/// The ring that the document names. A new one is named only when every pod has served its keys for
/// longer than any verifier may cache; until then the document names the one before.
fn default_signing_key(
    observed: &Observed,
    valid: &ValidTenant,
    now: Moment,
) -> (Option<ObjectName>, Option<Duration>) {
    let wanted = valid.default_signing_key.clone();
    let Some(before) = &observed.published_default else {
        return (wanted, None);
    };
    let Some(name) = wanted.as_ref().filter(|wanted| before.as_ref() != Some(*wanted)) else {
        return (wanted, None);
    };
    let Some(ring) = observed.rings.iter().find(|ring| ring.owner == *name) else {
        return (before.clone(), None);
    };
    if !observed.rings.iter().any(|other| other.owner != *name && other.active()) {
        return (wanted, None);
    }
    let Some(since) = ring.since.filter(|_| ring.signs()) else {
        return (before.clone(), None);
    };
    let cached = observed.rings.iter().map(|ring| ring.max_cache_lifetime).max().unwrap_or(0);
    let left = until_cached(since, cached, now);
    if left.is_zero() { (wanted, None) } else { (before.clone(), Some(left)) }
}

fn default_ring(observed: &Observed, valid: &ValidTenant, now: Moment) -> (DefaultRing, Option<Duration>) {
    let meta = &observed.object.meta;
    if meta.deleting {
        return (DefaultRing::Leave, None);
    }
    if let Some(Ringless { since, may_return, taken }) = &observed.ringless {
        if taken.is_some() {
            return (DefaultRing::Leave, Some(TAKEN_RECHECK));
        }
        let awaited = valid.default_signing_key.is_some() || *may_return;
        let grace = if awaited { NAMED_RING_GRACE } else { RING_GRACE };
        let left = grace.saturating_sub(now.monotonic.saturating_sub(since.monotonic));
        let name = ObjectName::new(meta.name.namespace.clone(), names::default_signing_key(&meta.name.name));
        return if left.is_zero() { (DefaultRing::Create(name), None) } else { (DefaultRing::Leave, Some(left)) };
    }
    let Some(default) = observed.signing_keys.iter().find(|key| key.default) else {
        return (DefaultRing::Leave, None);
    };
    let declared = observed.signing_keys.iter().filter(|key| !key.default);
    let signs = |key: &SigningKeyMeta| {
        observed.rings.iter().any(|ring| ring.owner == key.name && ring.signs() && ring.since.is_some())
    };
    if !declared.into_iter().any(signs) {
        return (DefaultRing::Leave, None);
    }
    let SigningKeyMeta { name, uid, resource_version, .. } = default.clone();
    (DefaultRing::Delete { name, uid, resource_version }, None)
}

fn document(observed: &Observed, valid: &ValidTenant, default_signing_key: Option<ObjectName>) -> TenantDocument {
    let issuer = observed.issuer.as_ref().map(|issuer| issuer.as_str().to_owned()).unwrap_or_default();
    let ui = valid.login.ui.as_ref().zip(observed.login_client.clone());
    let others = trust::others(valid, observed.issuer.as_ref(), observed.cluster_issuer.as_deref());
    TenantDocument {
        slug: valid.slug.to_string(),
        host: valid.host.as_ref().map(ToString::to_string),
        display_name: valid.display_name.clone(),
        lifetimes: valid.lifetimes,
        scopes: valid.scopes.iter().map(scope).collect(),
        default_signing_key,
        login: LoginDocument {
            passwords: valid.login.passwords,
            branding: BrandingDocument {
                logo: valid.login.logo.as_ref().map(ToString::to_string),
                accent: valid.login.accent.clone(),
            },
            ui: ui.map(|(ui, client_id)| LoginUiDocument { url: ui.url.to_string(), client_id }),
        },
        sealing_keys: Vec::new(),
        service_account_issuer: observed.service_account_issuer.clone(),
        trusted_issuers: others.map(|trusted| trust::document(trusted, &issuer, valid.strict_audience)).collect(),
        strict_audience: valid.strict_audience,
        issuer,
    }
}

/// A scope as documents have it.
pub(crate) fn scope(scope: &Scope) -> ScopeDocument {
    ScopeDocument { name: scope.name.to_string(), description: scope.description.clone(), claims: scope.claims.clone() }
}
