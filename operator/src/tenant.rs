//! Tenant: one issuer. Owns the tenant's document, its default ring and its sealing keys.

mod apply;
mod issuer;
pub(crate) mod observe;
mod plan;
pub(crate) mod sealing;
mod status;
mod trust;

use claviger_crds::names::ObjectName;

pub(crate) use self::issuer::Issuer;
pub(crate) use self::plan::scope as scope_document;
pub(crate) use self::trust::others as trusted_issuers;
use crate::context::Context;
use crate::error::StepError;
use crate::work::Next;

/// One reconcile of the Tenant `name`. A deleted one is the sweep's business.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    let Some(mut observed) = observe::observe(context, name) else {
        return Ok(Next::IDLE);
    };
    if let Some(slug) = observed.may_be_served() {
        observed.sealing = Some(sealing::read(context, name, slug).await?);
    }
    let plan = plan::plan(&observed, context.now());
    let mut applied = apply::apply(context, &observed, plan).await?;
    let refused = applied.refused.take().or_else(|| applied.outcome.refused().cloned());
    let refused = refused.or_else(|| applied.unsealed.clone());
    let next = status::report(context, &observed, applied).await?;
    refused.map_or(Ok(next), Err)
}
