//! What a token says before anybody knows whether it is true.

use std::fmt;

use serde::Deserialize;

use super::VerifyError;
use super::compact::Compact;
use super::json_object;
use super::times::Times;

/// A token that anybody may have written. Good for one thing: to find whose keys verify it, by `iss` and
/// `sub`. Every decision waits for [`super::VerifiedForeign`] and reads the claims again from there.
pub struct Unverified<'a> {
    compact: Compact<'a>,
    claims: String,
    times: Times,
}

// === impl Unverified ===

impl<'a> Unverified<'a> {
    /// Reads `token` as strictly as a verifier does, without a key.
    ///
    /// # Errors
    /// [`VerifyError`], [`VerifyError::Algorithm`] among them: what no key could verify is not looked up.
    pub fn parse(token: &'a str) -> Result<Self, VerifyError> {
        let compact = Compact::parse(token)?;
        compact.algorithm()?;
        let claims = compact.claims()?;
        let times = json_object::read(&claims).ok_or(VerifyError::Claims)?;
        Ok(Self { compact, claims, times })
    }

    /// What the token says of itself, as a `T`. It may be a lie.
    ///
    /// # Errors
    /// [`VerifyError::Claims`] when it is no `T`.
    pub fn claims_unverified<'s, T: Deserialize<'s>>(&'s self) -> Result<T, VerifyError> {
        serde_json::from_str(&self.claims).map_err(|_| VerifyError::Claims)
    }

    /// The token, taken apart.
    pub(super) fn compact(&self) -> &Compact<'a> {
        &self.compact
    }

    /// The payload's text, and the times in it.
    pub(super) fn payload(&self) -> (&str, Times) {
        (&self.claims, self.times)
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(…)")
    }
}
