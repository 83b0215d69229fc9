//! What an account's plan rests on: the index, and without a cache the Secret with its password.

use std::sync::Arc;

use claviger_crds::condition::Reason;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{PasswordSource, SecretText};
use claviger_crds::user::{User, ValidUser};

use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::claims::Claim;
use crate::index::documents::Detail;
use crate::index::object::Object;
use crate::liveness::Live;
use crate::tenant::observe::{self as tenant, AcceptedTenant, TenantStanding};
use crate::withheld::Withheld;

/// See the module.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) object: Arc<Object<User>>,
    /// How its Tenant stands, if the object says which that is.
    pub(super) tenant: Option<TenantStanding>,
    /// Who holds a name that this account wants.
    pub(super) conflict: Option<(Reason, String)>,
    /// Whether it is served now: also what vanished is.
    pub(super) serving: bool,
    /// What is known to be published of it, or to have been when it vanished: the password's hash, if
    /// there is one, and where it came from.
    pub(super) published: Option<Option<(SecretText, PasswordSource)>>,
    /// The Secret that it names.
    pub(super) secret: Option<Withheld>,
    /// Why that could not be read, where the API server refuses it.
    pub(super) unread: Option<StepError>,
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
    match context.cluster().secret(&at).await.doing("reading the password's Secret") {
        Ok(secret) => observed.secret = secret.map(Withheld),
        Err(error) if error.is_final() => observed.unread = Some(error),
        Err(error) => return Err(error),
    }
    Ok(Some(observed))
}

fn look(context: &Context, state: &mut State, name: &ObjectName) -> Option<Observed> {
    let object = Arc::clone(state.index.users.get(name)?);
    let work = object.work();
    let document = work.document();
    let entry = state.index.documents.get(&document);
    let serving = state.index.documents.serves(&document);
    let known = entry.or_else(|| state.index.documents.lost(&document)).map(|entry| &entry.detail);
    let published = match known {
        Some(Detail::User { password, .. }) => Some(password.clone()),
        _ => None,
    };
    let standing = object.tenant().map(|tenant| tenant::standing(context, state, &tenant));
    let (mut conflict, mut issuer) = (None, Vec::new());
    if let (Some(valid), Some(TenantStanding::Accepted(tenant))) = (object.valid(), &standing) {
        conflict = check_conflicts(state, valid, tenant);
        issuer = tenant::issuer_needs(state, tenant, &work);
    }
    Some(Observed { object, tenant: standing, conflict, serving, published, secret: None, unread: None, issuer })
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
