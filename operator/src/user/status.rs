//! What an account says of itself.

use claviger_crds::user::UserStatus;

use super::apply::Applied;
use super::observe::Observed;
use crate::context::Context;
use crate::error::StepError;
use crate::report;
use crate::work::Next;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { outcome, mut verdicts, mut next } = applied;
    let object = &observed.object;
    match outcome.verdict(context, object, &observed.issuer) {
        Ok((verdict, again)) => {
            verdicts.push(verdict);
            next = next.or(again);
        }
        Err(held) => return Ok(next.or(held)),
    }
    let verdicts = report::with_ready(verdicts, object.meta.paused);
    let tenant = observed.accepted();
    let status = UserStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        tenant: tenant.map(|(_, tenant)| tenant.slug().to_owned()),
        username: object.valid().map(|valid| valid.username.to_string()),
        subject: tenant.map(|(valid, tenant)| valid.subject(&tenant.valid.slug).to_string()),
        disabled: object.valid().map(|valid| valid.disabled),
    };
    report::report(context, object, status, |index| &mut index.users).await?;
    Ok(next)
}
