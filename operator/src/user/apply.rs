//! Writing what an account needs: its document, with a password hashed where that is new.

use claviger_crds::condition::Verdict;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{Content, Document, PasswordSource, SecretText};

use super::observe::Observed;
use super::password::{self, PlainPassword};
use super::plan::{Intent, Plan};
use crate::context::Context;
use crate::error::StepError;
use crate::publish::{Publication, check_tenant_is_gone, publish, withdraw};
use crate::report::Outcome;
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// What became of the document.
    pub(super) outcome: Outcome,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
}

/// Carries out a plan; of a paused User, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { document, verdicts, rechecked } = plan;
    let next = Next { after: rechecked.then(|| context.recheck()) };
    if observed.object.meta.paused {
        return Ok(Applied { outcome: Outcome::Kept, verdicts, next });
    }
    let (uid, served) = (&observed.object.meta.uid, observed.serving);
    let written = match document {
        Intent::Keep => Ok(Outcome::left(served)),
        Intent::Publish(document) => publish(context, Publication::of(*document, uid)).await.map(Outcome::Stands),
        Intent::Hash(mut user, password, tenant) => {
            let owner = observed.object.meta.name.clone();
            user.password_hash = Some(hash(context, &owner, user.password_source.as_ref(), password).await?);
            let document = Document::serving(tenant, owner.clone(), Content::User(*user));
            let written = publish(context, Publication::of(document, uid)).await;
            if written.is_ok() {
                context.with(|state| state.hashed.remove(&owner));
            }
            written.map(Outcome::Stands)
        }
        Intent::Withdraw { tenant_gone } if served => {
            if tenant_gone {
                check_tenant_is_gone(context, observed.object.tenant()).await?;
            }
            withdraw(context, &observed.object.work()).await.map(|()| Outcome::Nothing)
        }
        Intent::Withdraw { .. } => Ok(Outcome::Nothing),
    };
    Ok(Applied { outcome: Outcome::of(written, served)?, verdicts, next })
}

/// The hash of `password`: that of the last try, where it is of the same Secret and was not published.
async fn hash(
    context: &Context,
    owner: &ObjectName,
    source: Option<&PasswordSource>,
    password: PlainPassword,
) -> Result<SecretText, StepError> {
    let made = context.with(|state| state.hashed.get(owner).cloned());
    if let Some((before, hash)) = made
        && Some(&before) == source
    {
        return Ok(hash);
    }
    let hash = password::hash(context, password).await?;
    if let Some(source) = source {
        context.with(|state| state.hashed.insert(owner.clone(), (source.clone(), hash.clone())));
    }
    Ok(hash)
}
