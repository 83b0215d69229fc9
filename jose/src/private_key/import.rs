//! Private keys that somebody else made, read from the text in which people keep them.
//!
//! They may have any flaw that our own cannot have. Each has its error, so that whoever reads it knows
//! what to do; none holds anything of the text.

mod jwk;
mod pem;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rsa;

use super::{KeyError, MODULUS, Pair, PrivateKey};
use crate::algorithm::Algorithm;

/// The smallest public exponent. Some verifiers look at the end of an RSA signature alone, and with an
/// exponent of 3 anybody makes one that passes them.
const EXPONENT: u64 = 65_537;

/// Why a text yields no key that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Neither a PEM section nor a JSON object with `kty`.
    #[error("it holds neither PEM nor a JWK")]
    NotAKey,
    /// A private key, but in none of the formats.
    #[error("its private key is in a format that is not read: PKCS#8, PKCS#1, SEC 1 and JWK are")]
    Format,
    /// Behind a password.
    #[error("its private key is encrypted, and there is nobody to ask for the password: store it decrypted")]
    Encrypted,
    /// A public key or a certificate alone.
    #[error("it holds a public key or a certificate, and no private key")]
    PublicOnly,
    /// More than one private key, or a JWK Set.
    #[error("it holds more than one private key, or a JWK Set: one key signs")]
    Several,
    /// Not what the algorithm signs with.
    #[error("its private key is of another kind than {algorithm} needs, which is {}", needs(*.algorithm))]
    OtherKind {
        /// What it was to sign with.
        algorithm: Algorithm,
    },
    /// A JWK whose `alg`, `use` or `key_ops` speak of something else (RFC 7517 §4.2–4).
    #[error("its JWK says by alg, use or key_ops that it is not for signatures of {algorithm}")]
    OtherUse {
        /// What it was to sign with.
        algorithm: Algorithm,
    },
    /// RSA below 2048 bits (RFC 7518 §3.3).
    #[error("its RSA key is shorter than 2048 bits")]
    TooShort,
    /// RSA above 4096 bits: each signature would cost more than a request may.
    #[error("its RSA key is longer than 4096 bits")]
    TooLong,
    /// RSA with a small public exponent.
    #[error("its RSA key has a public exponent below {EXPONENT}")]
    Exponent,
    /// A JWK without a member of its kind.
    #[error(
        "its JWK is incomplete: RSA needs n, e, d, p, q, dp, dq and qi, EC needs crv, x, y and d, OKP crv, x and d"
    )]
    Incomplete,
    /// It cannot be decoded, or its numbers contradict each other.
    #[error("its private key is damaged: it cannot be decoded, or its parts do not belong together")]
    Broken,
}

impl PrivateKey {
    /// Reads the one private key in `text`: PEM (RFC 7468) with PKCS#8, PKCS#1 or SEC 1 inside, where
    /// certificates and public keys beside it are passed over; or a private JWK (RFC 7517 §4), of RSA
    /// with its primes.
    ///
    /// # Errors
    /// [`ImportError`], by what is wrong with it.
    pub fn import(algorithm: Algorithm, text: &[u8]) -> Result<Self, ImportError> {
        let text = std::str::from_utf8(text).map_err(|_| ImportError::NotAKey)?.trim_start();
        let pair =
            if text.starts_with('{') { jwk::read(algorithm, text)? } else { pem::read(text)?.pair(algorithm)? };
        pair.check()?;
        // Written anew, and read as whoever signs with it will read it: without attributes, with the
        // public half where that is usual, and nothing behind its end.
        let pkcs8 = pair.to_pkcs8().ok_or(ImportError::Broken)?;
        Self::from_pkcs8(algorithm, &pkcs8).map_err(|error| match error {
            KeyError::Generation | KeyError::Unreadable | KeyError::Size => ImportError::Broken,
        })
    }
}

impl Pair {
    fn check(&self) -> Result<(), ImportError> {
        let Self::Rsa(key, _) = self else { return Ok(()) };
        let public = rsa_public(key);
        if public.0 < *MODULUS.start() {
            return Err(ImportError::TooShort);
        }
        if public.0 > *MODULUS.end() {
            return Err(ImportError::TooLong);
        }
        if public.1 < EXPONENT { Err(ImportError::Exponent) } else { Ok(()) }
    }
}

/// Length of the modulus, bytes, and the exponent, which the library takes up to 33 bits.
fn rsa_public(key: &rsa::KeyPair) -> (usize, u64) {
    use aws_lc_rs::signature::KeyPair as _;
    let exponent = key.public_key().exponent();
    let exponent = exponent.big_endian_without_leading_zero().iter();
    (key.public_modulus_len(), exponent.fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// What the library says of a key for `algorithm`.
fn rejected(algorithm: Algorithm) -> impl Fn(KeyRejected) -> ImportError {
    move |error| match error.description_() {
        "WrongAlgorithm" => ImportError::OtherKind { algorithm },
        "TooSmall" => ImportError::TooShort,
        "TooLarge" => ImportError::TooLong,
        _ => ImportError::Broken,
    }
}

fn needs(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => "RSA (rsaEncryption) with 2048 to 4096 bits",
        Algorithm::Es256 => "an EC key on P-256",
        Algorithm::Es384 => "an EC key on P-384",
        Algorithm::EdDsa => "Ed25519",
    }
}

#[cfg(test)]
mod tests;
