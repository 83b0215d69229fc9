//! Custom resources as the index keeps them: parsed once, with what a status write needs.

use std::collections::HashMap;
use std::sync::Arc;

use claviger_crds::Fault;
use claviger_crds::condition::{ConditionType, Reason};
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::{self, OAuthClient, OAuthClientStatus, ValidOAuthClient};
use claviger_crds::signing_key::{self, SigningKey, SigningKeyStatus, ValidSigningKey};
use claviger_crds::tenant::{self, Tenant, TenantStatus, ValidTenant};
use claviger_crds::user::{self, User, UserStatus, ValidUser};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

use super::claims::Claim;
use crate::work::{Kind, Work};

/// A kind of custom resource: how it is parsed and where its status is.
pub(crate) trait Declared: Clone + std::fmt::Debug {
    /// The kind.
    const KIND: Kind;
    /// What parsing yields.
    type Valid: Clone + PartialEq + std::fmt::Debug;
    /// Its status.
    type Status: Clone + Default + PartialEq + std::fmt::Debug + serde::Serialize;

    /// `metadata`
    fn metadata(&self) -> &ObjectMeta;
    /// The one parser.
    fn parse(&self) -> Result<Self::Valid, Vec<Fault>>;
    /// `status`
    fn status(&self) -> Option<&Self::Status>;
    /// The conditions in a status.
    fn conditions(status: &Self::Status) -> &[Condition];
    /// The Tenant that it belongs to, itself excepted.
    fn tenant(valid: &Self::Valid) -> Option<ObjectName>;
    /// The names that it wants for itself.
    fn claims(valid: &Self::Valid) -> Vec<Claim>;
}

/// What of an object's metadata decisions rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) name: ObjectName,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    pub(crate) created_at: Option<Timestamp>,
    /// `claviger.dev/paused`: nothing is written for it but its status.
    pub(crate) paused: bool,
    /// It is being deleted, and waits for a finalizer.
    pub(crate) deleting: bool,
    /// The operator made it.
    pub(crate) managed: bool,
}

/// An object as it was seen last.
#[derive(Clone, Debug)]
pub(crate) struct Object<K: Declared> {
    pub(crate) meta: Meta,
    /// What it says, or everything that is wrong with it.
    pub(crate) valid: Result<Arc<K::Valid>, Arc<[Fault]>>,
    pub(crate) status: Arc<K::Status>,
    /// The resourceVersion that the watch showed last. Only writes of ours are ahead of it.
    seen: String,
}

impl<K: Declared> Object<K> {
    fn read(object: &K) -> Option<Self> {
        let metadata = object.metadata();
        // As the parser reads it: whoever writes "yes" means to stop the operator.
        let annotation = |key| metadata.annotations.as_ref().and_then(|all| all.get(key));
        let paused = annotation(names::ANNOTATION_PAUSED).is_some_and(|value| value != "false");
        let managed_by = metadata.labels.as_ref().and_then(|all| all.get(names::LABEL_MANAGED_BY));
        Some(Self {
            meta: Meta {
                name: ObjectName::new(metadata.namespace.clone()?, metadata.name.clone()?),
                uid: metadata.uid.clone().unwrap_or_default(),
                resource_version: metadata.resource_version.clone().unwrap_or_default(),
                generation: metadata.generation.unwrap_or(0),
                created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
                paused,
                deleting: metadata.deletion_timestamp.is_some(),
                managed: managed_by.is_some_and(|by| by == names::MANAGER),
            },
            valid: object.parse().map(Arc::new).map_err(Arc::from),
            status: Arc::new(object.status().cloned().unwrap_or_default()),
            seen: metadata.resource_version.clone().unwrap_or_default(),
        })
    }

    /// The work on this object.
    pub(crate) fn work(&self) -> Work {
        Work::new(K::KIND, self.meta.name.clone())
    }

    /// The parsed object, if it is valid.
    pub(crate) fn valid(&self) -> Option<&K::Valid> {
        self.valid.as_deref().ok()
    }

    pub(crate) fn tenant(&self) -> Option<ObjectName> {
        self.valid().and_then(K::tenant)
    }

    pub(crate) fn claims(&self) -> Vec<Claim> {
        self.valid().map(K::claims).unwrap_or_default()
    }

    /// Whether its status says that this very generation was accepted by a Tenant that was there.
    pub(crate) fn said_accepted(&self) -> bool {
        let is = |condition: &Condition, type_: ConditionType| condition.type_ == type_.to_string();
        let conditions = K::conditions(&self.status);
        let accepted = conditions.iter().any(|condition| {
            is(condition, ConditionType::Accepted)
                && condition.status == "True"
                && condition.observed_generation == Some(self.meta.generation)
        });
        // Without its Tenant an object is called accepted as soon as it is well formed.
        let unjudged = [Reason::TenantNotFound, Reason::TenantNotAccepted].map(|reason| reason.to_string());
        accepted
            && !conditions.iter().any(|condition| {
                is(condition, ConditionType::ReferencesResolved) && unjudged.contains(&condition.reason)
            })
    }

    /// Whether its status says that besides, and that providers serve it.
    pub(crate) fn said_served(&self) -> bool {
        let programmed = ConditionType::Programmed.to_string();
        let mut conditions = K::conditions(&self.status).iter();
        self.said_accepted() && conditions.any(|condition| condition.type_ == programmed && condition.status == "True")
    }

    /// Whether `event` shows a write of ours that a later one of ours has overtaken. Versions of one
    /// object compare as numbers. What is no newer than the watch was already is taken: a restored
    /// cluster begins again from there.
    fn overtook(&self, event: &Self) -> bool {
        let versions = (version(&self.seen), version(&event.seen), version(&self.meta.resource_version));
        let (Some(seen), Some(event_is), Some(written)) = versions else {
            return false;
        };
        self.meta.uid == event.meta.uid && seen < event_is && event_is < written
    }

    /// Whether `other` says the same, whatever its status.
    fn same(&self, other: &Self) -> bool {
        let key = |meta: &Meta| (meta.uid.clone(), meta.generation, meta.paused, meta.deleting, meta.managed);
        key(&self.meta) == key(&other.meta) && self.valid == other.valid
    }
}

/// All objects of one kind.
#[derive(Debug)]
pub(crate) struct Objects<K: Declared>(HashMap<ObjectName, Arc<Object<K>>>);

impl<K: Declared> Default for Objects<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// A difference that [`Objects::take`] has yet to take in.
#[derive(Debug)]
pub(super) struct Compared<K: Declared>(pub(super) Difference<K>);

/// What taking in an object changed.
#[derive(Debug)]
pub(crate) struct Difference<K: Declared> {
    pub(crate) before: Option<Arc<Object<K>>>,
    pub(crate) after: Option<Arc<Object<K>>>,
    /// Whether anything but status and resourceVersion differs.
    pub(crate) matters: bool,
}

impl<K: Declared> Objects<K> {
    pub(crate) fn get(&self, name: &ObjectName) -> Option<&Arc<Object<K>>> {
        self.0.get(name)
    }

    pub(crate) fn contains(&self, name: &ObjectName) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Arc<Object<K>>> {
        self.0.values()
    }

    pub(crate) fn apply(&mut self, object: &K) -> Option<Difference<K>> {
        let compared = self.compare(object)?;
        Some(self.take(compared))
    }

    pub(crate) fn delete(&mut self, name: &ObjectName) -> Option<Difference<K>> {
        let compared = self.compare_without(name)?;
        Some(self.take(compared))
    }

    /// What [`Self::take`] would change by which `object` is there as it is now. Nothing if it shows what a later
    /// write of ours has overtaken.
    pub(super) fn compare(&self, object: &K) -> Option<Compared<K>> {
        let after = Object::read(object)?;
        let before = self.0.get(&after.meta.name);
        if before.is_some_and(|before| before.overtook(&after)) {
            return None;
        }
        let matters = before.is_none_or(|before| !before.same(&after));
        Some(Compared(Difference { before: before.cloned(), after: Some(Arc::new(after)), matters }))
    }

    /// What it would change by which the object is gone.
    pub(super) fn compare_without(&self, name: &ObjectName) -> Option<Compared<K>> {
        let before = self.0.get(name)?;
        Some(Compared(Difference { before: Some(Arc::clone(before)), after: None, matters: true }))
    }

    /// Makes a change that was found by comparing.
    pub(super) fn take(&mut self, Compared(difference): Compared<K>) -> Difference<K> {
        match (&difference.before, &difference.after) {
            (_, Some(after)) => drop(self.0.insert(after.meta.name.clone(), Arc::clone(after))),
            (Some(before), None) => drop(self.0.remove(&before.meta.name)),
            (None, None) => {}
        }
        difference
    }

    /// Remembers a status that was written, until the watch shows it; `became` is the object's
    /// resourceVersion by that. Not if the watch has shown what came after it.
    pub(crate) fn wrote_status(&mut self, meta: &Meta, became: &str, status: K::Status) {
        let Some(object) = self.0.get_mut(&meta.name).filter(|object| object.meta.uid == meta.uid) else {
            return;
        };
        if version(&object.meta.resource_version) > version(became) {
            return;
        }
        let mut changed = Object::clone(object);
        changed.status = Arc::new(status);
        became.clone_into(&mut changed.meta.resource_version);
        *object = Arc::new(changed);
    }
}

fn version(resource_version: &str) -> Option<u64> {
    resource_version.parse().ok()
}

impl Declared for Tenant {
    const KIND: Kind = Kind::Tenant;
    type Valid = ValidTenant;
    type Status = TenantStatus;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parse(&self) -> Result<ValidTenant, Vec<Fault>> {
        tenant::parse(self)
    }

    fn status(&self) -> Option<&TenantStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &TenantStatus) -> &[Condition] {
        &status.conditions
    }

    fn tenant(_: &ValidTenant) -> Option<ObjectName> {
        None
    }

    fn claims(valid: &ValidTenant) -> Vec<Claim> {
        let host = valid.host.iter().map(|host| Claim::Host(host.to_string()));
        host.chain([Claim::Slug(valid.slug.to_string())]).collect()
    }
}

impl Declared for OAuthClient {
    const KIND: Kind = Kind::OAuthClient;
    type Valid = ValidOAuthClient;
    type Status = OAuthClientStatus;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parse(&self) -> Result<ValidOAuthClient, Vec<Fault>> {
        oauth_client::parse(self)
    }

    fn status(&self) -> Option<&OAuthClientStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &OAuthClientStatus) -> &[Condition] {
        &status.conditions
    }

    fn tenant(valid: &ValidOAuthClient) -> Option<ObjectName> {
        Some(valid.tenant.clone())
    }

    fn claims(valid: &ValidOAuthClient) -> Vec<Claim> {
        let scope = valid.tenant.to_string();
        let server = valid.resource_server.iter();
        let audience = server.map(|server| Claim::audience(&scope, server.audience.as_ref()));
        audience.chain([Claim::client_id(&scope, valid.client_id.as_ref())]).collect()
    }
}

impl Declared for SigningKey {
    const KIND: Kind = Kind::SigningKey;
    type Valid = ValidSigningKey;
    type Status = SigningKeyStatus;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parse(&self) -> Result<ValidSigningKey, Vec<Fault>> {
        signing_key::parse(self)
    }

    fn status(&self) -> Option<&SigningKeyStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &SigningKeyStatus) -> &[Condition] {
        &status.conditions
    }

    fn tenant(valid: &ValidSigningKey) -> Option<ObjectName> {
        Some(valid.tenant.clone())
    }

    fn claims(_: &ValidSigningKey) -> Vec<Claim> {
        Vec::new()
    }
}

impl Declared for User {
    const KIND: Kind = Kind::User;
    type Valid = ValidUser;
    type Status = UserStatus;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parse(&self) -> Result<ValidUser, Vec<Fault>> {
        user::parse(self)
    }

    fn status(&self) -> Option<&UserStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &UserStatus) -> &[Condition] {
        &status.conditions
    }

    fn tenant(valid: &ValidUser) -> Option<ObjectName> {
        Some(valid.tenant.clone())
    }

    fn claims(valid: &ValidUser) -> Vec<Claim> {
        let scope = valid.tenant.to_string();
        let subject = valid.declared_subject.iter().map(|subject| Claim::subject(&scope, subject.as_str()));
        subject.chain([Claim::username(&scope, valid.username.as_ref())]).collect()
    }
}
