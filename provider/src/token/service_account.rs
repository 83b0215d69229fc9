//! Tokens of this cluster's ServiceAccounts, as kube-apiserver signs them.
//!
//! Nothing is asked of the API server for it: the operator publishes its keys. A pod that has ended is not
//! seen here; the life of its token bounds what it may still do.

use std::borrow::Cow;
use std::time::Duration;

use claviger_jose::{Algorithm, ForeignType, NumericDate, TimeError, Unverified, VerifyError};
use jiff::SignedDuration;
use serde::Deserialize;

use super::audience::Audiences;
use crate::provider::Provider;
use crate::tenant::trust::ServiceAccountIssuer;

/// What the API server's clock may be off.
const LEEWAY: Duration = Duration::from_secs(30);
/// Of a token's whole life, seconds: one that lives longer outlives its pod for too long.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// Bound tokens live for an hour; what lives longer than a day was not meant for this.
const TOO_LONG: &str = "the ServiceAccount token lives longer than 24 hours, or does not say since when";
/// It lacks what bound tokens have: a legacy token, or none of Kubernetes'.
const UNBOUND: &str = "the token is not bound to a ServiceAccount";
/// What the `sub` of a ServiceAccount begins with.
pub(crate) const PREFIX: &str = "system:serviceaccount:";
/// kube-apiserver writes no `typ`.
const TYPES: [ForeignType; 1] = [ForeignType::Jwt];

/// A ServiceAccount that somebody has proven to be.
#[derive(Debug)]
pub(crate) struct VerifiedServiceAccount {
    /// `system:serviceaccount:<namespace>:<name>`
    pub(crate) subject: String,
    /// UID of the ServiceAccount that the token was made for.
    pub(crate) uid: String,
    /// Whom the token is for.
    pub(crate) audiences: Audiences,
    /// When it ends, seconds since 1970.
    pub(crate) expires_at: i64,
}

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    sub: String,
    aud: Audiences,
    exp: NumericDate,
    iat: Option<NumericDate>,
    #[serde(rename = "kubernetes.io", borrow)]
    kubernetes: Kubernetes<'a>,
}

/// What a bound token says of what it is bound to; pods and nodes are of no matter here.
#[derive(Deserialize)]
struct Kubernetes<'a> {
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    serviceaccount: Bound<'a>,
}

#[derive(Deserialize)]
struct Bound<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    uid: String,
}

/// Whose token `token` is, by the keys of the cluster, which the operator is told of where one is not known. Whom it
/// is for remains to be asked, and whether that ServiceAccount is still the one with that UID.
///
/// # Errors
/// Why not, for logs and the audit stream.
pub(crate) fn verify(
    provider: &Provider,
    token: &Unverified<'_>,
    issuer: &ServiceAccountIssuer,
) -> Result<VerifiedServiceAccount, &'static str> {
    let now = provider.now();
    let signed = issuer.keys.verify(token, &Algorithm::ALL, &TYPES).map_err(|error| match error {
        VerifyError::UnknownKey => {
            provider.served().unknown_service_account_key(now);
            "the ServiceAccount token's key is none of the cluster's"
        }
        _ => "the ServiceAccount token is not signed as it has to be",
    })?;
    let verified = signed.at(now.as_second(), LEEWAY).map_err(|error| match error {
        TimeError::Expired => "the ServiceAccount token is expired",
        TimeError::NotYet | TimeError::NoExpiry => "the ServiceAccount token is not valid yet, or says no end",
    })?;
    let claims: Claims<'_> = verified.claims().map_err(|_| UNBOUND)?;
    let made = claims.iat.ok_or(TOO_LONG)?;
    if claims.exp.0.saturating_sub(made.0) > LONGEST_LIFE.as_secs() {
        return Err(TOO_LONG);
    }
    let Kubernetes { namespace, serviceaccount: Bound { name, uid } } = claims.kubernetes;
    // Both say who it is; a cluster in which they differ is none that this release knows.
    if !issuer.is_called(&claims.iss, now) || !is_subject(&claims.sub, &namespace, &name) {
        return Err(UNBOUND);
    }
    Ok(VerifiedServiceAccount { subject: claims.sub, uid, audiences: claims.aud, expires_at: claims.exp.0 })
}

/// Whether `sub` is [`subject`] of this one.
fn is_subject(sub: &str, namespace: &str, name: &str) -> bool {
    let rest = sub.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(namespace));
    rest.and_then(|rest| rest.strip_prefix(':')) == Some(name)
}

/// The `sub` of the ServiceAccount `namespace`/`name`, as Kubernetes writes it.
pub(crate) fn subject(namespace: &str, name: &str) -> String {
    format!("{PREFIX}{namespace}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_that_of_one_service_account_alone() {
        let sub = subject("shop", "billing");
        assert_eq!(sub, "system:serviceaccount:shop:billing");
        assert!(is_subject(&sub, "shop", "billing"));
        for (namespace, name) in
            [("shop", "bill"), ("shop", "billing2"), ("sho", "billing"), ("", ""), ("shop:billing", "")]
        {
            assert!(!is_subject(&sub, namespace, name), "{namespace}/{name}");
        }
        assert!(!is_subject("shop:billing", "shop", "billing"));
    }
}
