//! Strict verification of compact JWS (RFC 7515, RFC 8725).
//!
//! Two sets of keys, and two proofs that never mix: [`VerifierSet`] holds our own keys and makes
//! [`Verified`]; [`ForeignKeys`] holds somebody else's and makes [`VerifiedForeign`]. Both go through
//! [`Signed`], which gives nothing before the times are checked. [`Unverified`] proves nothing and
//! says so wherever it is read.
//!
//! Nothing in a header brings a key of its own: `jwk`, `jku`, `x5u` and `x5c` are not read.

mod compact;
mod foreign_jwk;
mod foreign_keys;
mod json_object;
mod key;
mod own;
mod proven;
mod signed;
#[cfg(test)]
mod tests;
mod times;
mod unverified;

pub use foreign_keys::{ForeignKeys, ForeignKeysUnreadable, ForeignType, VerifiedForeign};
pub(crate) use key::VerifyingKey;
pub use own::{KeyUnusable, Verified, Verifier, VerifierSet};
pub use signed::Signed;
pub use times::{NumericDate, TimeError};
pub use unverified::Unverified;

/// Why a token was refused. For logs and metrics: an outsider gets one answer for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum VerifyError {
    /// More than 48 KiB: refused before anything is decoded.
    #[error("the token is longer than 48 KiB")]
    TooLong,
    /// Not three parts of canonical base64url, or the header is no JSON object with unique members.
    #[error("not a compact JWS")]
    Malformed,
    /// The header demands an extension (RFC 7515 §4.1.11, RFC 7797 §3); there is none here.
    #[error("the token demands an extension that is not known")]
    Critical,
    /// `alg` is unknown, not the key's, or not allowed: `none` and the HMACs among them.
    #[error("the token's algorithm is not one that may verify it")]
    Algorithm,
    /// `typ` is that of another kind of token.
    #[error("the token is of another type")]
    Type,
    /// No key of that `kid`, or none that fits a token without one.
    #[error("no key fits the token")]
    UnknownKey,
    /// A key was there, and the signature is not its.
    #[error("the signature is wrong")]
    Signature,
    /// The payload is no JSON object with unique members, or a claim has an unexpected form.
    #[error("the claims are unreadable")]
    Claims,
}
