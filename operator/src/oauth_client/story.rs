//! What people are told of a client's secrets when a plan has been carried out. Pure.

use claviger_crds::oauth_client::SecretRevocation;
use claviger_crds::published::{RevokedSecret, SecretHash};
use jiff::Timestamp;

use crate::report::whole_seconds;

/// What happened to one secret, each by its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is refused for good.
    Revoked { fingerprint: String, at: Timestamp, reason: String, by: Option<String> },
    /// It was made, and pods are told of it.
    Begun { fingerprint: String },
    /// It is the client's from now on, and the one before works until then.
    Current { fingerprint: String, before: Option<(String, Timestamp)> },
    /// Its overlap is over.
    Expired { fingerprint: String },
}

impl Told {
    /// Whether it is a warning, the reason of its Event, and the sentence.
    pub(super) fn event(&self) -> (bool, &'static str, String) {
        match self {
            Self::Revoked { fingerprint, reason, by, .. } => {
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let note = format!("The secret {fingerprint} is refused from now on: it was revoked{by}: {reason}");
                (true, "SecretRevoked", note)
            }
            Self::Begun { fingerprint } => {
                let note = format!("The secret {fingerprint} was made; it waits until every provider pod accepts it");
                (false, "SecretRotationStarted", note)
            }
            Self::Current { fingerprint, before } => {
                let before = before.as_ref();
                let rest = before.map(|(old, end)| format!("; {old} is accepted until {}", whole_seconds(*end).0));
                let note = format!("The client's secret is {fingerprint} from now on{}", rest.unwrap_or_default());
                (false, "SecretRotated", note)
            }
            Self::Expired { fingerprint } => {
                (false, "SecretExpired", format!("The secret {fingerprint} is no longer accepted"))
            }
        }
    }
}

/// From the hashes that were published to those that are.
pub(super) fn story(
    before: &[SecretHash],
    after: &[SecretHash],
    revoked: &[(RevokedSecret, SecretRevocation)],
) -> Vec<Told> {
    let mut told = Vec::new();
    for (secret, SecretRevocation { reason, by, .. }) in revoked {
        let (reason, by) = (reason.clone(), by.clone());
        told.push(Told::Revoked { fingerprint: secret.fingerprint(), at: secret.revoked_at, reason, by });
    }
    for hash in after.iter().filter(|hash| hash.pending && !is_among(hash, before)) {
        told.push(Told::Begun { fingerprint: hash.fingerprint() });
    }
    if let (Some(now), false) = (current(after), before.is_empty())
        && current(before).is_none_or(|before| before.hash != now.hash)
    {
        let ends = after.iter().find(|hash| current(before).is_some_and(|before| before.hash == hash.hash));
        let before = ends.and_then(|old| Some((old.fingerprint(), old.expires_at?)));
        told.push(Told::Current { fingerprint: now.fingerprint(), before });
    }
    let gone = before.iter().filter(|hash| hash.expires_at.is_some() && !is_among(hash, after));
    for hash in gone.filter(|hash| !revoked.iter().any(|(revoked, _)| revoked.hash == hash.hash)) {
        told.push(Told::Expired { fingerprint: hash.fingerprint() });
    }
    told
}

fn current(hashes: &[SecretHash]) -> Option<&SecretHash> {
    hashes.iter().find(|hash| !hash.pending && hash.expires_at.is_none())
}

fn is_among(hash: &SecretHash, hashes: &[SecretHash]) -> bool {
    hashes.iter().any(|other| other.hash == hash.hash)
}
