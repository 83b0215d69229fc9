//! Condition types and reasons: closed sets, so that a person can look each one up and a metric
//! label or a pipeline's health check never meets free text.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// What a condition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionType {
    /// The object is well formed, and both sides of its attachment agree.
    Accepted,
    /// What the object names exists and is granted.
    ReferencesResolved,
    /// OAuthClient: the credentials are where the application looks for them.
    CredentialsReady,
    /// Every live provider pod serves what this generation asks for.
    Programmed,
    /// All of the others.
    Ready,
    /// SigningKey: a rotation that is due waits; the reason says for what.
    RotationBlocked,
    /// IdentityProvider: the upstream answers.
    UpstreamReachable,
}

/// Why a condition has its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant is its own name; docs/conditions.md explains them")]
pub enum Reason {
    // Accepted
    Accepted,
    Invalid,
    Unsupported,
    NotAllowedByTenant,
    SlugConflict,
    HostConflict,
    ClientIdConflict,
    ClientIdNotAllowed,
    UsernameConflict,
    SubjectConflict,
    AudienceConflict,
    AudienceNotAllowed,
    QuotaExceeded,
    CeilingExceeded,
    // ReferencesResolved
    Resolved,
    TenantNotFound,
    TenantNotAccepted,
    AudienceNotGranted,
    ScopeNotGranted,
    ExchangeNotGranted,
    IssuerNotTrusted,
    SecretNotFound,
    SecretInvalid,
    KeyEncrypted,
    KeyOfAnotherAlgorithm,
    KeyRevoked,
    KeyUsedBefore,
    KeyOfAnotherRing,
    SigningKeyNotFound,
    SigningKeyNotReady,
    ClientNotFound,
    ServiceAccountNotFound,
    ServiceAccountNotAllowed,
    ServiceAccountIssuerUnknown,
    IssuerConflict,
    // CredentialsReady
    CredentialsReady,
    NoCredentialsNeeded,
    SecretNotOwned,
    SecretRefused,
    SecretTooShort,
    SecretRevoked,
    WaitingForOverlap,
    // Programmed
    Programmed,
    Pending,
    ProviderBehind,
    DocumentRefused,
    PublicationRefused,
    NoProviders,
    NotServed,
    SealingKeysUnreadable,
    SealingKeysRefused,
    // Ready
    Ready,
    NotReady,
    // Any type
    Paused,
    // RotationBlocked
    NotBlocked,
    WaitingForProviders,
    RingRolledBack,
    RingUnreadable,
    RingRefused,
    ClockSkew,
    LifetimesDoNotFit,
    AlgorithmInUse,
    KeyImported,
    StandbyTooYoung,
    // UpstreamReachable
    Reachable,
    Unreachable,
    NotChecked,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A condition as it was decided, before it meets the clock and what was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it speaks of.
    pub condition: ConditionType,
    /// `Some(true)`, `Some(false)`, or `None` for `Unknown`.
    pub holds: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// One sentence for a person: what is wrong, where, and what to do. Empty when all is well.
    pub message: String,
}

impl Verdict {
    /// The condition holds.
    pub fn yes(condition: ConditionType, reason: Reason) -> Self {
        Self { condition, holds: Some(true), reason, message: String::new() }
    }

    /// The condition does not hold; `message` tells a person why.
    pub fn no(condition: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { condition, holds: Some(false), reason, message: message.into() }
    }

    /// The condition cannot be judged yet.
    pub fn unknown(condition: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { condition, holds: None, reason, message: message.into() }
    }

    /// `Ready`, made of the others: true when all hold, else the first that does not, by name.
    pub fn ready(others: &[Verdict]) -> Self {
        match others.iter().find(|verdict| verdict.holds != Some(true)) {
            None => Self::yes(ConditionType::Ready, Reason::Ready),
            Some(first) => Self::no(
                ConditionType::Ready,
                first.reason,
                if first.message.is_empty() {
                    format!("{} does not hold", first.condition)
                } else {
                    first.message.clone()
                },
            ),
        }
    }
}

/// Merges verdicts into the conditions that an object already shows. `lastTransitionTime` moves
/// only when the status of a condition does (Kubernetes API conventions, "Typical status
/// properties"), so the same verdicts again change nothing.
pub fn merge(before: &[Condition], verdicts: &[Verdict], generation: i64, now: Timestamp) -> Vec<Condition> {
    verdicts
        .iter()
        .map(|verdict| {
            let type_ = verdict.condition.to_string();
            let status = match verdict.holds {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let since = before
                .iter()
                .find(|old| old.type_ == type_ && old.status == status)
                .map_or(Time(now), |old| old.last_transition_time.clone());
            Condition {
                type_,
                status: status.to_owned(),
                observed_generation: Some(generation),
                last_transition_time: since,
                reason: verdict.reason.to_string(),
                message: verdict.message.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_verdict_again_changes_nothing() {
        let early = Timestamp::from_second(1_000).unwrap();
        let late = Timestamp::from_second(2_000).unwrap();
        let verdicts = [Verdict::yes(ConditionType::Accepted, Reason::Accepted)];
        let first = merge(&[], &verdicts, 1, early);
        assert_eq!(first, merge(&first, &verdicts, 1, late));
        let refused = [Verdict::no(ConditionType::Accepted, Reason::SlugConflict, "taken")];
        assert_eq!(merge(&first, &refused, 2, late)[0].last_transition_time, Time(late));
    }

    #[test]
    fn ready_names_the_first_condition_that_does_not_hold() {
        let verdicts = [
            Verdict::yes(ConditionType::Accepted, Reason::Accepted),
            Verdict::no(ConditionType::Programmed, Reason::NoProviders, "no provider pod is live"),
        ];
        let ready = Verdict::ready(&verdicts);
        assert_eq!((ready.holds, ready.reason), (Some(false), Reason::NoProviders));
        assert_eq!(Verdict::ready(&verdicts[..1]).holds, Some(true));
    }
}
