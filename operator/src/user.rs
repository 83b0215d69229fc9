//! User: a local account. Owns its document, with the hash of its password and never the password.

mod apply;
mod observe;
mod password;
mod plan;
mod status;

use claviger_crds::names::ObjectName;

use crate::context::Context;
use crate::error::StepError;
use crate::work::Next;

/// One reconcile of the User `name`. A deleted one is the sweep's business.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    let Some(observed) = observe::observe(context, name).await? else {
        context.with(|state| state.hashed.remove(name));
        return Ok(Next::IDLE);
    };
    let plan = plan::plan(&observed);
    let applied = apply::apply(context, &observed, plan).await?;
    let refused = applied.outcome.refused().cloned();
    let next = status::report(context, &observed, applied).await?;
    refused.map_or(Ok(next), Err)
}

#[cfg(test)]
mod tests;
