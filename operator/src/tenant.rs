//! Tenant: one issuer. Owns the tenant's document and its default ring; reads the index alone.

mod apply;
mod issuer;
pub(crate) mod observe;
mod plan;
mod status;

use claviger_crds::names::ObjectName;

pub(crate) use self::issuer::Issuer;
pub(crate) use self::plan::scope as scope_document;
use crate::context::Context;
use crate::error::StepError;
use crate::work::Next;

/// One reconcile of the Tenant `name`. A deleted one is the sweep's business.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    let Some(observed) = observe::observe(context, name) else {
        return Ok(Next::IDLE);
    };
    let plan = plan::plan(&observed, context.now());
    let mut applied = apply::apply(context, &observed, plan).await?;
    let refused = applied.refused.take().or_else(|| applied.outcome.refused().cloned());
    let next = status::report(context, &observed, applied).await?;
    refused.map_or(Ok(next), Err)
}
