//! Somebody else's tokens, by somebody else's keys: client assertions, tokens of issuers that are trusted.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::compact::Compact;
use super::foreign_jwk::{self, ForeignJwk};
use super::proven::Proven;
use super::signed::Signed;
use super::{Unverified, VerifyError, VerifyingKey};
use crate::algorithm::Algorithm;

/// The longest JWK Set that is read: 100 keys with their certificates have less.
const LONGEST: usize = 256 * 1024;

/// The most keys in a set.
const KEYS: usize = 100;

/// The most signatures that one token may cost.
const TRIES: usize = 10;

/// The usable keys of a JWK Set (RFC 7517 §5) of one client or one issuer.
#[derive(Clone)]
pub struct ForeignKeys {
    keys: Vec<ForeignKey>,
    /// What they have verified, where that comes again.
    proven: Option<Proven>,
}

#[derive(Clone)]
struct ForeignKey {
    kid: Option<String>,
    key: VerifyingKey,
}

/// What a foreign token is, by its `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignType {
    /// `JWT`, or none at all, as most issuers have it (RFC 7519 §5.1); or `JOSE`.
    Jwt,
    /// `client-authentication+jwt`: a client assertion that says so (draft-ietf-oauth-rfc7523bis).
    ClientAuthentication,
    /// `at+jwt`: another issuer's access token (RFC 9068 §2.1).
    AccessToken,
    /// `logout+jwt`: a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
    LogoutToken,
}

/// A foreign token: its signature is of one of its issuer's keys, and its times were checked. Only
/// [`ForeignKeys::verify`] makes one. Issuer, audience and the rest of the claims are the caller's to check.
pub struct VerifiedForeign {
    claims: String,
    algorithm: Algorithm,
    token_type: ForeignType,
}

/// It is no JWK Set that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignKeysUnreadable {
    /// More than 256 KiB.
    #[error("the JWK Set is longer than 256 KiB")]
    TooLong,
    /// Not a JSON object whose `keys` is a list.
    #[error("not a JWK Set")]
    Malformed,
    /// More than 100 keys.
    #[error("the JWK Set has more than 100 keys")]
    TooMany,
}

// === impl ForeignKeys ===

impl ForeignKeys {
    /// Reads a JWK Set. Keys that verify nothing here are left out; none may be left over.
    ///
    /// # Errors
    /// [`ForeignKeysUnreadable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ForeignKeysUnreadable> {
        if bytes.len() > LONGEST {
            return Err(ForeignKeysUnreadable::TooLong);
        }
        let set: Value = serde_json::from_slice(bytes).map_err(|_| ForeignKeysUnreadable::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(ForeignKeysUnreadable::Malformed)?;
        if keys.len() > KEYS {
            return Err(ForeignKeysUnreadable::TooMany);
        }
        let usable = keys.iter().filter_map(foreign_jwk::read);
        let keys = usable
            .flat_map(|ForeignJwk { kid, keys }| keys.into_iter().map(move |key| ForeignKey { kid: kid.clone(), key }));
        Ok(Self { keys: keys.collect(), proven: None })
    }

    /// The same keys, which verify no signature more than twice: for issuers whose tokens are sent many times, as kubelet
    /// hands them out. Of the last `most` tokens that were signed by one of the keys it is kept that they were; all but
    /// the signature is checked again each time.
    #[must_use]
    pub fn remembering(self, most: usize) -> Self {
        Self { proven: Some(Proven::of(most)), ..self }
    }

    /// Whether no key is usable.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Verifies `token`, whose algorithm must be one of `algorithms` and the key's, and whose `typ` that of
    /// one of `types`. With a `kid` only keys of that name are tried, without one all that fit: ten
    /// at most.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::UnknownKey`] may mean that the issuer has newer keys.
    pub fn verify(
        &self,
        token: &Unverified<'_>,
        algorithms: &[Algorithm],
        types: &[ForeignType],
    ) -> Result<Signed<VerifiedForeign>, VerifyError> {
        let (algorithm, token_type) = self.check(token.compact(), algorithms, types)?;
        let (claims, times) = token.payload();
        Ok(Signed::new(VerifiedForeign { claims: claims.to_owned(), algorithm, token_type }, times))
    }

    fn check(
        &self,
        compact: &Compact<'_>,
        algorithms: &[Algorithm],
        types: &[ForeignType],
    ) -> Result<(Algorithm, ForeignType), VerifyError> {
        let algorithm = compact.algorithm()?;
        if !algorithms.contains(&algorithm) {
            return Err(VerifyError::Algorithm);
        }
        let token_type = *types.iter().find(|expected| expected.is_of(compact)).ok_or(VerifyError::Type)?;
        match &self.proven {
            Some(proven) => {
                proven.check(compact.text(), compact.signature(), || self.check_signature(compact, algorithm))?;
            }
            None => self.check_signature(compact, algorithm)?,
        }
        Ok((algorithm, token_type))
    }

    fn check_signature(&self, compact: &Compact<'_>, algorithm: Algorithm) -> Result<(), VerifyError> {
        let named: Vec<_> =
            self.keys.iter().filter(|key| compact.kid().is_none_or(|kid| key.kid.as_deref() == Some(kid))).collect();
        let mut candidates = named.iter().filter(|key| key.key.algorithm() == algorithm).take(TRIES).peekable();
        if candidates.peek().is_none() {
            let known = compact.kid().is_some() && !named.is_empty();
            return Err(if known { VerifyError::Algorithm } else { VerifyError::UnknownKey });
        }
        if candidates.any(|candidate| compact.is_signed_by(&candidate.key)) {
            Ok(())
        } else if compact.kid().is_some() {
            Err(VerifyError::Signature)
        } else {
            // It does not say which key it means: that may be a newer one.
            Err(VerifyError::UnknownKey)
        }
    }
}

impl fmt::Debug for ForeignKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (&key.kid, key.key.algorithm()))).finish()
    }
}

// === impl ForeignType ===

impl ForeignType {
    fn is_of(self, compact: &Compact<'_>) -> bool {
        match self {
            // JWT-SVID §2.3 allows `JOSE`, which says no more than that it is a compact JWS (RFC 7515 §4.1.9).
            Self::Jwt => !compact.has_type() || compact.is_type("JWT") || compact.is_type("JOSE"),
            Self::ClientAuthentication => compact.is_type("client-authentication+jwt"),
            Self::AccessToken => compact.is_type("at+jwt"),
            Self::LogoutToken => compact.is_type("logout+jwt"),
        }
    }
}

// === impl VerifiedForeign ===

impl VerifiedForeign {
    /// The claims, as a `T`.
    ///
    /// # Errors
    /// [`VerifyError::Claims`] when they are no `T`.
    pub fn claims<'a, T: Deserialize<'a>>(&'a self) -> Result<T, VerifyError> {
        serde_json::from_str(&self.claims).map_err(|_| VerifyError::Claims)
    }

    /// The algorithm that verified it: `at_hash` and `c_hash` depend on it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Which of the expected types its `typ` is.
    pub fn token_type(&self) -> ForeignType {
        self.token_type
    }
}

/// Claims are about people.
impl fmt::Debug for VerifiedForeign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claims: _, algorithm, token_type } = self;
        f.debug_struct("VerifiedForeign")
            .field("algorithm", algorithm)
            .field("token_type", token_type)
            .finish_non_exhaustive()
    }
}
