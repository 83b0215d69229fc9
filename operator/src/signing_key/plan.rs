//! What a ring needs: pure. The decision itself is [`rotation::decide`]; this says what it is for.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::sentence;
use claviger_crds::signing_key::ValidSigningKey;

use super::change::NewKey;
use super::import::{self, Import};
use super::observe::Observed;
use super::ring::{Purpose, Ring};
use super::rotation::{self, Decision, Wish};
use crate::clock::Moment;
use crate::liveness::named;
use crate::report;
use crate::tenant::observe::{AcceptedTenant, TenantStanding};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) decision: Decision,
    /// What the ring is to serve, if it is to serve anything.
    pub(super) purpose: Option<Purpose>,
    /// The key that is to be imported, if that is not in the ring.
    pub(super) imported: Option<NewKey>,
    /// Whether the ring, as it is after the decision, is published.
    pub(super) publish: bool,
    /// `Accepted` and `ReferencesResolved`.
    pub(super) verdicts: Vec<Verdict>,
}

/// Decides; of a ring that cannot be read, nothing but to say so.
pub(super) fn plan(observed: &Observed, now: Moment) -> Plan {
    let plan = plan_readable(observed, now);
    let Some(error) = &observed.unreadable else {
        return plan;
    };
    let message = format!(
        "{error}: what was published goes on being served, and no key is changed until a person puts the ring in order"
    );
    let decision = Decision { blocked: Some((Reason::RingUnreadable, message)), ..Decision::default() };
    Plan { decision, purpose: None, imported: None, publish: false, ..plan }
}

fn plan_readable(observed: &Observed, now: Moment) -> Plan {
    let ring = observed.stored.as_ref().map(|stored| &stored.ring);
    let decide = |wish: Wish| rotation::decide(&wish, ring, &observed.around, now);
    let Some(object) = &observed.object else {
        return without_purpose(decide(Wish::Leave), true, Vec::new());
    };
    // What may not be trusted is not, though the rest of what is asked for cannot be judged.
    let idle = |verdicts| {
        let decision = rotation::emergency(ring, &observed.around, now);
        let acts = !decision.actions.is_empty();
        without_purpose(decision, acts, verdicts)
    };
    let valid = match &object.valid {
        Ok(valid) => valid,
        Err(faults) => {
            let invalid = Verdict::no(ConditionType::Accepted, Reason::Invalid, sentence(faults));
            return idle(vec![invalid, report::not_judged(ConditionType::ReferencesResolved)]);
        }
    };
    let accepted = Verdict::yes(ConditionType::Accepted, Reason::Accepted);
    match &observed.tenant {
        Some(TenantStanding::Accepted(tenant)) => serve(observed, valid, tenant, now),
        Some(TenantStanding::NotAccepted) => idle(vec![accepted, report::tenant_not_accepted(&valid.tenant)]),
        Some(TenantStanding::Gone) => {
            without_purpose(decide(Wish::Withdraw), true, vec![accepted, report::tenant_not_found(&valid.tenant)])
        }
        Some(TenantStanding::Vanished) | None => idle(vec![accepted, report::tenant_not_found(&valid.tenant)]),
    }
}

fn without_purpose(decision: Decision, publish: bool, verdicts: Vec<Verdict>) -> Plan {
    Plan { decision, purpose: None, imported: None, publish, verdicts }
}

fn serve(observed: &Observed, valid: &ValidSigningKey, tenant: &AcceptedTenant, now: Moment) -> Plan {
    let ring = observed.stored.as_ref().map(|stored| &stored.ring);
    let (mut purpose, held) = purpose(valid, tenant, observed);
    let Import { kid, key, refused } = import::judge(observed, valid, purpose.algorithm);
    purpose.imported = kid;
    let mut verdicts = vec![Verdict::yes(ConditionType::Accepted, Reason::Accepted)];
    verdicts.push(match refused {
        None => Verdict::yes(ConditionType::ReferencesResolved, Reason::Resolved),
        Some((reason, message)) => Verdict::no(ConditionType::ReferencesResolved, reason, message),
    });
    // A new ring begins with the key that its SigningKey names, and with no other: until then what pods serve is not
    // given up for it either. But a revocation does not wait for anybody's key.
    let waits = ring.is_none() && observed.source.is_some() && key.is_none();
    purpose.gives_up.take_if(|_| waits);
    let mut decision = rotation::decide(&Wish::Serve(purpose.clone()), ring, &observed.around, now);
    if waits && !observed.around.lost_and_revoked {
        decision.actions.clear();
        return without_purpose(decision, false, verdicts);
    }
    decision.blocked = decision.blocked.or(held).or_else(|| stays(&purpose, ring?, valid, now));
    // An imported key is not replaced by time.
    if purpose.imported.is_none() {
        decision.blocked = decision.blocked.or_else(|| rotation::check_lifetimes(&purpose).err());
    }
    Plan { decision, purpose: Some(purpose), imported: key, publish: true, verdicts }
}

/// That a rotation is asked for, which an imported key outlasts.
fn stays(purpose: &Purpose, ring: &Ring, valid: &ValidSigningKey, now: Moment) -> Option<(Reason, String)> {
    let asked = purpose.rotate_at.filter(|at| ring.rotated_at.is_none_or(|done| *at > done) && *at <= now.wall)?;
    let secret = &valid.existing_secret.as_ref()?.name;
    let active = ring.active().filter(|active| rotation::stays(purpose, active))?;
    let message = format!(
        "claviger.dev/rotate-at asks for another key from {asked}, and the key {} is imported: put another one into the \
         Secret {secret}, or take spec.existingSecretRef away",
        active.kid
    );
    (purpose.imported.as_ref() == Some(&active.kid)).then_some((Reason::KeyImported, message))
}

/// What the ring is for; and why it is not all that the SigningKey asks for.
fn purpose(
    valid: &ValidSigningKey,
    tenant: &AcceptedTenant,
    observed: &Observed,
) -> (Purpose, Option<(Reason, String)>) {
    let lifetimes = &tenant.valid.lifetimes;
    let ring = observed.stored.as_ref().map(|stored| &stored.ring);
    let signs = ring.and_then(Ring::active).map(|key| key.public_key.algorithm());
    // A client that pinned an algorithm must not be without a key overnight.
    let kept = signs.filter(|signs| *signs != valid.algorithm && !observed.pinned.is_empty());
    let held = kept.map(|algorithm| {
        let clients: Vec<String> = observed.pinned.iter().map(ToString::to_string).collect();
        let message = format!(
            "spec.algorithm {}: {algorithm} is kept, since no other SigningKey of the Tenant has it and these ask for it \
             (idTokenSignedResponseAlg): {}. Declare another SigningKey of {algorithm}, or change these",
            valid.algorithm,
            named(&clients)
        );
        (Reason::AlgorithmInUse, message)
    });
    let purpose = Purpose {
        tenant: tenant.slug().to_owned(),
        tenant_name: tenant.name().name.clone(),
        algorithm: kept.unwrap_or(valid.algorithm),
        rotation: valid.rotation,
        rotate_at: valid.rotate_at,
        gives_up: valid.accept_stored_ring,
        imported: None,
        token_lifetime: lifetimes.access_token.max(lifetimes.id_token).max(observed.client_token_lifetime),
        session_lifetime: lifetimes.session,
    };
    (purpose, held)
}
