//! What people are told of a client's secrets when a plan has been carried out. Pure.

use claviger_crds::oauth_client::SecretRevocation;
use claviger_crds::published::{RevokedSecret, SecretHash};

/// One Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) note: String,
}

/// From the hashes that were published to those that are.
pub(super) fn story(
    before: &[SecretHash],
    after: &[SecretHash],
    revoked: &[(RevokedSecret, SecretRevocation)],
) -> Vec<Told> {
    let mut told = Vec::new();
    let mut tell = |warning, reason, note| told.push(Told { warning, reason, note });
    for (secret, SecretRevocation { reason, by, .. }) in revoked {
        let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let note = format!("The secret {} is refused from now on: it was revoked{by}: {reason}", secret.fingerprint());
        tell(true, "SecretRevoked", note);
    }
    for hash in after.iter().filter(|hash| hash.pending && !is_among(hash, before)) {
        let note = format!("The secret {} was made; it waits until every provider pod accepts it", hash.fingerprint());
        tell(false, "SecretRotationStarted", note);
    }
    let current =
        |hashes: &[SecretHash]| hashes.iter().find(|hash| !hash.pending && hash.expires_at.is_none()).cloned();
    if let (Some(now), false) = (current(after), before.is_empty())
        && current(before).is_none_or(|before| before.hash != now.hash)
    {
        let ends = after.iter().find(|hash| current(before).is_some_and(|before| before.hash == hash.hash));
        let rest = ends.and_then(|old| Some((old.fingerprint(), old.expires_at?)));
        let rest = rest.map(|(old, end)| format!("; {old} is accepted until {}", crate::report::whole_seconds(end).0));
        let note = format!("The client's secret is {} from now on{}", now.fingerprint(), rest.unwrap_or_default());
        tell(false, "SecretRotated", note);
    }
    let gone = before.iter().filter(|hash| hash.expires_at.is_some() && !is_among(hash, after));
    for hash in gone.filter(|hash| !revoked.iter().any(|(revoked, _)| revoked.hash == hash.hash)) {
        tell(false, "SecretExpired", format!("The secret {} is no longer accepted", hash.fingerprint()));
    }
    told
}

fn is_among(hash: &SecretHash, hashes: &[SecretHash]) -> bool {
    hashes.iter().any(|other| other.hash == hash.hash)
}
