//! Public keys as the library has them: parsed once, because parsing costs part of a verification.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};

use crate::algorithm::Algorithm;

/// RSA moduli in bits. The lower bound is RFC 7518 §3.3's; a longer one costs more than a request may.
const MODULUS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key and its one algorithm.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

// === impl VerifyingKey ===

impl VerifyingKey {
    /// An RSA key: both numbers big-endian and as short as can be (RFC 7518 §6.3.1).
    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Option<Self> {
        let parameters: &'static RsaParameters = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
        };
        // The library looks at sizes when it verifies; a key that never can is refused now. An
        // exponent of one verifies anything, an even one nothing, a great one is slow.
        let usable_exponent = match e {
            [only] => *only > 1 && only % 2 == 1,
            [first, .., last] => *first != 0 && last % 2 == 1 && e.len() <= 4,
            [] => false,
        };
        if !usable_exponent || !MODULUS.contains(&bits(n)) {
            return None;
        }
        let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()?;
        Some(Self { algorithm, key })
    }

    /// The point of those coordinates on the curve of ECDSA's `algorithm`, each as long as the field
    /// (RFC 7518 §6.2.1). The library refuses a point that is not on it.
    pub(crate) fn ec(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Option<Self> {
        let (parameters, size) = match algorithm {
            Algorithm::Es256 => (&ECDSA_P256_SHA256_FIXED, 32),
            Algorithm::Es384 => (&ECDSA_P384_SHA384_FIXED, 48),
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::EdDsa => return None,
        };
        if x.len() != size || y.len() != size {
            return None;
        }
        let point = [&[0x04], x, y].concat();
        Some(Self { algorithm, key: ParsedPublicKey::new(parameters, point).ok()? })
    }

    /// An Ed25519 key (RFC 8037 §2).
    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        // The library would take an X.509 structure too.
        if x.len() != 32 {
            return None;
        }
        Some(Self { algorithm: Algorithm::EdDsa, key: ParsedPublicKey::new(&ED25519, x).ok()? })
    }

    /// The only algorithm that it verifies.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// Of a big-endian number; none when it begins with a zero byte, which no shortest form does.
fn bits(number: &[u8]) -> usize {
    match number.first() {
        None | Some(0) => 0,
        Some(first) => number.len() * 8 - first.leading_zeros() as usize,
    }
}
