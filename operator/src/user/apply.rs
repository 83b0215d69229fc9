//! Writing what an account needs: its document, with a password hashed where that is new.

use claviger_crds::condition::Verdict;
use claviger_crds::published::{Content, Document};

use super::observe::Observed;
use super::password;
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
            user.password_hash = Some(password::hash(context, password).await?);
            let owner = observed.object.meta.name.clone();
            let document = Document::serving(tenant, owner, Content::User(*user));
            publish(context, Publication::of(document, uid)).await.map(Outcome::Stands)
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
