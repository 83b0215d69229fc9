//! Seals: opaque values that only this provider can make, read, or change.
//!
//! [`Sealer`] encrypts and authenticates (AES-256-GCM, NIST SP 800-38D): for what goes out and must come
//! back unseen and unchanged. [`DerivedToken`] only authenticates, and always gives the same text.
//!
//! Every tenant and every [`Purpose`] has a subkey of its own (HKDF-SHA256, RFC 5869), so that a value of
//! one never opens as one of another. That also keeps the number of random nonces under one key far
//! from the 2³² at which GCM wears out (SP 800-38D §8.3), all the more as keys rotate.
//!
//! A seal does not expire and can be opened twice: whoever seals puts a time in it, and remembers
//! what may be used once.

mod derived_token;
mod opened;
mod purpose;
mod sealer;
mod sealing_key;
mod subkeys;
#[cfg(test)]
mod tests;

pub use derived_token::DerivedToken;
pub use opened::Opened;
pub use purpose::Purpose;
pub use sealer::Sealer;
pub use sealing_key::{SealingKey, SealingKeyId};

/// Nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The plaintext has more than 64 KiB, or the context more than 4 KiB.
    #[error("a value is too long to be sealed")]
    TooLong,
    /// The library failed; nothing that a caller did.
    #[error("a value could not be sealed")]
    Library,
}

/// The text is not a seal of this key ring, tenant, purpose and context. Which of them it lacks is
/// nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a seal that opens here")]
pub struct OpenError;
