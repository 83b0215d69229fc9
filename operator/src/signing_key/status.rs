//! What a SigningKey says of itself: its conditions, and every key with its times.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names;
use claviger_crds::signing_key::{KeyStatus, SigningKeyStatus, ValidSigningKey};
use jiff::Timestamp;

use super::apply::Applied;
use super::observe::Observed;
use super::ring::{Key, Ring};
use crate::context::Context;
use crate::error::StepError;
use crate::report::{self, Outcome, whole_seconds};
use crate::work::Next;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { ring, outcome, decision, mut verdicts, mut next, refused } = applied;
    let Some(object) = &observed.object else {
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
    let blocked = decision.blocked.or_else(|| not_carried_out(object.valid()?, active?));
    verdicts.push(match blocked {
        Some((reason, message)) => Verdict { message, ..Verdict::yes(ConditionType::RotationBlocked, reason) },
        None => Verdict { holds: Some(false), ..Verdict::yes(ConditionType::RotationBlocked, Reason::NotBlocked) },
    });
    if rolled_back && !object.status.conditions.iter().any(|old| old.reason == Reason::RingRolledBack.to_string()) {
        context.metrics.ring_rolled_back();
    }
    let verdicts = report::with_ready(verdicts, paused);
    let status = SigningKeyStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        tenant: ring.as_ref().map(|ring| ring.tenant.clone()),
        algorithm: active.map(|key| key.public_key.algorithm().to_string()),
        active_kid: active.map(|key| key.kid.to_string()),
        next_change: None,
        observed_rotate_at: None,
        keys: ring.iter().flat_map(|ring| &ring.keys).map(key).collect(),
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
    report::report(context, object, status, |index| &mut index.signing_keys).await?;
    refused.or_else(|| outcome.refused().cloned()).map_or(Ok(next), Err)
}

/// What was published goes on being served, but whether that is what is asked for, nobody can say.
fn stuck(reason: Reason, participle: &str) -> Verdict {
    let message = format!("the ring cannot be {participle}: RotationBlocked says why");
    Verdict::unknown(ConditionType::Programmed, reason, message)
}

/// A rotation that is asked for and that this release does not carry out.
fn not_carried_out(valid: &ValidSigningKey, active: &Key) -> Option<(Reason, String)> {
    let signs = active.public_key.algorithm();
    let asked = if valid.rotate_at.is_some() {
        names::ANNOTATION_ROTATE_AT.to_owned()
    } else if valid.algorithm != signs {
        format!("spec.algorithm {}", valid.algorithm)
    } else {
        return None;
    };
    let message = format!(
        "{asked}: this release does not rotate the keys of a ring, and its key of {signs} goes on signing. For another \
         key, declare another SigningKey and delete this one"
    );
    Some((Reason::Unsupported, message))
}

fn key(key: &Key) -> KeyStatus {
    let time = |at: Option<Timestamp>| at.map(whole_seconds);
    KeyStatus {
        kid: key.kid.to_string(),
        phase: key.phase,
        algorithm: Some(key.public_key.algorithm().to_string()),
        published_at: time(Some(key.published_at)),
        active_at: time(key.active_at),
        retiring_at: time(key.retiring_at),
        verify_only_at: time(key.verify_only_at),
        gone_at: None,
        revoked_at: time(key.revoked_at),
        trusted_until: None,
        revoked_reason: None,
        revoked_by: None,
    }
}
