//! Where the keys of somebody else are: a client's, or an issuer's that is trusted.

use claviger_jose::{Algorithm, ForeignKeys, ForeignType, Signed, Unverified, VerifiedForeign, VerifyError};
use serde_json::Value;

use super::index::Unusable;
use crate::outbound::{JwksError, KeySets};

/// See the module.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// Declared.
    Declared(ForeignKeys),
    /// At this address.
    At(String),
}

impl KeySource {
    /// Of a document that has `jwks`, or else `uri`.
    pub(super) fn parse(jwks: Option<&Value>, uri: Option<&str>) -> Result<Self, Unusable> {
        match (jwks, uri) {
            (Some(jwks), _) => declared(jwks).map(Self::Declared),
            (None, Some(uri)) => Ok(Self::At(uri.to_owned())),
            (None, None) => Err(Unusable::new("there are no keys, nor an address of them")),
        }
    }

    /// Verifies `token`; where its key is not known, by what is at the address now, for it may be newer.
    ///
    /// # Errors
    /// The keys could not be had; inside, as [`ForeignKeys::verify`].
    pub(crate) async fn verify(
        &self,
        sets: &KeySets<ForeignKeys>,
        token: &Unverified<'_>,
        algorithms: &[Algorithm],
        types: &[ForeignType],
    ) -> Result<Result<Signed<VerifiedForeign>, VerifyError>, JwksError> {
        let known = |keys: &ForeignKeys| match keys.verify(token, algorithms, types) {
            Err(VerifyError::UnknownKey) => None,
            verified => Some(verified),
        };
        let found = match self {
            Self::Declared(keys) => known(keys),
            Self::At(uri) => sets.find(uri, known).await?,
        };
        Ok(found.unwrap_or(Err(VerifyError::UnknownKey)))
    }
}

/// The keys of a JWK Set that stands in a document.
pub(super) fn declared(jwks: &Value) -> Result<ForeignKeys, Unusable> {
    ForeignKeys::parse(jwks.to_string().as_bytes()).map_err(|_| Unusable::new("a JWK Set is unreadable"))
}
