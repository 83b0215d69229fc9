//! What a SigningKey says of itself: its conditions, and every key with its times.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::signing_key::SigningKeyStatus;
use jiff::Timestamp;

use super::apply::Applied;
use super::observe::Observed;
use super::ring::{Key, Purpose, Ring};
use super::timeline::timeline;
use crate::context::Context;
use crate::error::StepError;
use crate::metrics::RingTimes;
use crate::report::{self, Outcome};
use crate::work::Next;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { ring, purpose, outcome, decision, mut verdicts, mut next, refused } = applied;
    let Some(object) = &observed.object else {
        context.metrics.ring(&observed.work.name, None);
        return Ok(next);
    };
    let paused = object.meta.paused;
    let programmed = match &outcome {
        Outcome::Kept | Outcome::Nothing if observed.unreadable.is_some() => {
            Ok((stuck(Reason::RingUnreadable, "read"), Next::IDLE))
        }
        Outcome::Kept | Outcome::Nothing if refused.is_some() => {
            Ok((stuck(Reason::RingRefused, "written"), Next::IDLE))
        }
        outcome => outcome.verdict(context, object, &[]),
    };
    match programmed {
        Ok((verdict, again)) => {
            verdicts.push(verdict);
            next = next.or(again);
        }
        Err(held) => return Ok(next.or(held)),
    }
    let rolled_back = matches!(decision.blocked, Some((Reason::RingRolledBack, _)));
    let active = ring.as_ref().and_then(Ring::active);
    verdicts.push(report::rotation(decision.blocked));
    if rolled_back && !object.status.conditions.iter().any(|old| old.reason == Reason::RingRolledBack.to_string()) {
        context.metrics.ring_rolled_back();
    }
    let verdicts = report::with_ready(verdicts, paused);
    let (keys, next_change) = ring.as_ref().map(|ring| timeline(ring, purpose.as_ref())).unwrap_or_default();
    let status = SigningKeyStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        tenant: ring.as_ref().map(|ring| ring.tenant.clone()),
        algorithm: active.map(|key| key.public_key.algorithm().to_string()),
        active_kid: active.map(|key| key.kid.to_string()),
        next_change,
        observed_rotate_at: ring.as_ref().and_then(|ring| ring.rotated_at).map(|at| at.to_string()),
        keys,
    };
    let status = match &observed.unreadable {
        None => status,
        // What was known of its keys is still what is served.
        Some(_) => SigningKeyStatus {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            ..(*object.status).clone()
        },
    };
    context.metrics.ring(&observed.work.name, Some(times(active, purpose.as_ref(), &status)));
    report::report(context, object, status, |index| &mut index.signing_keys).await?;
    refused.or_else(|| outcome.refused().cloned()).map_or(Ok(next), Err)
}

fn times(active: Option<&Key>, purpose: Option<&Purpose>, status: &SigningKeyStatus) -> RingTimes {
    let ends = purpose.filter(|_| active.is_some_and(|key| !key.imported));
    let blocked = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::RotationBlocked.to_string() && condition.status == "True");
    RingTimes {
        active_since: active.and_then(|key| key.active_at).map_or(0, Timestamp::as_second),
        interval: ends.map_or(0, |purpose| i64::from(purpose.rotation.interval)),
        next_change: status.next_change.as_ref().map_or(0, |next| next.at.0.as_second()),
        blocked_since: blocked.map_or(0, |condition| condition.last_transition_time.0.as_second()),
    }
}

/// What was published goes on being served, but whether that is what is asked for, nobody can say.
fn stuck(reason: Reason, participle: &str) -> Verdict {
    let message = format!("the ring cannot be {participle}: RotationBlocked says why");
    Verdict::unknown(ConditionType::Programmed, reason, message)
}
