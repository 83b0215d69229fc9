//! What happened to a ring, for people: Events, the audit stream and counts. They are told once what
//! happened is stored.

use claviger_crds::names;

use super::observe::Observed;
use super::ring::{Key, Revoked, Ring};
use super::rotation::{Action, Cause};
use crate::cluster::Event;
use crate::context::Context;

/// What one Event says.
struct News {
    warning: bool,
    reason: &'static str,
    note: String,
}

/// Tells of `actions`, by which `before` became `after`.
pub(super) async fn tell(
    context: &Context,
    observed: &Observed,
    before: Option<&Ring>,
    after: &Ring,
    actions: &[Action],
) {
    for (action, key) in actions.iter().zip(keys(before, after, actions)) {
        count(context, observed, &after.tenant, action);
        let told = news(before, action, key).filter(|_| observed.object.is_some());
        let Some(News { warning, reason, note }) = told else {
            continue;
        };
        let (work, uid) = (&observed.work, observed.owner_uid.clone());
        let kid = key.map(|key| &key.kid).or(action.kid());
        let part = kid.map(|kid| format!("status.keys{{{kid}}}"));
        context.event(Event { kind: work.kind, name: work.name.clone(), uid, warning, reason, note, part }).await;
    }
}

/// The key that each of `actions` made, or made sign.
fn keys<'a>(before: Option<&Ring>, after: &'a Ring, actions: &[Action]) -> Vec<Option<&'a Key>> {
    let is_new = |key: &&Key| before.is_none_or(|before| before.key(&key.kid).is_none());
    // The newest is the first.
    let mut made = after.keys.iter().rev().filter(is_new);
    let key = |action: &Action| match action {
        Action::AddStandby | Action::Import => made.next(),
        Action::Promote { .. } => after.active(),
        _ => None,
    };
    actions.iter().map(key).collect()
}

fn news(before: Option<&Ring>, action: &Action, key: Option<&Key>) -> Option<News> {
    let normal = |reason, note: String| Some(News { warning: false, reason, note });
    match action {
        Action::Create { joining, import, .. } => normal("RingCreated", created(*joining, *import)),
        Action::Return { .. } => {
            normal("RingRestored", "The ring of this name was restored: the same keys serve again".to_owned())
        }
        Action::Join => normal("RingJoined", "Every verifier knows the ring's keys: it may sign".to_owned()),
        Action::AddStandby | Action::Import => {
            let standby = key?;
            let origin = if standby.imported { "was imported" } else { "was made" };
            normal("KeyPublished", format!("The key {} {origin}, and stands by", standby.kid))
        }
        Action::Discard { kid } => normal("KeyDiscarded", format!("The key {kid} never signed and is not needed")),
        Action::Promote { cause, unknown_until } => {
            let note = promoted(before, key?, *cause);
            match unknown_until {
                None => normal("KeyPromoted", note),
                Some(until) => Some(News {
                    warning: true,
                    reason: "KeyPromotedEarly",
                    note: format!("{note}. Until {until} some verifiers may not know it"),
                }),
            }
        }
        Action::Unpublish { kid } => {
            normal("KeyUnpublished", format!("The key {kid} left the JWK Set: every token that it signed has expired"))
        }
        Action::Drop { kid } => normal("KeyGone", format!("The key {kid} is gone")),
        Action::Revoke { kid, revoked } => {
            let Revoked { reason, by, trusted_until, .. } = revoked;
            let note = format!(
                "The key {kid} was revoked by {by}: {reason}. Verifiers outside may trust it until {trusted_until}"
            );
            Some(News { warning: true, reason: "KeyRevoked", note })
        }
        Action::Accept { above, .. } => Some(News {
            warning: true,
            reason: "RingAccepted",
            note: format!(
                "What pods served of the ring, up to revision {above}, was given up for what is stored of it, as {} \
                 asks for: some verifiers may not know the key that signs now, and tokens of keys that are not in \
                 status.keys are refused",
                names::ANNOTATION_ACCEPT_STORED_RING
            ),
        }),
        Action::Withdraw => normal("RingWithdrawn", "The ring is withdrawn: its Tenant is gone".to_owned()),
        Action::Adjust | Action::HandOver | Action::Retire | Action::KeepRevision { .. } | Action::Republish { .. } => {
            None
        }
    }
}

fn created(joining: bool, import: bool) -> String {
    let signs = if import { "the imported key, which signs," } else { "one key that signs" };
    if joining {
        format!(
            "A ring was made beside others, of {signs} and one that stands by: it signs once every verifier knows its keys"
        )
    } else {
        format!("A ring was made: {signs} and one that stands by")
    }
}

fn promoted(before: Option<&Ring>, active: &Key, cause: Cause) -> String {
    let why = match cause {
        Cause::Interval => "the interval is over".to_owned(),
        Cause::Asked(at) => format!("claviger.dev/rotate-at asked for it from {at}"),
        Cause::Algorithm => "the SigningKey asks for such a key".to_owned(),
        Cause::Emergency => "the one that signed may not be used any more".to_owned(),
    };
    let old = before.and_then(Ring::active).map(|key| format!(" instead of {}", key.kid)).unwrap_or_default();
    format!("The key {} signs from now on{old}: {why}", active.kid)
}

/// Tells of the revocations among `actions`, which may be stored or not: the answer is lost. When the next
/// reconcile finds them stored they are no news, and a line too many is better than none.
pub(super) fn perhaps(context: &Context, observed: &Observed, tenant: &str, actions: &[Action]) {
    let revocations = actions.iter().filter(|action| matches!(action, Action::Revoke { .. }));
    revocations.for_each(|action| count(context, observed, tenant, action));
}

/// Counts what happened; a revocation is also a line of the audit stream.
fn count(context: &Context, observed: &Observed, tenant: &str, action: &Action) {
    match action {
        Action::Promote { .. } => context.metrics.promoted(),
        Action::Revoke { kid, revoked } => {
            context.metrics.revoked();
            let Revoked { at, reason, by, trusted_until } = revoked;
            tracing::info!(
                target: "audit",
                event = "signing_key_revoked",
                tenant,
                signing_key = %observed.work.name,
                %kid,
                %at,
                reason,
                by,
                %trusted_until,
                "a signing key was revoked"
            );
        }
        _ => {}
    }
}
