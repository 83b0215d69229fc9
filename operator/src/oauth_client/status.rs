//! What a client says of itself.

use std::collections::HashSet;

use claviger_crds::oauth_client::{OAuthClientStatus, SecretPhase, SecretStatus};
use claviger_crds::published::SecretHash;
use jiff::Timestamp;

use super::apply::Applied;
use super::observe::Observed;
use super::plan::Secrets;
use crate::context::Context;
use crate::error::StepError;
use crate::metrics::{Rotation, SecretStanding};
use crate::report::{self, whole_seconds};
use crate::work::Next;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { outcome, mut verdicts, secrets, secret_name, mut next, refused } = applied;
    let object = &observed.object;
    let secret_standing =
        secret_name.as_ref().map(|_| standing(observed, &secrets, refused.is_some(), context.now().wall));
    context.metrics.client_secret(&object.meta.name, secret_standing);
    let (paused, work) = (object.meta.paused, object.work());
    match outcome.verdict(context, object, &observed.issuer) {
        Ok((verdict, again)) => {
            verdicts.push(verdict);
            next = next.or(again);
        }
        Err(held) => return Ok(next.or(held)),
    }
    let accepted = observed.accepted();
    let before = &object.status;
    let verdicts = report::with_ready(verdicts, paused);
    let status = OAuthClientStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        client_id: object.valid().map(|valid| valid.client_id.to_string()),
        tenant: accepted.map(|(_, tenant)| tenant.slug().to_owned()),
        issuer: accepted.map(|(_, tenant)| tenant.issuer.as_str().to_owned()),
        secret_name,
        secrets: secrets.hashes.iter().map(|hash| secret(hash, &before.secrets)).collect(),
        next_rotation_at: secrets.next_rotation_at.map(whole_seconds),
        observed_rotate_at: object
            .valid()
            .and_then(|valid| valid.rotate_at)
            .filter(|at| is_newer(&secrets.hashes, *at))
            .map(whole_seconds)
            .or_else(|| before.observed_rotate_at.clone()),
        granted_scopes: granted_scopes(observed),
        granted_audiences: observed.grants.audiences.iter().map(|grant| grant.audience.clone()).collect(),
    };
    let status = context.with(|state| state.uses.shown(&work.document(), status, before));
    report::report(context, object, status, |index| &mut index.clients).await?;
    Ok(next)
}

/// Whether the client's secret is no older than `at`.
fn is_newer(hashes: &[SecretHash], at: Timestamp) -> bool {
    hashes.iter().any(|hash| !hash.pending && hash.expires_at.is_none() && hash.created_at >= at)
}

fn granted_scopes(observed: &Observed) -> Vec<String> {
    let grants = &observed.grants;
    let of_apis = grants.audiences.iter().flat_map(|grant| &grant.scopes);
    let mut listed = HashSet::new();
    // Several APIs may have a scope of the same name.
    grants.scopes.iter().chain(of_apis).filter(|scope| listed.insert(*scope)).cloned().collect()
}

/// How its secret stands, for the metrics.
fn standing(observed: &Observed, secrets: &Secrets, refused: bool, now: Timestamp) -> SecretStanding {
    let pending = secrets.hashes.iter().find(|hash| hash.pending);
    let is_over = secrets.switched && !refused;
    let due = secrets.next_rotation_at.filter(|at| *at <= now && !is_over).or(pending.map(|hash| hash.created_at));
    let due = due.filter(|_| !observed.object.meta.paused);
    let rotation = if secrets.blocked || (refused && due.is_some()) {
        Rotation::Blocked
    } else if pending.is_some() {
        Rotation::Rotating
    } else if secrets.hashes.iter().any(|hash| hash.expires_at.is_some()) {
        Rotation::Overlapping
    } else {
        Rotation::Settled
    };
    SecretStanding { rotation, due_since: due.map(Timestamp::as_second) }
}

fn secret(hash: &SecretHash, before: &[SecretStatus]) -> SecretStatus {
    let fingerprint = hash.fingerprint();
    let same = before.iter().find(|known| known.fingerprint.as_ref() == Some(&fingerprint));
    SecretStatus {
        last_used_at: same.and_then(|known| known.last_used_at.clone()),
        fingerprint: Some(fingerprint),
        phase: Some(match (hash.pending, hash.expires_at) {
            (true, _) => SecretPhase::Pending,
            (false, None) => SecretPhase::Current,
            (false, Some(_)) => SecretPhase::Old,
        }),
        created_at: whole_seconds(hash.created_at),
        expires_at: hash.expires_at.map(whole_seconds),
    }
}
