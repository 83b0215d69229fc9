//! What a ring needs: pure. The decision itself is [`rotation::decide`]; this says what it is for.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::sentence;
use claviger_crds::signing_key::ValidSigningKey;

use super::observe::Observed;
use super::ring::Purpose;
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

/// Decides.
pub(super) fn plan(observed: &Observed, now: Moment) -> Plan {
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
    let accepted = Verdict::yes(ConditionType::Accepted, Reason::Accepted);
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
