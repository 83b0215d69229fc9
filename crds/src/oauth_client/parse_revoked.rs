//! Secrets of a client that must no longer be accepted: raw → valid.

use super::{AuthenticationSpec, SecretRevocationSpec};
use crate::fault::Faults;

/// A client's secret that must no longer be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRevocation {
    /// As status.secrets shows it.
    pub fingerprint: String,
    /// Why.
    pub reason: String,
    /// Who says so, if the object does.
    pub by: Option<String>,
}

pub(crate) fn parse(spec: &AuthenticationSpec, faults: &mut Faults) -> Vec<SecretRevocation> {
    let path = "spec.authentication.secret.revoked";
    let specs = spec.secret.as_ref().map(|secret| secret.revoked.as_slice()).unwrap_or_default();
    faults.at_most(path, specs.len(), 20);
    let mut revoked: Vec<SecretRevocation> = Vec::with_capacity(specs.len());
    for (at, SecretRevocationSpec { fingerprint, reason, by }) in specs.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let form = is_fingerprint(fingerprint);
        faults.demand(form, &format!("{path}.fingerprint"), "must be a fingerprint such as 3fa1-90bc-77de");
        faults.plain_text(&format!("{path}.reason"), reason, 200);
        if let Some(by) = by {
            faults.plain_text(&format!("{path}.by"), by, 200);
        }
        if revoked.iter().any(|other| other.fingerprint == *fingerprint) {
            faults.add(path, "must not be listed twice");
        } else {
            let (fingerprint, reason, by) = (fingerprint.clone(), reason.clone(), by.clone());
            revoked.push(SecretRevocation { fingerprint, reason, by });
        }
    }
    revoked
}

fn is_fingerprint(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &&str| group.len() == 4 && group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    groups.len() == 3 && groups.iter().all(hex)
}
