//! SigningKey: a ring of keys. Owns the ring's Secret in the operator's namespace, which is the
//! truth, and its document, which is a projection of it. A ring whose SigningKey is gone leaves in
//! order: then there is no object, and no status.

mod apply;
mod change;
mod generate;
mod import;
mod later;
mod observe;
mod plan;
pub(crate) mod ring;
mod rotation;
mod status;
mod tell;
mod timeline;

use claviger_crds::names::ObjectName;

pub(crate) use self::rotation::until_cached;
use crate::context::Context;
use crate::error::StepError;
use crate::work::Next;

/// One reconcile of the SigningKey `name`, or of what it left behind.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    let Some(observed) = observe::observe(context, name).await? else {
        return Ok(Next::IDLE);
    };
    let plan = plan::plan(&observed, context.now_of_keys());
    let applied = apply::apply(context, &observed, plan).await?;
    let next = status::report(context, &observed, applied).await?;
    observed.unreadable.map_or(Ok(next), |error| Err(error.into()))
}
