//! Our own access tokens, come back: at UserInfo, introspection and revocation.

use claviger_jose::{TokenType, Verified, VerifyError};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

use super::actor::Actor;
use super::jti::{self, Origin};
use crate::metrics::Returned;
use crate::tenant::snapshot::Issuer;

/// What a pod's clock may be ahead of another's: a token is used at once, on whichever pod comes first.
const AHEAD: Duration = Duration::from_secs(60);

/// An access token that this tenant issued and that has not expired; only [`access_token`] makes it.
/// Whether it was revoked is for the store to say.
#[derive(Debug)]
pub(crate) struct VerifiedAccessToken {
    claims: Claims,
    origin: Origin,
    verified: Verified,
}

/// What an access token says (RFC 9068 §2.2).
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    /// About whom.
    pub(crate) sub: String,
    /// For which API.
    pub(crate) aud: String,
    /// When it ends, seconds.
    pub(crate) exp: i64,
    /// When it was issued, seconds.
    pub(crate) iat: i64,
    /// Which.
    pub(crate) jti: String,
    /// To whom. An ID token has none, and so is no access token.
    pub(crate) client_id: String,
    /// Space-separated.
    #[serde(default)]
    pub(crate) scope: String,
    tenant_id: String,
    /// When the person logged in whom it is about, seconds.
    #[serde(default)]
    auth_time: Option<i64>,
    /// Who acts for `sub`.
    #[serde(default)]
    pub(crate) act: Option<Actor>,
}

impl VerifiedAccessToken {
    /// What it says.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// When its person logged in, at the latest; seconds since 1970.
    pub(crate) fn login(&self) -> i64 {
        self.claims.auth_time.unwrap_or(self.claims.iat)
    }

    /// What else it says, as a `T`.
    pub(crate) fn more<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        self.verified.claims()
    }

    /// Where it came from.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it has `scope`.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.claims.scope.split(' ').any(|other| other == scope)
    }
}

/// The token that `text` is, if this tenant issued it and it lives.
pub(crate) fn access_token(text: &str, issuer: &Issuer, now: Timestamp) -> Option<VerifiedAccessToken> {
    let signed = issuer.verify(text, &[TokenType::AccessToken, TokenType::Jwt], Returned::AccessToken).ok()?;
    let verified = signed.of_a_peer(now.as_second(), AHEAD).ok()?;
    let claims: Claims = verified.claims().ok()?;
    // Keys are a tenant's own; this guards the boundary should that ever fail.
    if *claims.iss != *issuer.url || *claims.tenant_id != *issuer.slug {
        return None;
    }
    let origin = jti::origin(&claims.jti)?;
    Some(VerifiedAccessToken { claims, origin, verified })
}
