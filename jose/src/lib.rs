//! Keys, signatures, seals and client secrets. No HTTP, no Kubernetes, no clock.
//!
//! An algorithm belongs to a key and nothing else names it: [`PrivateKey`] and [`PublicJwk`] each know
//! theirs, so that no token can choose how it is verified (RFC 8725 §3.1).

mod algorithm;
mod client_secret;
mod code_challenge;
mod jwk;
mod kid;
mod left_half_hash;
mod private_key;
pub mod random;
mod seal;
mod signer;
mod verify;

pub use algorithm::Algorithm;
pub use client_secret::{ClientSecret, ClientSecretHash, HashUnreadable};
pub use code_challenge::{CodeChallenge, CodeVerifier, InvalidCodeChallenge, InvalidCodeVerifier};
pub use jwk::{InvalidJwk, PublicJwk};
pub use kid::{InvalidKid, Kid};
pub use left_half_hash::left_half_hash;
pub use private_key::{ImportError, KeyError, PrivateKey};
pub use seal::{DerivedToken, OpenError, Opened, Purpose, SealError, Sealer, SealingKey, SealingKeyId};
pub use signer::{SignError, Signer, TokenType};
pub use verify::{
    ForeignKeys, ForeignKeysUnreadable, ForeignType, KeyUnusable, NumericDate, Signed, TimeError, Unverified, Verified,
    VerifiedForeign, Verifier, VerifierSet, VerifyError,
};
