//! Private keys: made, read, and kept parsed, for parsing an RSA key costs more than half of a
//! signature.

mod import;

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use zeroize::Zeroizing;

pub use self::import::ImportError;
use crate::algorithm::Algorithm;
use crate::jwk::PublicJwk;

/// RSA moduli in bytes: 2048 to 4096 bits. Shorter ones are too weak (RFC 7518 §3.3), longer ones
/// cost more than a request may.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// A private key and its one algorithm. `Debug` shows its key ID alone.
pub struct PrivateKey {
    pair: Pair,
    public_jwk: PublicJwk,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    Rsa(rsa::KeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key could not be made, or read. Says nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The library made none.
    #[error("a key could not be made")]
    Generation,
    /// It is not PKCS#8, or of another kind than the algorithm's.
    #[error("not a private key of its algorithm in PKCS#8")]
    Unreadable,
    /// An RSA modulus is shorter than 2048 or longer than 4096 bits.
    #[error("an RSA key has 2048 to 4096 bits")]
    Size,
}

// === impl PrivateKey ===

impl PrivateKey {
    /// Makes a new key: RSA with 2048 bits, which takes about a tenth of a second of a core.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                rsa::KeyPair::generate(KeySize::Rsa2048).map(|key| Pair::Rsa(key, padding(algorithm)))
            }
            Algorithm::Es256 | Algorithm::Es384 => EcdsaKeyPair::generate(curve(algorithm)).map(Pair::Ec),
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        let pair = pair.map_err(|_| KeyError::Generation)?;
        let pkcs8 = pair.to_pkcs8().ok_or(KeyError::Generation)?;
        Self::new(algorithm, pair, pkcs8).ok_or(KeyError::Generation)
    }

    /// Reads a key in PKCS#8 (RFC 5208), DER.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] or [`KeyError::Size`].
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let key = rsa::KeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?;
                if !MODULUS.contains(&key.public_modulus_len()) {
                    return Err(KeyError::Size);
                }
                Pair::Rsa(key, padding(algorithm))
            }
            Algorithm::Es256 | Algorithm::Es384 => {
                Pair::Ec(EcdsaKeyPair::from_pkcs8(curve(algorithm), der).map_err(|_| KeyError::Unreadable)?)
            }
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?),
        };
        Self::new(algorithm, pair, Zeroizing::new(der.to_vec())).ok_or(KeyError::Unreadable)
    }

    fn new(algorithm: Algorithm, pair: Pair, pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let public_jwk = pair.public_jwk(algorithm)?;
        Some(Self { pair, public_jwk, pkcs8 })
    }

    /// PKCS#8, DER: for the Secret that holds it.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The public half.
    pub fn public_jwk(&self) -> PublicJwk {
        self.public_jwk.clone()
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.public_jwk.algorithm()
    }

    /// The signature of `message`, as JWS has it (RFC 7518 §3); `None` when the library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(key, padding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*padding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Ec(key) => key.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(key) => key.try_sign(message).ok().map(|signature| signature.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(self.public_jwk.kid()).finish()
    }
}

// === impl Pair ===

impl Pair {
    fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        let document = match self {
            Self::Rsa(key, _) => {
                let der: Pkcs8V1Der<'_> = key.as_der().ok()?;
                return Some(Zeroizing::new(der.as_ref().to_vec()));
            }
            Self::Ec(key) => key.to_pkcs8v1().ok()?,
            // Version 1: version 2, with the public half inside, is not read everywhere.
            Self::Ed25519(key) => key.to_pkcs8v1().ok()?,
        };
        Some(Zeroizing::new(document.as_ref().to_vec()))
    }

    fn public_jwk(&self, algorithm: Algorithm) -> Option<PublicJwk> {
        match self {
            Self::Rsa(key, _) => {
                let public = key.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                Some(PublicJwk::rsa(
                    algorithm,
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                ))
            }
            Self::Ec(key) => PublicJwk::ec(algorithm, key.public_key().as_ref()),
            Self::Ed25519(key) => Some(PublicJwk::ed25519(key.public_key().as_ref())),
        }
    }
}

fn padding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    if algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 }
}

fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    if algorithm == Algorithm::Es384 { &ECDSA_P384_SHA384_FIXED_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_pkcs8_and_stays_what_it_is() {
        for algorithm in Algorithm::ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let again = PrivateKey::from_pkcs8(algorithm, &key.to_pkcs8()).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk(), "{algorithm}");
            assert_eq!(again.algorithm(), algorithm);
            let wire = serde_json::to_value(key.public_jwk()).unwrap();
            assert_eq!(serde_json::from_value::<PublicJwk>(wire).unwrap(), key.public_jwk(), "{algorithm}");
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let (es256, es384) =
            (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Es384).unwrap());
        let ed25519 = PrivateKey::generate(Algorithm::EdDsa).unwrap();
        for (algorithm, der) in [
            (Algorithm::Rs256, es256.to_pkcs8()),
            (Algorithm::Es256, es384.to_pkcs8()),
            (Algorithm::Es384, ed25519.to_pkcs8()),
            (Algorithm::EdDsa, es256.to_pkcs8()),
            (Algorithm::EdDsa, Zeroizing::new(b"no key".to_vec())),
        ] {
            assert_eq!(PrivateKey::from_pkcs8(algorithm, &der).unwrap_err(), KeyError::Unreadable, "{algorithm}");
        }
    }

    #[test]
    fn debug_shows_the_key_id_alone() {
        let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
        assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.public_jwk().kid()));
    }
}
