//! What a Tenant says of itself.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names;
use claviger_crds::published::ServiceAccountIssuerDocument;
use claviger_crds::tenant::{ServiceAccountIssuerStatus, TenantStatus};

use super::apply::Applied;
use super::observe::Observed;
use crate::context::Context;
use crate::error::StepError;
use crate::report;
use crate::service_account_issuer::kids;
use crate::work::Next;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { outcome, mut verdicts, mut next, held, unsealed, refused: _ } = applied;
    let object = &observed.object;
    let rings = observed.rings.iter().filter(|ring| ring.active()).map(|ring| ring.live.clone()).collect();
    let programmed = match sealing_keys(observed, unsealed.as_ref()) {
        Some(verdict) => Ok((verdict, Next::IDLE)),
        None => outcome.verdict(context, object, &[rings]),
    };
    match programmed {
        Ok((verdict, again)) => {
            verdicts.push(verdict);
            next = next.or(again);
        }
        Err(held) => return Ok(next.or(held)),
    }
    verdicts.push(report::rotation(held));
    let accepted =
        verdicts.iter().any(|verdict| verdict.condition == ConditionType::Accepted && verdict.holds == Some(true));
    let verdicts: Vec<Verdict> = report::with_ready(verdicts, object.meta.paused);
    let status = TenantStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        slug: object.valid().map(|valid| valid.slug.to_string()),
        issuer: observed.issuer.as_ref().filter(|_| accepted).map(|issuer| issuer.as_str().to_owned()),
        discovery_url: observed.issuer.as_ref().filter(|_| accepted).map(super::Issuer::discovery_url),
        signing_key: signing_key(observed),
        service_account_issuer: observed.service_account_issuer.as_ref().filter(|_| accepted).map(issuer_status),
    };
    report::report(context, object, status, |index| &mut index.tenants).await?;
    Ok(next)
}

fn issuer_status(issuer: &ServiceAccountIssuerDocument) -> ServiceAccountIssuerStatus {
    ServiceAccountIssuerStatus {
        issuer: issuer.issuer.clone(),
        kids: kids(&issuer.jwks),
        since: Some(report::whole_seconds(issuer.since)),
    }
}

/// What was published goes on being served, if anything was, and nothing else is without these keys.
fn sealing_keys(observed: &Observed, refused: Option<&StepError>) -> Option<Verdict> {
    let unknown = |reason, message| Some(Verdict::unknown(ConditionType::Programmed, reason, message));
    if let Some(error) = observed.unreadable() {
        let secret = names::sealing_secret(&observed.object.meta.name);
        let message = format!(
            "the Secret {secret} in the operator's namespace holds no sealing keys: {error}. What was published goes on \
             being served and is not changed. Restore the Secret from a backup, or delete it: then it is made again \
             with the keys that are published, or with new ones where none are"
        );
        return unknown(Reason::SealingKeysUnreadable, message);
    }
    unknown(Reason::SealingKeysRefused, refused?.to_string())
}

/// The ring that signs now: the named one if it can, else the oldest, as providers choose.
fn signing_key(observed: &Observed) -> Option<String> {
    let named = observed.published_default.clone().flatten();
    let named = named.and_then(|named| observed.rings.iter().find(|ring| ring.owner == named && ring.signs()));
    let oldest = |leaving: bool| {
        let rings = observed.rings.iter().filter(|ring| ring.active() && ring.leaving == leaving);
        rings.min_by_key(|ring| ring.created_at)
    };
    named.or_else(|| oldest(false)).or_else(|| oldest(true)).map(|ring| ring.owner.name.clone())
}
