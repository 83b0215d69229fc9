//! The last step of every reconcile: what was found out becomes the object's status, if that
//! differs from what it says already.

mod outcome;

use claviger_crds::condition::{self, ConditionType, Reason, Verdict};
use claviger_crds::names::ObjectName;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::cluster::{ClusterError, StatusWrite};
use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::object::{Declared, Object, Objects};
use crate::liveness::{Judgement, Live};
use crate::work::Next;

pub(crate) use self::outcome::Outcome;

/// Judges whether `document` is live, for the condition `Programmed` of `object`. What it also
/// needs to be of use (its issuer) must have been live once.
fn judge<K: Declared>(context: &Context, object: &Object<K>, document: &Live, needs: &[Vec<Live>]) -> Judgement {
    let work = object.work();
    let said = said_programmed::<K>(object, document);
    let now = context.now();
    let judgement = context.with(|state| {
        let standing =
            |state: &State, live: &Live| state.acknowledgements.standing(&live.name, &live.digest, live.revision);
        let stands = standing(state, document);
        let own = state.liveness.judge(document, stands, said, &work, now);
        if said || !matches!(own, Judgement::Programmed { .. }) {
            return own;
        }
        // Of each need, one of the documents will do.
        for any_of in needs {
            let mut first = None;
            for live in any_of {
                let stands = standing(state, live);
                match state.liveness.judge_need(live, stands, &work, now) {
                    Judgement::Programmed { .. } => first = Some(None),
                    waits if first.is_none() => first = Some(Some(waits)),
                    _ => {}
                }
                if first == Some(None) {
                    break;
                }
            }
            match first {
                Some(None) => {}
                Some(Some(waits)) => return waits,
                None => return Judgement::Not(pending("its issuer is not published yet"), None),
            }
        }
        own
    });
    if let Judgement::Programmed { took: Some(took) } = judgement {
        context.metrics.programmed(K::KIND, took);
    }
    judgement
}

fn pending(message: &str) -> Verdict {
    Verdict::no(ConditionType::Programmed, Reason::Pending, message)
}

/// Whether the status calls this very content programmed. The digest in the message is what makes
/// that survive a change of leaders.
fn said_programmed<K: Declared>(object: &Object<K>, document: &Live) -> bool {
    let message = served_everywhere(document);
    K::conditions(&object.status).iter().any(|condition| {
        condition.type_ == ConditionType::Programmed.to_string()
            && condition.status == "True"
            && condition.message == message
    })
}

fn served_everywhere(document: &Live) -> String {
    let digest: String = document.digest.to_string().chars().take("sha256:".len() + 12).collect();
    format!("served by every provider pod: {digest}")
}

/// The verdict `Programmed`, unless nothing should be said yet; and when to look again.
fn programmed(document: &Live, judgement: Judgement) -> Result<(Verdict, Next), Next> {
    match judgement {
        Judgement::Programmed { .. } => {
            let mut verdict = Verdict::yes(ConditionType::Programmed, Reason::Programmed);
            verdict.message = served_everywhere(document);
            Ok((verdict, Next::IDLE))
        }
        Judgement::Hold(wait) => Err(Next::after(wait)),
        Judgement::Not(verdict, again) => Ok((verdict, Next { after: again })),
    }
}

/// Nothing of it is served.
fn not_served() -> Verdict {
    let message = "nothing of this object is served; the other conditions say why";
    Verdict::no(ConditionType::Programmed, Reason::NotServed, message)
}

/// Of an object for which nothing is written now: what `Programmed` said before.
fn kept<K: Declared>(object: &Object<K>) -> Verdict {
    let programmed = ConditionType::Programmed.to_string();
    let before = K::conditions(&object.status).iter().find(|condition| condition.type_ == programmed);
    match before {
        Some(condition) if condition.status == "True" => Verdict {
            message: condition.message.clone(),
            ..Verdict::yes(ConditionType::Programmed, Reason::Programmed)
        },
        _ => pending("nothing is published of it for now"),
    }
}

/// It cannot be judged, for something before it fails.
pub(crate) fn not_judged(condition: ConditionType) -> Verdict {
    Verdict::unknown(condition, Reason::NotReady, "not looked at: another condition fails first")
}

/// The verdict `RotationBlocked`, where `held` says why keys do not change.
pub(crate) fn rotation(held: Option<(Reason, String)>) -> Verdict {
    match held {
        Some((reason, message)) => Verdict { message, ..Verdict::yes(ConditionType::RotationBlocked, reason) },
        None => Verdict { holds: Some(false), ..Verdict::yes(ConditionType::RotationBlocked, Reason::NotBlocked) },
    }
}

/// The Tenant that the object names is not there.
pub(crate) fn tenant_not_found(tenant: &ObjectName) -> Verdict {
    Verdict::no(ConditionType::ReferencesResolved, Reason::TenantNotFound, format!("there is no Tenant {tenant}"))
}

/// The Tenant that the object names has troubles of its own.
pub(crate) fn tenant_not_accepted(tenant: &ObjectName) -> Verdict {
    let message = format!("the Tenant {tenant} is not accepted: its own conditions say why");
    Verdict::no(ConditionType::ReferencesResolved, Reason::TenantNotAccepted, message)
}

/// The verdicts with `Ready`, which a paused object never is.
pub(crate) fn with_ready(mut verdicts: Vec<Verdict>, paused: bool) -> Vec<Verdict> {
    let ready = if paused {
        let message =
            "claviger.dev/paused: nothing is written for this object; what was published goes on being served";
        Verdict::no(ConditionType::Ready, Reason::Paused, message)
    } else {
        // `RotationBlocked` is good news when it is false.
        let judged = verdicts.iter().filter(|verdict| verdict.condition != ConditionType::RotationBlocked);
        let mut judged: Vec<Verdict> = judged.cloned().collect();
        // What fails is told before what was not looked at because of it.
        judged.sort_by_key(|verdict| verdict.holds.is_none());
        Verdict::ready(&judged)
    };
    verdicts.push(ready);
    verdicts
}

/// The conditions that `verdicts` make of those that the object shows.
pub(crate) fn conditions<K: Declared>(context: &Context, object: &Object<K>, verdicts: &[Verdict]) -> Vec<Condition> {
    condition::merge(
        K::conditions(&object.status),
        verdicts,
        object.meta.generation,
        whole_seconds(context.now().wall).0,
    )
}

/// Kubernetes keeps whole seconds: more would come back changed, and be written for ever.
pub(crate) fn whole_seconds(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// Writes `status` if it differs from what the object says, and tells people of what went wrong.
pub(crate) async fn report<K: Declared>(
    context: &Context,
    object: &Object<K>,
    status: K::Status,
    objects: impl FnOnce(&mut crate::index::Index) -> &mut Objects<K>,
) -> Result<(), StepError> {
    let work = object.work();
    if *object.status == status || !context.with(|state| state.liveness.settled_or_defer(&work)) {
        return Ok(());
    }
    let value = serde_json::to_value(&status).map_err(|_| StepError::Computation("the status"))?;
    let write = StatusWrite {
        kind: K::KIND,
        name: object.meta.name.clone(),
        uid: object.meta.uid.clone(),
        resource_version: object.meta.resource_version.clone(),
        status: value,
    };
    let version = match context.write_status(write).await {
        // It was deleted meanwhile: nobody waits for what it would have said.
        Err(ClusterError::NotFound) => return Err(StepError::Outdated("the object")),
        written => written.doing("writing the status")?,
    };
    let news = news(K::conditions(&object.status), K::conditions(&status));
    let decided = accepted(K::conditions(&object.status)) != accepted(K::conditions(&status));
    context.with(|state| {
        objects(&mut state.index).wrote_status(&object.meta, &version, status);
        let works = state.index.said(&work);
        state.wake(works);
        // A name that no document records goes by who is accepted.
        if decided {
            let rivals = state.index.rivals_of(object);
            state.wake(rivals);
        }
    });
    for (reason, note) in news {
        context.tell(&work, &object.meta.uid, true, reason, note).await;
    }
    Ok(())
}

/// Whether `Accepted` holds.
fn accepted(conditions: &[Condition]) -> bool {
    let accepted = ConditionType::Accepted.to_string();
    conditions.iter().any(|condition| condition.type_ == accepted && condition.status == "True")
}

/// Conditions that now fail for a reason for which they did not fail before, except for the usual
/// wait of a moment.
fn news(before: &[Condition], after: &[Condition]) -> Vec<(&'static str, String)> {
    let failing = |condition: &Condition| match (condition.type_.as_str(), condition.status.as_str()) {
        ("Accepted", "False") => Some("NotAccepted"),
        ("ReferencesResolved", "False") => Some("ReferencesNotResolved"),
        ("CredentialsReady", "False") => Some("CredentialsNotReady"),
        ("RotationBlocked", "True") => Some("RotationBlocked"),
        ("Programmed", "Unknown") if condition.reason.starts_with("SealingKeys") => Some("SealingKeysNotReady"),
        ("Programmed", "False") if condition.reason == Reason::DocumentRefused.to_string() => Some("DocumentRefused"),
        ("Programmed", "False") if condition.reason == Reason::PublicationRefused.to_string() => {
            Some("PublicationRefused")
        }
        _ => None,
    };
    after
        .iter()
        .filter(|new| {
            !before.iter().any(|old| old.type_ == new.type_ && old.status == new.status && old.reason == new.reason)
        })
        .filter_map(|new| failing(new).map(|reason| (reason, format!("{}: {}", new.reason, new.message))))
        .collect()
}
