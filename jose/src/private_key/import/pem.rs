//! PEM: the one private key among the sections of a text (RFC 7468; RFC 1421 §4.4 for headers).

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::{Pair, curve, padding};
use super::{ImportError, rejected};
use crate::algorithm::Algorithm;

/// A private key in DER.
pub(super) enum Encoded {
    /// Of any kind (RFC 5208, RFC 5958).
    Pkcs8(Zeroizing<Vec<u8>>),
    /// RSA (RFC 8017, appendix A.1.2).
    Pkcs1(Zeroizing<Vec<u8>>),
    /// EC (RFC 5915).
    Sec1(Zeroizing<Vec<u8>>),
}

/// The one private key of `text`. What stands between sections is passed over.
pub(super) fn read(text: &str) -> Result<Encoded, ImportError> {
    let mut lines = text.lines().map(str::trim);
    let (mut found, mut public) = (None, false);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) => body.push(line),
                None => return Err(ImportError::Broken),
            }
        }
        let encoded: fn(Zeroizing<Vec<u8>>) -> Encoded = match label {
            "PRIVATE KEY" => Encoded::Pkcs8,
            "RSA PRIVATE KEY" => Encoded::Pkcs1,
            "EC PRIVATE KEY" => Encoded::Sec1,
            "ENCRYPTED PRIVATE KEY" => return Err(ImportError::Encrypted),
            other if other.ends_with("PRIVATE KEY") => return Err(ImportError::Format),
            other => {
                public |= other.ends_with("PUBLIC KEY") || other.ends_with("CERTIFICATE");
                continue;
            }
        };
        if body.iter().any(|line| line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED")) {
            return Err(ImportError::Encrypted);
        }
        if found.replace(encoded(decode(&body)?)).is_some() {
            return Err(ImportError::Several);
        }
    }
    found.ok_or(if public { ImportError::PublicOnly } else { ImportError::NotAKey })
}

fn decode(body: &[&str]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut text = Zeroizing::new(String::with_capacity(body.iter().map(|line| line.len()).sum()));
    // Base64 has no colon: such a line is a header.
    body.iter().filter(|line| !line.contains(':')).for_each(|line| text.push_str(line));
    STANDARD.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| ImportError::Broken)
}

impl Encoded {
    /// What signs by `algorithm`.
    pub(super) fn pair(&self, algorithm: Algorithm) -> Result<Pair, ImportError> {
        let pair = match (self, algorithm) {
            (Self::Pkcs8(der), Algorithm::Rs256 | Algorithm::Ps256) => {
                rsa::KeyPair::from_pkcs8(der).map(|key| Pair::Rsa(key, padding(algorithm)))
            }
            (Self::Pkcs1(der), Algorithm::Rs256 | Algorithm::Ps256) => {
                rsa::KeyPair::from_der(der).map(|key| Pair::Rsa(key, padding(algorithm)))
            }
            (Self::Pkcs8(der), Algorithm::Es256 | Algorithm::Es384) => {
                EcdsaKeyPair::from_pkcs8(curve(algorithm), der).map(Pair::Ec)
            }
            (Self::Sec1(der), Algorithm::Es256 | Algorithm::Es384) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve(algorithm), der);
                // The library does not tell another curve from rubbish.
                if pair.is_err() && is_of_some_curve(der) {
                    return Err(ImportError::OtherKind { algorithm });
                }
                pair.map(Pair::Ec)
            }
            (Self::Pkcs8(der), Algorithm::EdDsa) => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
            _ => return Err(ImportError::OtherKind { algorithm }),
        };
        pair.map_err(rejected(algorithm))
    }
}

fn is_of_some_curve(der: &[u8]) -> bool {
    [&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P521_SHA512_FIXED_SIGNING]
        .into_iter()
        .any(|curve| EcdsaKeyPair::from_private_key_der(curve, der).is_ok())
}
