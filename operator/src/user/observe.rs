//! What an account's plan rests on: the index, and without a cache the Secret with its password and
//! the hash that is published.

use std::sync::Arc;

use claviger_crds::condition::Reason;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{Content, PasswordSource, SecretText, Stored};
use claviger_crds::user::{User, ValidUser};
use k8s_openapi::api::core::v1::Secret;

use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::claims::Claim;
use crate::index::documents::Entry;
use crate::index::object::Object;
use crate::liveness::Live;
use crate::tenant::observe::{self as tenant, AcceptedTenant, TenantStanding};

/// See the module.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) object: Arc<Object<User>>,
    /// How its Tenant stands, if the object says which that is.
    pub(super) tenant: Option<TenantStanding>,
    /// Who holds a name that this account wants.
    pub(super) conflict: Option<(Reason, String)>,
    /// Whether it is served now.
    pub(super) serving: bool,
    /// The hash that is published, and where it came from.
    pub(super) published: Option<(SecretText, PasswordSource)>,
    /// The Secret that it names.
    pub(super) secret: Option<Secret>,
    /// What must be live before it is of use.
    pub(super) issuer: Vec<Vec<Live>>,
}

impl Observed {
    /// The tenant, where the account may belong to it.
    pub(super) fn accepted(&self) -> Option<(&ValidUser, &AcceptedTenant)> {
        match (self.object.valid(), &self.tenant, &self.conflict) {
            (Some(valid), Some(TenantStanding::Accepted(tenant)), None) => Some((valid, tenant)),
            _ => None,
        }
    }
}

/// Reads the index, then the Secrets if the account is to be served. `None` if it is gone.
pub(super) async fn observe(context: &Context, name: &ObjectName) -> Result<Option<Observed>, StepError> {
    let Some(mut observed) = context.with(|state| look(context, state, name)) else {
        return Ok(None);
    };
    let password = observed.accepted().and_then(|(valid, _)| valid.password.clone());
    let Some(password) = password else {
        return Ok(Some(observed));
    };
    let at = ObjectName::new(name.namespace.clone(), password.name);
    observed.secret = context.cluster().secret(&at).await.doing("reading the password's Secret")?;
    let at = context.published(&observed.object.work().document());
    let published = context.cluster().secret(&at).await.doing("reading the published document")?;
    observed.published = published.and_then(|secret| Stored::from_secret(&secret).ok()).and_then(hash);
    Ok(Some(observed))
}

fn hash(stored: Stored) -> Option<(SecretText, PasswordSource)> {
    match stored.document.content {
        Content::User(user) => user.password_hash.zip(user.password_source),
        _ => None,
    }
}

fn look(context: &Context, state: &mut State, name: &ObjectName) -> Option<Observed> {
    let object = Arc::clone(state.index.users.get(name)?);
    let work = object.work();
    let serving = state.index.documents.get(&work.document()).is_some_and(Entry::serving);
    let standing = object.tenant().map(|tenant| tenant::standing(context, state, &tenant));
    let (mut conflict, mut issuer) = (None, Vec::new());
    if let (Some(valid), Some(TenantStanding::Accepted(tenant))) = (object.valid(), &standing) {
        conflict = check_conflicts(state, valid, tenant);
        issuer = tenant::issuer_needs(state, tenant, &work);
    }
    Some(Observed { object, tenant: standing, conflict, serving, published: None, secret: None, issuer })
}

fn check_conflicts(state: &State, user: &ValidUser, tenant: &AcceptedTenant) -> Option<(Reason, String)> {
    let scope = tenant.name().to_string();
    let other = |claim: Claim| state.index.holder(&claim, tenant.slug()).filter(|holder| *holder != user.name);
    if let Some(holder) = other(Claim::username(&scope, user.username.as_str())) {
        let message = format!("the user name {} is held by the User {holder}", user.username);
        return Some((Reason::UsernameConflict, message));
    }
    let subject = user.subject(&tenant.valid.slug);
    let holder = other(Claim::subject(&scope, subject.as_str()))?;
    Some((Reason::SubjectConflict, format!("the subject {subject} is held by the User {holder}")))
}
