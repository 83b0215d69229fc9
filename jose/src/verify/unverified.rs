//! What a token says before anybody knows whether it is true.

use std::fmt;

use serde::de::MapAccess;

use super::VerifyError;
use super::compact::Compact;
use super::json_object::{self, Members};
use super::times::Times;

/// A token that anybody may have written. Good for one thing: to find whose keys verify it, by `iss` and
/// `sub`. Every decision waits for [`super::VerifiedForeign`] and reads the claims again from there.
pub struct Unverified<'a> {
    compact: Compact<'a>,
    claims: String,
    read: Read,
}

/// What is taken of the claims as they are checked for unique members: nothing is read twice.
#[derive(Default)]
struct Read {
    times: Times,
    issuer: Option<String>,
    subject: Option<String>,
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
        let read = json_object::read(&claims).ok_or(VerifyError::Claims)?;
        Ok(Self { compact, claims, read })
    }

    /// Who has issued the token, as it says (`iss`). It may be a lie.
    pub fn issuer_unverified(&self) -> Option<&str> {
        self.read.issuer.as_deref()
    }

    /// Whom the token is about, as it says (`sub`). It may be a lie.
    pub fn subject_unverified(&self) -> Option<&str> {
        self.read.subject.as_deref()
    }

    /// The token, taken apart.
    pub(super) fn compact(&self) -> &Compact<'a> {
        &self.compact
    }

    /// The payload's text, and the times in it.
    pub(super) fn payload(&self) -> (&str, Times) {
        (&self.claims, self.read.times)
    }
}

impl Members for Read {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<(), A::Error> {
        match name {
            "iss" => self.issuer = Some(object.next_value()?),
            "sub" => self.subject = Some(object.next_value()?),
            _ => return self.times.take(name, object),
        }
        Ok(())
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(…)")
    }
}
