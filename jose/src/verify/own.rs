//! Our own tokens, by our own keys: at introspection, at UserInfo, as an `id_token_hint`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;

use super::compact::Compact;
use super::json_object;
use super::signed::Signed;
use super::{VerifyError, VerifyingKey};
use crate::jwk::PublicJwk;
use crate::kid::Kid;
use crate::signer::TokenType;

/// One of our public keys, parsed.
#[derive(Clone)]
pub struct Verifier {
    kid: Kid,
    key: VerifyingKey,
}

/// The keys that may have signed a token of one tenant. Collect it from its [`Verifier`]s.
#[derive(Clone, Debug, Default)]
pub struct VerifierSet(BTreeMap<Kid, Verifier>);

/// A token of ours: its signature is of one of the set's keys, and its times were checked. Only
/// [`VerifierSet::verify`] makes one. Issuer, audience and the rest of the claims are the caller's to check.
pub struct Verified {
    claims: String,
    kid: Kid,
    token_type: TokenType,
}

/// The library refuses the key: its point is not on the curve, or its exponent is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot verify anything")]
pub struct KeyUnusable;

// === impl Verifier ===

impl Verifier {
    /// Parses `jwk`, once.
    ///
    /// # Errors
    /// [`KeyUnusable`].
    pub fn new(jwk: &PublicJwk) -> Result<Self, KeyUnusable> {
        let key = jwk.verifying_key().ok_or(KeyUnusable)?;
        Ok(Self { kid: jwk.kid().clone(), key })
    }

    /// The key's ID.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.kid).finish()
    }
}

// === impl VerifierSet ===

impl VerifierSet {
    /// Verifies `token`, whose `typ` must be that of one of `expected`; `kid` must name a key of the set, and
    /// `alg` be that key's own.
    ///
    /// Two of [`TokenType`] share `typ: JWT`: whoever expects one of them must tell them apart by the
    /// claims, and must not expect both.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, token: &str, expected: &[TokenType]) -> Result<Signed<Verified>, VerifyError> {
        let compact = Compact::parse(token)?;
        let algorithm = compact.algorithm()?;
        let token_type =
            *expected.iter().find(|expected| compact.is_type(expected.as_str())).ok_or(VerifyError::Type)?;
        let Verifier { kid, key } = compact.kid().and_then(|kid| self.0.get(kid)).ok_or(VerifyError::UnknownKey)?;
        if key.algorithm() != algorithm {
            return Err(VerifyError::Algorithm);
        }
        if !compact.is_signed_by(key) {
            return Err(VerifyError::Signature);
        }
        let claims = compact.claims()?;
        let times = json_object::read(&claims).ok_or(VerifyError::Claims)?;
        Ok(Signed::new(Verified { claims, kid: kid.clone(), token_type }, times))
    }
}

impl FromIterator<Verifier> for VerifierSet {
    fn from_iter<I: IntoIterator<Item = Verifier>>(verifiers: I) -> Self {
        Self(verifiers.into_iter().map(|verifier| (verifier.kid.clone(), verifier)).collect())
    }
}

// === impl Verified ===

impl Verified {
    /// The claims, as a `T`.
    ///
    /// # Errors
    /// [`VerifyError::Claims`] when they are no `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        serde_json::from_str(&self.claims).map_err(|_| VerifyError::Claims)
    }

    /// The key that signed it.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Which of the expected types its `typ` is. Where two share one, it is the one that was asked for.
    pub fn token_type(&self) -> TokenType {
        self.token_type
    }
}

/// Claims are about people.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claims: _, kid, token_type } = self;
        f.debug_struct("Verified").field("kid", kid).field("token_type", token_type).finish_non_exhaustive()
    }
}
