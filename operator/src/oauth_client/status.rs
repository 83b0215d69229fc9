//! What a client says of itself.

use std::collections::HashSet;

use claviger_crds::condition::{Reason, Verdict};
use claviger_crds::oauth_client::{Authentication, ClientSecretSource, OAuthClientStatus, SecretStatus};
use claviger_crds::published::SecretHash;

use super::apply::Applied;
use super::observe::Observed;
use crate::context::Context;
use crate::error::StepError;
use crate::report::{self, whole_seconds};
use crate::work::Next;

/// Enough of a hash to tell secrets apart, and of no use for anything else.
const FINGERPRINT: usize = 12;

/// Writes the status if it differs; says when to look again.
pub(super) async fn report(context: &Context, observed: &Observed, applied: Applied) -> Result<Next, StepError> {
    let Applied { outcome, mut verdicts, hashes, secret_name, mut next, refused: _ } = applied;
    let object = &observed.object;
    let paused = object.meta.paused;
    match outcome.verdict(context, object, &observed.issuer) {
        Ok((verdict, again)) => {
            verdicts.push(verdict);
            next = next.or(again);
        }
        Err(held) => return Ok(next.or(held)),
    }
    let accepted = observed.accepted();
    let secrets = secrets(observed, &verdicts, &hashes);
    let verdicts = report::with_ready(verdicts, paused);
    let status = OAuthClientStatus {
        observed_generation: Some(object.meta.generation),
        conditions: report::conditions(context, object, &verdicts),
        client_id: object.valid().map(|valid| valid.client_id.to_string()),
        tenant: accepted.map(|(_, tenant)| tenant.slug().to_owned()),
        issuer: accepted.map(|(_, tenant)| tenant.issuer.as_str().to_owned()),
        secret_name,
        secrets,
        next_rotation_at: None,
        granted_scopes: granted_scopes(observed),
        granted_audiences: observed.grants.audiences.iter().map(|grant| grant.audience.clone()).collect(),
    };
    report::report(context, object, status, |index| &mut index.clients).await?;
    Ok(next)
}

fn granted_scopes(observed: &Observed) -> Vec<String> {
    let grants = &observed.grants;
    let of_apis = grants.audiences.iter().flat_map(|grant| &grant.scopes);
    let mut listed = HashSet::new();
    // Several APIs may have a scope of the same name.
    grants.scopes.iter().chain(of_apis).filter(|scope| listed.insert(*scope)).cloned().collect()
}

/// The current one with its fingerprint, if the operator made it. Of one that a person chose, now or
/// before, a fingerprint would let anybody who may read the status try guesses at home.
fn secrets(observed: &Observed, verdicts: &[Verdict], hashes: &[SecretHash]) -> Vec<SecretStatus> {
    let authentication = observed.object.valid().map(|valid| &valid.authentication);
    let ready = verdicts.iter().any(|verdict| verdict.reason == Reason::CredentialsReady);
    let generated = ready && matches!(authentication, Some(Authentication::Secret(ClientSecretSource::Generated(_))));
    hashes
        .iter()
        .enumerate()
        .map(|(at, hash)| SecretStatus {
            fingerprint: (generated && at == 0 && hash.expires_at.is_none()).then(|| fingerprint(hash)),
            created_at: whole_seconds(hash.created_at),
            expires_at: hash.expires_at.map(whole_seconds),
        })
        .collect()
}

fn fingerprint(hash: &SecretHash) -> String {
    let plain = hash.hash.rsplit([':', '$']).next().unwrap_or(&hash.hash);
    plain.chars().take(FINGERPRINT).collect()
}
