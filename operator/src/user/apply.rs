//! Writing what an account needs: its document, with a password hashed where that is new.

use claviger_crds::condition::Verdict;
use claviger_crds::published::{Content, Document};

use super::observe::Observed;
use super::password;
use super::plan::{Intent, Plan};
use crate::context::Context;
use crate::error::StepError;
use crate::liveness::Live;
use crate::publish::{Publication, check_tenant_is_gone, publish, withdraw};
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// The document as it stands, if it was to be published.
    pub(super) live: Option<Live>,
    /// Whether what was published before goes on being served.
    pub(super) kept: bool,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) next: Next,
}

/// Carries out a plan; of a paused User, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { document, verdicts, rechecked } = plan;
    let next = Next { after: rechecked.then(|| context.recheck()) };
    let mut applied = Applied { live: None, kept: false, verdicts, next };
    if observed.object.meta.paused {
        applied.kept = true;
        return Ok(applied);
    }
    let uid = &observed.object.meta.uid;
    match document {
        Intent::Keep => applied.kept = observed.serving,
        Intent::Publish(document) => {
            applied.live = Some(publish(context, Publication::of(*document, uid)).await?);
        }
        Intent::Hash(mut user, password, tenant) => {
            user.password_hash = Some(password::hash(context, password).await?);
            let owner = observed.object.meta.name.clone();
            let document = Document::serving(tenant, owner, Content::User(*user));
            applied.live = Some(publish(context, Publication::of(document, uid)).await?);
        }
        Intent::Withdraw { tenant_gone } if observed.serving => {
            if tenant_gone {
                check_tenant_is_gone(context, observed.object.tenant()).await?;
            }
            withdraw(context, &observed.object.work()).await?;
        }
        Intent::Withdraw { .. } => {}
    }
    Ok(applied)
}
