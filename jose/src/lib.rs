//! Keys, signatures and client secrets. No HTTP, no Kubernetes, no clock.
//!
//! An algorithm belongs to a key and nothing else names it: [`PrivateKey`] and [`PublicJwk`] each know
//! theirs, so that no token can choose how it is verified (RFC 8725 §3.1).

mod algorithm;
mod client_secret;
mod jwk;
mod kid;
mod private_key;
pub mod random;
mod signer;

pub use algorithm::Algorithm;
pub use client_secret::{ClientSecret, ClientSecretHash, HashUnreadable};
pub use jwk::{InvalidJwk, PublicJwk};
pub use kid::{InvalidKid, Kid};
pub use private_key::{KeyError, PrivateKey};
pub use signer::{SignError, Signer, TokenType};
