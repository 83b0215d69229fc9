//! OAuthClient: one relying party. Owns its document, and the Secret with its credentials in the
//! application's namespace where the operator makes one; other Secrets it only reads, and only
//! those that the object names.

mod apply;
mod credentials;
mod document;
mod grants;
mod observe;
mod plan;
mod status;

use claviger_crds::names::ObjectName;

pub(crate) use self::credentials::owned;
use crate::context::Context;
use crate::error::StepError;
use crate::work::Next;

/// One reconcile of the OAuthClient `name`. A deleted one is the sweep's business.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    let Some(observed) = observe::observe(context, name).await? else {
        return Ok(Next::IDLE);
    };
    let plan = plan::plan(&observed, context.now().wall);
    let mut applied = apply::apply(context, &observed, plan).await?;
    let refused = applied.refused.take().or_else(|| applied.outcome.refused().cloned());
    let next = status::report(context, &observed, applied).await?;
    refused.map_or(Ok(next), Err)
}

#[cfg(test)]
mod tests;
