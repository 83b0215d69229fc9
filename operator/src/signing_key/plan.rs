//! What a ring needs: pure. The decision itself is [`rotation::decide`]; this says what it is for.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::published::KeyPhase;
use claviger_crds::sentence;
use claviger_crds::signing_key::ValidSigningKey;

use super::observe::Observed;
use super::ring::{Purpose, Ring};
use super::rotation::{self, Decision, Wish};
use crate::clock::Moment;
use crate::report;
use crate::tenant::observe::{AcceptedTenant, TenantStanding};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) decision: Decision,
    /// What the ring is to serve, if it is to serve anything.
    pub(super) purpose: Option<Purpose>,
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
    Plan { decision, purpose: None, publish: false, ..plan }
}

fn plan_readable(observed: &Observed, now: Moment) -> Plan {
    let ring = observed.stored.as_ref().map(|stored| &stored.ring);
    let decide = |wish: Wish| rotation::decide(&wish, ring, &observed.around, now);
    let Some(object) = &observed.object else {
        return Plan { decision: decide(Wish::Leave), purpose: None, publish: true, verdicts: Vec::new() };
    };
    let idle = |verdicts| Plan { decision: Decision::default(), purpose: None, publish: false, verdicts };
    let valid = match &object.valid {
        Ok(valid) => valid,
        Err(faults) => {
            let invalid = Verdict::no(ConditionType::Accepted, Reason::Invalid, sentence(faults));
            return idle(vec![invalid, report::not_judged(ConditionType::ReferencesResolved)]);
        }
    };
    let accepted = accepted(valid, ring);
    match &observed.tenant {
        Some(TenantStanding::Accepted(tenant)) => {
            let purpose = purpose(valid, tenant, observed.client_token_lifetime);
            let resolved = Verdict::yes(ConditionType::ReferencesResolved, Reason::Resolved);
            Plan {
                decision: decide(Wish::Serve(purpose.clone())),
                purpose: Some(purpose),
                publish: true,
                verdicts: vec![accepted, resolved],
            }
        }
        Some(TenantStanding::NotAccepted) => idle(vec![accepted, report::tenant_not_accepted(&valid.tenant)]),
        Some(TenantStanding::Gone) => Plan {
            decision: decide(Wish::Withdraw),
            purpose: None,
            publish: true,
            verdicts: vec![accepted, report::tenant_not_found(&valid.tenant)],
        },
        Some(TenantStanding::Vanished) | None => idle(vec![accepted, report::tenant_not_found(&valid.tenant)]),
    }
}

/// Refused while it asks for a revocation, which this release does not carry out: nobody may believe
/// that a key is out of use which is not. The ring goes on being served.
fn accepted(valid: &ValidSigningKey, ring: Option<&Ring>) -> Verdict {
    let keys = ring.into_iter().flat_map(|ring| &ring.keys).filter(|key| key.phase != KeyPhase::Revoked);
    let trusted = keys.filter(|key| valid.revoked.iter().any(|revoked| revoked.kid == key.kid));
    let trusted: Vec<String> = trusted.map(|key| key.kid.to_string()).collect();
    if trusted.is_empty() {
        return Verdict::yes(ConditionType::Accepted, Reason::Accepted);
    }
    let message = format!(
        "spec.revoked: this release revokes no keys, and {} goes on being trusted. Delete this SigningKey and declare \
         another, under another name: the keys of this one leave the JWK Set once that one has taken over and their \
         tokens have expired",
        trusted.join(", ")
    );
    Verdict::no(ConditionType::Accepted, Reason::Unsupported, message)
}

fn purpose(valid: &ValidSigningKey, tenant: &AcceptedTenant, client_token_lifetime: u32) -> Purpose {
    let lifetimes = &tenant.valid.lifetimes;
    Purpose {
        tenant: tenant.slug().to_owned(),
        tenant_name: tenant.name().name.clone(),
        algorithm: valid.algorithm,
        cache_lifetime: valid.rotation.cache_lifetime,
        token_lifetime: lifetimes.access_token.max(lifetimes.id_token).max(client_token_lifetime),
        session_lifetime: lifetimes.session,
    }
}
