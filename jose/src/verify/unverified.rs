//! What a token says before anybody knows whether it is true.

use std::fmt;

use serde::de::DeserializeOwned;

use super::VerifyError;
use super::compact::Compact;
use super::json_object;
use super::times::Times;

/// A token that anybody may have written. Good for one thing: to find whose keys verify it, by `iss` and
/// `sub`. Every decision waits for [`super::VerifiedForeign`] and reads the claims again from there.
pub struct Unverified {
    claims: String,
}

// === impl Unverified ===

impl Unverified {
    /// Reads `token` as strictly as a verifier does, without a key.
    ///
    /// # Errors
    /// [`VerifyError`], [`VerifyError::Algorithm`] among them: what no key could verify is not looked up.
    pub fn parse(token: &str) -> Result<Self, VerifyError> {
        let compact = Compact::parse(token)?;
        compact.algorithm()?;
        let claims = compact.claims()?;
        json_object::read::<Times>(&claims).ok_or(VerifyError::Claims)?;
        Ok(Self { claims })
    }

    /// What the token says of itself, as a `T`. It may be a lie.
    ///
    /// # Errors
    /// [`VerifyError::Claims`] when it is no `T`.
    pub fn claims_unverified<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        serde_json::from_str(&self.claims).map_err(|_| VerifyError::Claims)
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(…)")
    }
}
