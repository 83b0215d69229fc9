//! `id_token_hint`: an ID token of ours that comes back, to say who the person is.
//!
//! It may be expired (OpenID Connect Core 1.0 §3.1.2.1, RP-Initiated Logout 1.0 §2), and its key may be
//! out of the JWK Set. It is a hint: it names somebody and proves nothing. A
//! logout believes it as far as decision 0027 says.

use std::time::Duration;

use claviger_jose::{NumericDate, TokenType};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::metrics::Returned;
use crate::store::Id;
use crate::tenant::snapshot::Issuer;

/// What an ID token of ours says; only [`verify`] makes it, and a seal of ours brings it back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerifiedHint {
    /// About whom.
    #[serde(rename = "u")]
    pub(crate) subject: String,
    /// For whom.
    #[serde(rename = "c")]
    pub(crate) client_id: String,
    /// The session that it came from.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<Id>,
    /// When it is expired, seconds since 1970.
    #[serde(rename = "e", default)]
    pub(crate) expires_at: i64,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: NumericDate,
    sub: String,
    aud: String,
    #[serde(default)]
    sid: Option<String>,
    /// An access token of the type `JWT` has one, and is no hint.
    #[serde(default)]
    client_id: Option<String>,
}

/// The ID token that `text` is, if this tenant issued it, however long ago.
pub(crate) fn verify(text: &str, issuer: &Issuer, now: Timestamp) -> Option<VerifiedHint> {
    let signed = issuer.verify(text, &[TokenType::IdToken], Returned::IdTokenHint).ok()?;
    let verified = signed.even_if_expired(now.as_second(), Duration::from_secs(60)).ok()?;
    let Claims { iss, exp, sub, aud, sid, client_id } = verified.claims().ok()?;
    if *iss != *issuer.url || client_id.is_some() {
        return None;
    }
    let session = sid.and_then(|sid| Id::parse(&sid));
    Some(VerifiedHint { subject: sub, client_id: aud, session, expires_at: exp.0 })
}
