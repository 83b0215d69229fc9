//! A private JWK (RFC 7517 §4, RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2).

use aws_lc_rs::rsa::{self, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::super::{Pair, curve, padding};
use super::{ImportError, rejected};
use crate::algorithm::Algorithm;

#[derive(Deserialize)]
struct WireJwk {
    kty: Option<String>,
    /// A JWK Set has this instead.
    keys: Option<IgnoredAny>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<Octets>,
    y: Option<Octets>,
    n: Option<Octets>,
    e: Option<Octets>,
    d: Option<Octets>,
    p: Option<Octets>,
    q: Option<Octets>,
    dp: Option<Octets>,
    dq: Option<Octets>,
    qi: Option<Octets>,
}

/// The bytes of a base64url member.
struct Octets(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(|_| D::Error::custom("no base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// Reads `text`. What is wrong with the JSON is not told: the parser would show some of it.
pub(super) fn read(algorithm: Algorithm, text: &str) -> Result<Pair, ImportError> {
    let jwk: WireJwk = serde_json::from_str(text).map_err(|_| ImportError::Broken)?;
    if jwk.keys.is_some() {
        return Err(ImportError::Several);
    }
    let kind = match (jwk.kty.as_deref().ok_or(ImportError::NotAKey)?, jwk.crv.as_deref()) {
        ("RSA", _) => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
        ("EC", Some("P-256")) => algorithm == Algorithm::Es256,
        ("EC", Some("P-384")) => algorithm == Algorithm::Es384,
        ("OKP", Some("Ed25519")) => algorithm == Algorithm::EdDsa,
        _ => false,
    };
    if !kind {
        return Err(ImportError::OtherKind { algorithm });
    }
    // A key that was made for one use must not serve another (RFC 8725 §3.1, RFC 7517 §4.3).
    let signs = jwk.alg.as_deref().is_none_or(|alg| alg == algorithm.as_str())
        && jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
        && jwk.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|it| it == "sign"));
    if !signs {
        return Err(ImportError::OtherUse { algorithm });
    }
    if jwk.d.is_none() {
        return Err(ImportError::PublicOnly);
    }
    jwk.pair(algorithm)
}

impl WireJwk {
    fn pair(&self, algorithm: Algorithm) -> Result<Pair, ImportError> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                rsa::KeyPair::from_components(&self.rsa()?).map(|key| Pair::Rsa(key, padding(algorithm)))
            }
            Algorithm::Es256 | Algorithm::Es384 => {
                let size = if algorithm == Algorithm::Es256 { 32 } else { 48 };
                let [d, x, y] = [&self.d, &self.x, &self.y].map(|member| sized(member, size));
                // SEC 1 §2.3.3: the uncompressed point.
                let point = [&[0x04], x?, y?].concat();
                EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm), d?, &point).map(Pair::Ec)
            }
            Algorithm::EdDsa => {
                Ed25519KeyPair::from_seed_and_public_key(sized(&self.d, 32)?, sized(&self.x, 32)?).map(Pair::Ed25519)
            }
        };
        pair.map_err(rejected(algorithm))
    }

    fn rsa(&self) -> Result<KeyPairComponents<&[u8]>, ImportError> {
        Ok(KeyPairComponents {
            public_key: PublicKeyComponents { n: number(&self.n)?, e: number(&self.e)? },
            d: number(&self.d)?,
            p: number(&self.p)?,
            q: number(&self.q)?,
            dP: number(&self.dp)?,
            dQ: number(&self.dq)?,
            qInv: number(&self.qi)?,
        })
    }
}

fn octets(member: &Option<Octets>) -> Result<&[u8], ImportError> {
    member.as_ref().map(|octets| octets.0.as_slice()).ok_or(ImportError::Incomplete)
}

/// A number, without the leading zeros that some put before one (RFC 7518 §6.3.1.1 warns of them).
fn number(member: &Option<Octets>) -> Result<&[u8], ImportError> {
    let bytes = octets(member)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(&bytes[zeros..])
}

fn sized(member: &Option<Octets>, size: usize) -> Result<&[u8], ImportError> {
    octets(member).and_then(|bytes| if bytes.len() == size { Ok(bytes) } else { Err(ImportError::Broken) })
}
