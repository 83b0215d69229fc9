//! What an account needs: pure.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::published::{Content, Document, PasswordSource, SecretText, UserDocument};
use claviger_crds::sentence;
use claviger_crds::user::ValidUser;
use k8s_openapi::api::core::v1::Secret;

use super::observe::Observed;
use super::password::{self, Password, PlainPassword};
use crate::report;
use crate::tenant::observe::{AcceptedTenant, TenantStanding};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) document: Intent,
    /// `Accepted` and `ReferencesResolved`.
    pub(super) verdicts: Vec<Verdict>,
    /// Whether the object names a Secret, which is looked at again by a timer.
    pub(super) rechecked: bool,
}

/// What happens to the document.
#[derive(Debug)]
pub(super) enum Intent {
    /// It stands like this.
    Publish(Box<Document>),
    /// It stands like this, with the hash of this password.
    Hash(Box<UserDocument>, PlainPassword, String),
    /// It stays as it is, if there is one.
    Keep,
    /// It is withdrawn, if it is served.
    Withdraw {
        /// On the word that the Tenant is gone, which a cache alone must not give.
        tenant_gone: bool,
    },
}

/// Where an account's password hash comes from.
enum Hash {
    /// It has none.
    None,
    /// It is known.
    Known(SecretText, PasswordSource),
    /// It must be made.
    Make(PlainPassword, PasswordSource),
    /// The Secret is of no use: the last good hash, if any, goes on.
    Unusable(Reason, String),
}

/// Decides.
pub(super) fn plan(observed: &Observed) -> Plan {
    let idle = |document, verdicts| Plan { document, verdicts, rechecked: false };
    let accepted = Verdict::yes(ConditionType::Accepted, Reason::Accepted);
    let unjudged = report::not_judged(ConditionType::ReferencesResolved);
    let valid = match &observed.object.valid {
        Ok(valid) => valid,
        Err(faults) => {
            let invalid = Verdict::no(ConditionType::Accepted, Reason::Invalid, sentence(faults));
            return idle(Intent::Keep, vec![invalid, unjudged]);
        }
    };
    match (&observed.tenant, &observed.conflict) {
        (Some(TenantStanding::Accepted(_)), Some((reason, message))) => {
            // A name that is taken is refused as a change; what was served before goes on.
            idle(Intent::Keep, vec![Verdict::no(ConditionType::Accepted, *reason, message.clone()), unjudged])
        }
        (Some(TenantStanding::Accepted(tenant)), None) => serve(observed, valid, tenant),
        (Some(TenantStanding::NotAccepted), _) => {
            idle(Intent::Keep, vec![accepted, report::tenant_not_accepted(&valid.tenant)])
        }
        (Some(TenantStanding::Gone), _) => {
            let intent = Intent::Withdraw { tenant_gone: true };
            idle(intent, vec![accepted, report::tenant_not_found(&valid.tenant)])
        }
        (Some(TenantStanding::Vanished) | None, _) => {
            idle(Intent::Keep, vec![accepted, report::tenant_not_found(&valid.tenant)])
        }
    }
}

fn serve(observed: &Observed, valid: &ValidUser, tenant: &AcceptedTenant) -> Plan {
    let mut user = UserDocument {
        subject: valid.subject(&tenant.valid.slug).to_string(),
        username: valid.username.to_string(),
        claims: valid.claims.clone(),
        groups: valid.groups.clone(),
        password_hash: None,
        password_source: None,
        disabled: valid.disabled,
        sessions_not_before: valid.sessions_not_before,
    };
    let mut resolved = Verdict::yes(ConditionType::ReferencesResolved, Reason::Resolved);
    let publish = |user| {
        let owner = valid.name.clone();
        Intent::Publish(Box::new(Document::serving(tenant.slug(), owner, Content::User(user))))
    };
    let document = match hash(observed, valid) {
        Hash::None => publish(user),
        Hash::Known(hash, source) => {
            user.password_hash = Some(hash);
            user.password_source = Some(source);
            publish(user)
        }
        Hash::Make(password, source) => {
            user.password_source = Some(source);
            Intent::Hash(Box::new(user), password, tenant.slug().to_owned())
        }
        Hash::Unusable(reason, message) => {
            resolved = Verdict::no(ConditionType::ReferencesResolved, reason, message);
            match observed.published.clone() {
                Some(password) => {
                    (user.password_hash, user.password_source) = password.unzip();
                    publish(user)
                }
                None if valid.disabled => publish(user),
                // Providers may serve a hash that we do not know: it is not taken from them.
                None => Intent::Keep,
            }
        }
    };
    Plan {
        document,
        verdicts: vec![Verdict::yes(ConditionType::Accepted, Reason::Accepted), resolved],
        rechecked: valid.password.is_some(),
    }
}

fn hash(observed: &Observed, valid: &ValidUser) -> Hash {
    let Some(reference) = &valid.password else {
        return Hash::None;
    };
    if let Some(error) = &observed.unread {
        return Hash::Unusable(Reason::SecretRefused, format!("Secret {}: {error}", reference.name));
    }
    let Some(secret) = &observed.secret else {
        return Hash::Unusable(Reason::SecretNotFound, format!("there is no Secret {}", reference.name));
    };
    let source = source(secret, &reference.key);
    if let Some(Some((hash, before))) = &observed.published
        && *before == source
    {
        return Hash::Known(hash.clone(), source);
    }
    let unusable = |problem: &str| {
        let message = format!("Secret {}: {} {problem}", reference.name, reference.key);
        Hash::Unusable(Reason::SecretInvalid, message)
    };
    match secret.data.as_ref().and_then(|data| data.get(&reference.key)) {
        None => unusable("is not among its keys"),
        Some(bytes) => match password::read(&bytes.0) {
            Ok(Password::Hashed(hash)) => Hash::Known(hash, source),
            Ok(Password::Plain(password)) => Hash::Make(password, source),
            Err(problem) => unusable(problem),
        },
    }
}

fn source(secret: &Secret, key: &str) -> PasswordSource {
    PasswordSource {
        uid: secret.metadata.uid.clone().unwrap_or_default(),
        resource_version: secret.metadata.resource_version.clone().unwrap_or_default(),
        key: key.to_owned(),
    }
}
