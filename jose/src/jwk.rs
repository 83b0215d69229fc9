//! Public keys as verifiers read them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::kid::Kid;
use crate::verify::VerifyingKey;

/// RSA moduli in bytes: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The public half of a key, as a JWK (RFC 7517): with `kid`, `alg` and `use`, and without anything
/// private. It was checked when it was read: sizes, the algorithm's kind of key, and that `kid` is
/// the key's own thumbprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireJwk", into = "WireJwk")]
pub struct PublicJwk {
    kid: Kid,
    algorithm: Algorithm,
    parameters: Parameters,
}

/// What makes up the key, base64url, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Parameters {
    Rsa { n: String, e: String },
    Ec { x: String, y: String },
    Okp { x: String },
}

/// The members of RFC 7517 §4, RFC 7518 §6 and RFC 8037 §2 that Claviger writes.
#[derive(Clone, Serialize, Deserialize)]
struct WireJwk {
    kty: String,
    #[serde(rename = "use")]
    usage: String,
    alg: Algorithm,
    kid: Kid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

/// What is wrong with a JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwk {
    /// `kty` or `crv` are not those of `alg`, or a member is missing.
    #[error("the key is not one of its algorithm")]
    Kind,
    /// A member is no base64url, or of another size than the algorithm's.
    #[error("a member of the key has another size than its algorithm demands")]
    Size,
    /// `use` is not `sig`.
    #[error("the key is not for signatures")]
    Usage,
    /// `kid` is not the thumbprint.
    #[error("the key's kid is not its thumbprint")]
    Kid,
}

// === impl PublicJwk ===

impl PublicJwk {
    /// An RSA key of that modulus and exponent.
    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Self {
        Self::new(algorithm, Parameters::Rsa { n: encode(n), e: encode(e) })
    }

    /// A key on the curve of ECDSA's `algorithm`, of its uncompressed point (SEC 1 §2.3.3).
    pub(crate) fn ec(algorithm: Algorithm, point: &[u8]) -> Option<Self> {
        let (0x04, both) = (*point.first()?, point.get(1..)?) else { return None };
        let (x, y) = both.split_at(both.len() / 2);
        Some(Self::new(algorithm, Parameters::Ec { x: encode(x), y: encode(y) }))
    }

    /// An Ed25519 key.
    pub(crate) fn ed25519(x: &[u8]) -> Self {
        Self::new(Algorithm::EdDsa, Parameters::Okp { x: encode(x) })
    }

    fn new(algorithm: Algorithm, parameters: Parameters) -> Self {
        let kid = Kid::of(&parameters.canonical(algorithm));
        Self { kid, algorithm, parameters }
    }

    /// Its thumbprint (RFC 7638).
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The one algorithm whose signatures it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key, parsed; `None` when the library refuses it, as a point that is not on the curve.
    pub(crate) fn verifying_key(&self) -> Option<VerifyingKey> {
        match &self.parameters {
            Parameters::Rsa { n, e } => VerifyingKey::rsa(self.algorithm, &decode(n)?, &decode(e)?),
            Parameters::Ec { x, y } => VerifyingKey::ec(self.algorithm, &decode(x)?, &decode(y)?),
            Parameters::Okp { x } => VerifyingKey::ed25519(&decode(x)?),
        }
    }
}

impl Parameters {
    /// RFC 7638 §3.2, RFC 8037 §2. base64url needs no escape in JSON.
    fn canonical(&self, algorithm: Algorithm) -> String {
        let crv = curve(algorithm).unwrap_or_default();
        match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        }
    }
}

// === impl WireJwk ===

impl TryFrom<WireJwk> for PublicJwk {
    type Error = InvalidJwk;

    fn try_from(wire: WireJwk) -> Result<Self, InvalidJwk> {
        let WireJwk { kty, usage, alg, kid, crv, n, e, x, y } = wire;
        if usage != "sig" {
            return Err(InvalidJwk::Usage);
        }
        if crv.as_deref() != curve(alg) {
            return Err(InvalidJwk::Kind);
        }
        let parameters = match (alg, kty.as_str(), n, e, x, y) {
            (Algorithm::Rs256 | Algorithm::Ps256, "RSA", Some(n), Some(e), None, None) => {
                sized(&n, MODULUS)?;
                sized(&e, 1..=8)?;
                Parameters::Rsa { n, e }
            }
            (Algorithm::Es256 | Algorithm::Es384, "EC", None, None, Some(x), Some(y)) => {
                let size = if alg == Algorithm::Es256 { 32 } else { 48 };
                sized(&x, size..=size)?;
                sized(&y, size..=size)?;
                Parameters::Ec { x, y }
            }
            (Algorithm::EdDsa, "OKP", None, None, Some(x), None) => {
                sized(&x, 32..=32)?;
                Parameters::Okp { x }
            }
            _ => return Err(InvalidJwk::Kind),
        };
        let key = Self::new(alg, parameters);
        if key.kid == kid { Ok(key) } else { Err(InvalidJwk::Kid) }
    }
}

impl From<PublicJwk> for WireJwk {
    fn from(key: PublicJwk) -> Self {
        let PublicJwk { kid, algorithm, parameters } = key;
        let (kty, n, e, x, y) = match parameters {
            Parameters::Rsa { n, e } => ("RSA", Some(n), Some(e), None, None),
            Parameters::Ec { x, y } => ("EC", None, None, Some(x), Some(y)),
            Parameters::Okp { x } => ("OKP", None, None, Some(x), None),
        };
        Self {
            kty: kty.to_owned(),
            usage: "sig".to_owned(),
            alg: algorithm,
            kid,
            crv: curve(algorithm).map(str::to_owned),
            n,
            e,
            x,
            y,
        }
    }
}

/// `crv`; none for RSA.
fn curve(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => None,
        Algorithm::Es256 => Some("P-256"),
        Algorithm::Es384 => Some("P-384"),
        Algorithm::EdDsa => Some("Ed25519"),
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn sized(text: &str, size: std::ops::RangeInclusive<usize>) -> Result<(), InvalidJwk> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidJwk::Size)?;
    if size.contains(&bytes.len()) { Ok(()) } else { Err(InvalidJwk::Size) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The example of RFC 7638 §3.1.
    fn rfc7638() -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB",
            "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                  FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d\
                  0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-cs\
                  FCur-kEgU8awapJzKnqDKgw",
        })
    }

    /// The key of RFC 8037, appendix A.2, whose thumbprint is in A.3.
    fn rfc8037() -> Value {
        json!({
            "kty": "OKP", "use": "sig", "alg": "EdDSA", "crv": "Ed25519",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    }

    fn changed(mut key: Value, member: &str, value: Value) -> Result<PublicJwk, serde_json::Error> {
        key[member] = value;
        serde_json::from_value(key)
    }

    #[test]
    fn thumbprints_are_those_of_the_rfcs_examples() {
        for example in [rfc7638(), rfc8037()] {
            let key: PublicJwk = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(&key).unwrap(), example);
        }
    }

    #[test]
    fn a_key_that_is_not_what_it_says_is_refused() {
        for (key, member, value) in [
            (rfc7638(), "kid", json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")),
            (rfc7638(), "alg", json!("ES256")),
            (rfc7638(), "alg", json!("HS256")),
            (rfc7638(), "use", json!("enc")),
            (rfc7638(), "kty", json!("EC")),
            (rfc7638(), "n", json!("AQAB")),
            (rfc7638(), "x", json!("AQAB")),
            (rfc8037(), "crv", json!("P-256")),
            (rfc8037(), "x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR")),
            (rfc8037(), "x", json!("not base64url")),
        ] {
            assert!(changed(key, member, value.clone()).is_err(), "{member} = {value}");
        }
    }
}
